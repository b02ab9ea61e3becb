package org.spin4j.tokenizer;

/**
 * What Hugging Face's tokenizers take a character for. Each of the libraries under them carries the Unicode tables of its own time, and a
 * model's ids follow those, so that characters newer than a table count there as unassigned: normalisation and accents know Unicode 9.0
 * (crate unicode-normalization-alignments 0.1), punctuation and control characters 8.0 (unicode_categories 0.1), numbers and lower case 17.0
 * (Rust's own), all else 16.0 as Java does. Compared code point by code point with tokenizers 0.23.2.
 */
final class CharacterTables {
    /**
     * Marks and characters with a decomposition or a combining class that are newer than Unicode 9.0. The ranges run over characters to
     * which none of this applies in either table.
     */
    private static final CodePointSet AFTER_9 = CodePointSet.of("7FD 897-8D3 9FE AFA-AFF B55 C04-C3C CF3-D00 D3B-D3C "
            + "D81 EBA ECE 1715 180F 1ABF-1ACE 1CF7 1DF6-1DFA 32FF A7F2-A7F4 A82C A8FF AB69 105C9-107BA 10D24-10F85 "
            + "11070-11074 110C2 11145-11146 111C9 111CE-111CF 11241 1133B 11382-113E2 1145E 1182C-11A99 11D31-1612F "
            + "16D63-16F4F 16F7F-16F87 16FE4-16FF1 1CCD6-1CF46 1E030-1E5EF 1F16C 1FBF0-1FBF9");
    /** Punctuation, marks without width and format characters that are newer than Unicode 8.0, in ranges of the same kind. */
    private static final CodePointSet AFTER_8 = CodePointSet.of("61D 7FD 890-8E2 9FD-9FE A76 AFA-AFF B55 C04-C3C C77 "
            + "C84 D00 D3B-D3C D81 EBA ECE 180F-1886 1ABF-1ACE 1B4E-1B4F 1B7D-1B7F 1DF6-1DFB 2E43-2E5D A82C A8C5 A8FF "
            + "A9BD 10D24-10F89 11070-11074 110C2-110CD 111C9 111CF 1123E-11241 1133B 113BB-1145E 11660-1166C 116B9 "
            + "1182F-11FFF 12FF1-1612F 16D6D-16F4F 16FE2-16FE4 1CF00-1CF46 1E000-1E5FF 1E944-1E95F");

    private CharacterTables() {}

    /** Whether normalisation knows the character only as unassigned: it stays, and nothing moves or composes across it. */
    static boolean normalizationKnowsNot(int c) {
        return c >= 0x7FD && AFTER_9.contains(c);
    }

    /** The general category M of Unicode 9.0. */
    static boolean isMark(int c) {
        if (c == 0x1CF2 || c == 0x1CF3) {
            return true;
        }
        return switch (Character.getType(c)) {
            case Character.NON_SPACING_MARK, Character.ENCLOSING_MARK, Character.COMBINING_SPACING_MARK ->
                !normalizationKnowsNot(c);
            default -> false;
        };
    }

    /** The general category Mn of Unicode 8.0. */
    static boolean isNonSpacingMark(int c) {
        return c == 0x1734 || c == 0x1171E
                || Character.getType(c) == Character.NON_SPACING_MARK && !AFTER_8.contains(c);
    }

    /** The general category P of Unicode 8.0, and all of ASCII that prints and is neither letter nor digit. */
    static boolean isPunctuation(int c) {
        if (c < 0x80) {
            return c > ' ' && c < 0x7F && !Character.isLetterOrDigit(c);
        }
        return switch (Character.getType(c)) {
            case Character.CONNECTOR_PUNCTUATION, Character.DASH_PUNCTUATION, Character.START_PUNCTUATION,
                    Character.END_PUNCTUATION, Character.INITIAL_QUOTE_PUNCTUATION,
                    Character.FINAL_QUOTE_PUNCTUATION, Character.OTHER_PUNCTUATION ->
                !AFTER_8.contains(c);
            default -> c == 0x166D || c == 0x111C9;
        };
    }

    /** The general categories Cc, Cf and Co of Unicode 8.0. */
    static boolean isControl(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL, Character.PRIVATE_USE -> true;
            case Character.FORMAT -> !AFTER_8.contains(c);
            default -> false;
        };
    }

    /** The general category N of Unicode 17.0. */
    static boolean isNumeric(int c) {
        return WordPattern.isNumber(c) || c >= 0x11DE0 && c <= 0x11DE9 || c >= 0x16FF4 && c <= 0x16FF6;
    }

    /** Unicode's word characters: letters and marks, decimal digits, connectors, joiners. */
    static boolean isWord(int c) {
        if (Character.isAlphabetic(c) || c == 0x200C || c == 0x200D) {
            return true;
        }
        return switch (Character.getType(c)) {
            case Character.NON_SPACING_MARK, Character.ENCLOSING_MARK, Character.COMBINING_SPACING_MARK,
                    Character.DECIMAL_DIGIT_NUMBER, Character.CONNECTOR_PUNCTUATION ->
                true;
            default -> false;
        };
    }

    /** The lower case of Unicode 17.0, of the character by itself; only U+0130 becomes two, this one and U+0307. */
    static int lower(int c) {
        return switch (c) {
            case 0x130 -> 'i';
            case 0xA7CE, 0xA7D2, 0xA7D4 -> c + 1;
            default -> c >= 0x16EA0 && c <= 0x16EB8 ? c + 0x1B : Character.toLowerCase(c);
        };
    }
}
