package org.spin4j.tokenizer;

import java.util.Optional;

/**
 * The regular expressions that byte-level tokenizers cut text with, as scanners written by hand: several times faster than a regex
 * engine, and no file can bring an expression that runs for ever. Letters, numbers and white space are Unicode's L, N and White_Space.
 */
enum WordPattern {
    /** GPT-2. */
    GPT2("'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"),
    /** Llama 3: numbers in groups of three. */
    LLAMA3("(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"),
    /** Qwen 2 and 3: digit by digit. */
    QWEN2("(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+");

    private static final byte OTHER = 0;
    private static final byte LETTER = 1;
    private static final byte NUMBER = 2;
    private static final byte SPACE = 3;
    private static final byte[] KINDS = new byte[0x10000];

    static {
        for (int c = 0; c < KINDS.length; c++) {
            KINDS[c] = computeKind(c);
        }
    }

    private final String regex;

    WordPattern(String regex) {
        this.regex = regex;
    }

    /** The expression that the scanner stands for. */
    String regex() {
        return regex;
    }

    /** The pattern with exactly this regular expression. */
    static Optional<WordPattern> of(String regex) {
        for (WordPattern pattern : values()) {
            if (pattern.regex.equals(regex)) {
                return Optional.of(pattern);
            }
        }
        return Optional.empty();
    }

    /** Where the word that starts at {@code pos} ends, in {@code text[pos, end)}, {@code pos < end}. */
    int wordEnd(String text, int pos, int end) {
        return switch (this) {
            case GPT2 -> gpt2(text, pos, end);
            case LLAMA3 -> llama3(text, pos, end, 3);
            case QWEN2 -> llama3(text, pos, end, 1);
        };
    }

    private static int gpt2(String text, int pos, int end) {
        int c = text.codePointAt(pos);
        if (c == '\'') {
            int after = contraction(text, pos, end, false);
            if (after > pos) {
                return after;
            }
        }
        int start = c == ' ' && pos + 1 < end ? pos + 1 : pos;
        byte kind = kind(text.codePointAt(start));
        return kind == SPACE ? spaces(text, pos, end) : run(text, start, end, kind);
    }

    private static int llama3(String text, int pos, int end, int digits) {
        int c = text.codePointAt(pos);
        int next = pos + Character.charCount(c);
        byte kind = kind(c);
        if (c == '\'') {
            int after = contraction(text, pos, end, true);
            if (after > pos) {
                return after;
            }
        }
        if (kind == LETTER) {
            return run(text, next, end, LETTER);
        }
        if (kind != NUMBER && c != '\r' && c != '\n' && next < end && kind(text.codePointAt(next)) == LETTER) {
            return run(text, next, end, LETTER);
        }
        if (kind == NUMBER) {
            int stop = next;
            for (int n = 1; n < digits && stop < end && kind(text.codePointAt(stop)) == NUMBER; n++) {
                stop += Character.charCount(text.codePointAt(stop));
            }
            return stop;
        }
        int start = c == ' ' && next < end ? next : pos;
        if (kind(text.codePointAt(start)) == OTHER) {
            int stop = run(text, start, end, OTHER);
            while (stop < end && isNewline(text.charAt(stop))) {
                stop++;
            }
            return stop;
        }
        // White space up to the last line end of the run, if it has one.
        int stop = run(text, pos, end, SPACE);
        for (int i = stop; i > pos; i--) {
            if (isNewline(text.charAt(i - 1))) {
                return i;
            }
        }
        return spaces(text, pos, end);
    }

    /** White space, but for the last character where a word follows, which that space may belong to. */
    private static int spaces(String text, int pos, int end) {
        int stop = run(text, pos, end, SPACE);
        return stop < end && stop - 1 > pos ? stop - 1 : stop;
    }

    private static int run(String text, int pos, int end, byte kind) {
        int i = pos;
        while (i < end) {
            char c = text.charAt(i);
            if (Character.isHighSurrogate(c)) {
                int point = text.codePointAt(i);
                if (kind(point) != kind) {
                    return i;
                }
                i += Character.charCount(point);
            } else if (KINDS[c] != kind) {
                return i;
            } else {
                i++;
            }
        }
        return i;
    }

    /** The end of an English contraction such as 've at the apostrophe at {@code pos}, or {@code pos}. */
    private static int contraction(String text, int pos, int end, boolean anyCase) {
        char one = letter(text, pos + 1, end, anyCase);
        char two = letter(text, pos + 2, end, anyCase);
        return switch (one) {
            case 's', 't', 'm', 'd' -> pos + 2;
            case 'r', 'v' -> two == 'e' ? pos + 3 : pos;
            case 'l' -> two == 'l' ? pos + 3 : pos;
            default -> pos;
        };
    }

    private static char letter(String text, int pos, int end, boolean anyCase) {
        if (pos >= end) {
            return 0;
        }
        char c = text.charAt(pos);
        if (!anyCase) {
            return c;
        }
        // The long s is the only other character that a caseless s, t, r, v, m, l, d or e matches.
        return c == 'ſ' ? 's' : c >= 'A' && c <= 'Z' ? (char) (c + 32) : c;
    }

    private static boolean isNewline(char c) {
        return c == '\n' || c == '\r';
    }

    static boolean isNumber(int c) {
        return kind(c) == NUMBER;
    }

    /** Unicode's White_Space. */
    static boolean isSpace(int c) {
        return kind(c) == SPACE;
    }

    private static byte kind(int c) {
        return c < KINDS.length ? KINDS[c] : computeKind(c);
    }

    private static byte computeKind(int c) {
        if (c >= '\t' && c <= '\r' || c == 0x85) {
            return SPACE;
        }
        return switch (Character.getType(c)) {
            case Character.UPPERCASE_LETTER, Character.LOWERCASE_LETTER, Character.TITLECASE_LETTER,
                    Character.MODIFIER_LETTER,
                    Character.OTHER_LETTER ->
                LETTER;
            case Character.DECIMAL_DIGIT_NUMBER, Character.LETTER_NUMBER, Character.OTHER_NUMBER -> NUMBER;
            case Character.SPACE_SEPARATOR, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR -> SPACE;
            default -> OTHER;
        };
    }
}
