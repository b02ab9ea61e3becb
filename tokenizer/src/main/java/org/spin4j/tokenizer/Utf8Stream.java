package org.spin4j.tokenizer;

/**
 * UTF-8 bytes to text, byte by byte: a character comes out when its last byte came in, and each longest prefix of a character that cannot
 * go on becomes one U+FFFD (Unicode 16, section 3.9, "maximal subparts"; the JDK's decoder differs for encoded surrogates).
 */
final class Utf8Stream {
    private int codePoint;
    private int missing;
    private int low = 0x80;
    private int high = 0xBF;
    private int replacements;

    void accept(int b, StringBuilder out) {
        if (missing > 0) {
            if (b >= low && b <= high) {
                low = 0x80;
                high = 0xBF;
                codePoint = codePoint << 6 | b & 0x3F;
                if (--missing == 0) {
                    out.appendCodePoint(codePoint);
                }
                return;
            }
            end(out);
        }
        if (b < 0x80) {
            out.append((char) b);
        } else if (b >= 0xC2 && b <= 0xDF) {
            begin(1, b & 0x1F);
        } else if (b >= 0xE0 && b <= 0xEF) {
            begin(2, b & 0x0F);
            // No overlong forms, no surrogates.
            low = b == 0xE0 ? 0xA0 : 0x80;
            high = b == 0xED ? 0x9F : 0xBF;
        } else if (b >= 0xF0 && b <= 0xF4) {
            begin(3, b & 0x07);
            low = b == 0xF0 ? 0x90 : 0x80;
            high = b == 0xF4 ? 0x8F : 0xBF;
        } else {
            replace(out);
        }
    }

    /** No more bytes: a character begun is given up. */
    void end(StringBuilder out) {
        if (missing > 0) {
            missing = 0;
            low = 0x80;
            high = 0xBF;
            replace(out);
        }
    }

    /** How many U+FFFD this made, those not counted that the bytes spell out. */
    int replacements() {
        return replacements;
    }

    private void replace(StringBuilder out) {
        replacements++;
        out.append('\uFFFD');
    }

    private void begin(int more, int bits) {
        missing = more;
        codePoint = bits;
    }
}
