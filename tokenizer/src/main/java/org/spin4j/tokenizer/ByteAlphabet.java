package org.spin4j.tokenizer;

import java.util.Arrays;
import java.util.function.IntConsumer;

/**
 * The 256 printable characters that stand for the 256 bytes in a byte-level vocabulary (Radford et al. 2019, GPT-2): a byte that prints
 * in Latin-1 is itself, the others are 256, 257, … in order.
 */
final class ByteAlphabet {
    private static final char[] CHARS = new char[256];
    private static final short[] BYTES = new short[512];

    static {
        Arrays.fill(BYTES, (short) -1);
        int next = 256;
        for (int b = 0; b < 256; b++) {
            boolean prints = b >= '!' && b <= '~' || b >= 0xA1 && b != 0xAD;
            CHARS[b] = (char) (prints ? b : next++);
            BYTES[CHARS[b]] = (short) b;
        }
    }

    private ByteAlphabet() {}

    /** The byte that a character stands for, or -1. */
    static int byteOf(char c) {
        return c < BYTES.length ? BYTES[c] : -1;
    }

    /** The character that stands for a byte from 0 to 255. */
    static char charOf(int b) {
        return CHARS[b];
    }

    /** The UTF-8 bytes of {@code text[start, end)}, each as its character. */
    static String spell(String text, int start, int end) {
        StringBuilder out = new StringBuilder(end - start + 8);
        forEachByte(text, start, end, b -> out.append(CHARS[b]));
        return out.toString();
    }

    /** Hands over the UTF-8 bytes of {@code text[start, end)}, as 0 to 255. */
    static void forEachByte(String text, int start, int end, IntConsumer sink) {
        for (int i = start; i < end;) {
            int c = text.codePointAt(i);
            i += Character.charCount(c);
            if (c < 0x80) {
                sink.accept(c);
            } else if (c < 0x800) {
                sink.accept(0xC0 | c >> 6);
                sink.accept(0x80 | c & 0x3F);
            } else if (c < 0x10000) {
                sink.accept(0xE0 | c >> 12);
                sink.accept(0x80 | c >> 6 & 0x3F);
                sink.accept(0x80 | c & 0x3F);
            } else {
                sink.accept(0xF0 | c >> 18);
                sink.accept(0x80 | c >> 12 & 0x3F);
                sink.accept(0x80 | c >> 6 & 0x3F);
                sink.accept(0x80 | c & 0x3F);
            }
        }
    }
}
