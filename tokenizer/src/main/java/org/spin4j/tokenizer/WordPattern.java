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
    QWEN2("(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"),
    /** GPT-4o: a word begins where a small letter is followed by a capital. */
    O200K("[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+");

    // What a character is: one bit, so that a class of several kinds is one mask.
    private static final int SPACE = 1;
    private static final int NUMBER = 1 << 1;
    private static final int UPPER = 1 << 2;
    private static final int LOWER = 1 << 3;
    private static final int CASELESS = 1 << 4;
    private static final int MARK = 1 << 5;
    private static final int OTHER = 1 << 6;
    /** Half of a character above U+FFFF. */
    private static final int HALF = 0;
    private static final int LETTER = UPPER | LOWER | CASELESS;
    /** What is neither letter, number nor white space. */
    private static final int REST = MARK | OTHER;
    /** What GPT-4o's words begin with, and what they end with. */
    private static final int BEGINNING = UPPER | CASELESS | MARK;
    private static final int ENDING = LOWER | CASELESS | MARK;
    private static final byte[] KINDS = new byte[0x10000];

    static {
        for (int c = 0; c < KINDS.length; c++) {
            KINDS[c] = (byte) (Character.isSurrogate((char) c) ? HALF : computeKind(c));
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
            case O200K -> o200k(text, pos, end);
        };
    }

    private static int gpt2(String text, int pos, int end) {
        char c = text.charAt(pos);
        if (c == '\'') {
            int after = contraction(text, pos, end, false);
            if (after > pos) {
                return after;
            }
        }
        int start = c == ' ' && pos + 1 < end ? pos + 1 : pos;
        int kind = kindAt(text, start);
        return kind == SPACE ? spaces(text, pos, end) : run(text, start, end, alike(kind));
    }

    /** The kinds that a run of letters, of numbers or of neither consists of. */
    private static int alike(int kind) {
        return (kind & LETTER) != 0 ? LETTER : kind == NUMBER ? NUMBER : REST;
    }

    private static int llama3(String text, int pos, int end, int digits) {
        char c = text.charAt(pos);
        int kind = kindAt(text, pos);
        if ((kind & LETTER) != 0) {
            return run(text, pos, end, LETTER);
        }
        if (kind == NUMBER) {
            return numbers(text, pos, end, digits);
        }
        if (c == '\'') {
            int after = contraction(text, pos, end, true);
            if (after > pos) {
                return after;
            }
        }
        int next = pos + width(text, pos);
        if (!isNewline(c) && next < end && (kindAt(text, next) & LETTER) != 0) {
            return run(text, next, end, LETTER);
        }
        return signsOrSpaces(text, pos, end, false);
    }

    private static int o200k(String text, int pos, int end) {
        int kind = kindAt(text, pos);
        if (kind == NUMBER) {
            return numbers(text, pos, end, 3);
        }
        int next = pos + width(text, pos);
        boolean mayLead = (kind & LETTER) == 0 && !isNewline(text.charAt(pos)) && next < end;
        // The order is that of the expression: a word with small letters first, and first with a character before it.
        int stop = mayLead ? smallWord(text, next, end) : next;
        if (stop == next) {
            stop = smallWord(text, pos, end);
            if (stop == pos && mayLead) {
                stop = run(text, next, end, BEGINNING);
                stop = stop == next ? pos : stop;
            }
            if (stop == pos) {
                stop = run(text, pos, end, BEGINNING);
            }
        }
        if (stop == pos) {
            return signsOrSpaces(text, pos, end, true);
        }
        return stop < end && text.charAt(stop) == '\'' ? contraction(text, stop, end, true) : stop;
    }

    /** The end of {@code [BEGINNING]*[ENDING]+} at {@code pos}, or {@code pos}. */
    private static int smallWord(String text, int pos, int end) {
        int capitals = run(text, pos, end, BEGINNING);
        int stop = run(text, capitals, end, ENDING);
        if (stop > capitals) {
            return stop;
        }
        // The first part gives back as little as it can: up to its last character that the second may take.
        for (int i = capitals; i > pos;) {
            int before = i - Character.charCount(text.codePointBefore(i));
            if ((kindAt(text, before) & ENDING) != 0) {
                return i;
            }
            i = before;
        }
        return pos;
    }

    private static int numbers(String text, int pos, int end, int most) {
        int stop = pos;
        for (int n = 0; n < most && stop < end && kindAt(text, stop) == NUMBER; n++) {
            stop += width(text, stop);
        }
        return stop;
    }

    /** Perhaps a space, what is neither letter nor number nor space, and line ends; or else white space. */
    private static int signsOrSpaces(String text, int pos, int end, boolean slashes) {
        int start = text.charAt(pos) == ' ' && pos + 1 < end ? pos + 1 : pos;
        if ((kindAt(text, start) & REST) != 0) {
            int stop = run(text, start, end, REST);
            while (stop < end && (isNewline(text.charAt(stop)) || slashes && text.charAt(stop) == '/')) {
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

    /** Where the characters of these kinds end. */
    private static int run(String text, int pos, int end, int kinds) {
        int i = pos;
        while (i < end) {
            int kind = KINDS[text.charAt(i)];
            if ((kind & kinds) != 0) {
                i++;
            } else if (kind == HALF && (kindAt(text, i) & kinds) != 0) {
                i += 2;
            } else {
                break;
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

    private static int kind(int c) {
        return c < KINDS.length ? KINDS[c] : computeKind(c);
    }

    private static int kindAt(String text, int pos) {
        int kind = KINDS[text.charAt(pos)];
        return kind == HALF ? computeKind(text.codePointAt(pos)) : kind;
    }

    private static int width(String text, int pos) {
        return Character.isHighSurrogate(text.charAt(pos)) ? 2 : 1;
    }

    private static int computeKind(int c) {
        if (c >= '\t' && c <= '\r' || c == 0x85) {
            return SPACE;
        }
        return switch (Character.getType(c)) {
            case Character.UPPERCASE_LETTER, Character.TITLECASE_LETTER -> UPPER;
            case Character.LOWERCASE_LETTER -> LOWER;
            case Character.MODIFIER_LETTER, Character.OTHER_LETTER -> CASELESS;
            case Character.NON_SPACING_MARK, Character.ENCLOSING_MARK, Character.COMBINING_SPACING_MARK -> MARK;
            case Character.DECIMAL_DIGIT_NUMBER, Character.LETTER_NUMBER, Character.OTHER_NUMBER -> NUMBER;
            case Character.SPACE_SEPARATOR, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR -> SPACE;
            default -> OTHER;
        };
    }
}
