package org.spin4j.tokenizer;

import java.text.Normalizer.Form;
import java.util.List;
import java.util.Optional;
import java.util.function.IntPredicate;
import java.util.function.IntUnaryOperator;

/** What a file does to the text between added tokens before cutting it. */
sealed interface Normalizer {
    NormalizedText apply(NormalizedText text);

    /** Nothing. */
    record None() implements Normalizer {
        @Override
        public NormalizedText apply(NormalizedText text) {
            return text;
        }
    }

    /** One after the other. */
    record Sequence(List<Normalizer> parts) implements Normalizer {
        @Override
        public NormalizedText apply(NormalizedText text) {
            NormalizedText result = text;
            for (Normalizer part : parts) {
                result = part.apply(result);
                checkGrowth(text.text(), result.text());
            }
            return result;
        }
    }

    /** Puts something before a text that is not empty. */
    record Prepend(String prefix) implements Normalizer {
        @Override
        public NormalizedText apply(NormalizedText text) {
            return text.prepend(prefix);
        }
    }

    /** Replaces each match. */
    record Replace(TextPattern pattern, String content) implements Normalizer {
        @Override
        public NormalizedText apply(NormalizedText text) {
            return text.replace(pattern.find(text.text(), 0, text.text().length()), content);
        }
    }

    /** A Unicode normalisation form. */
    record Unicode(Form form) implements Normalizer {
        @Override
        public NormalizedText apply(NormalizedText text) {
            return UnicodeForm.apply(text, form);
        }
    }

    /** Each character in lower case by itself. */
    record Lowercase() implements Normalizer {
        @Override
        public NormalizedText apply(NormalizedText text) {
            String from = text.text();
            NormalizedText.Rewrite rewrite = new NormalizedText.Rewrite(text);
            for (int i = 0; i < from.length();) {
                int c = from.codePointAt(i);
                int lower = CharacterTables.lower(c);
                if (lower != c) {
                    rewrite.keep(i);
                    rewrite.replace(lower);
                    if (c == 0x130) {
                        rewrite.insert(0x307);
                    }
                }
                i += Character.charCount(c);
            }
            return rewrite.rest();
        }
    }

    /** Takes white space off the ends. */
    record Strip(boolean left, boolean right) implements Normalizer {
        @Override
        public NormalizedText apply(NormalizedText text) {
            String from = text.text();
            int start = 0;
            int end = from.length();
            while (left && start < end && WordPattern.isSpace(from.charAt(start))) {
                start++;
            }
            while (right && end > start && WordPattern.isSpace(from.charAt(end - 1))) {
                end--;
            }
            return text.slice(start, end);
        }
    }

    /** Leaves out marks; an accent that is part of its letter stays. */
    record StripAccents() implements Normalizer {
        @Override
        public NormalizedText apply(NormalizedText text) {
            return filter(text, c -> !CharacterTables.isMark(c));
        }
    }

    /** The cleaning of Google's neural translation: control characters go, kinds of space become one. */
    record Nmt() implements Normalizer {
        @Override
        public NormalizedText apply(NormalizedText text) {
            return map(filter(text, c -> !(c >= 1 && c <= 8 || c == 0xB || c >= 0xE && c <= 0x1F || c == 0x7F
                    || c == 0x8F || c == 0x9F)), c -> switch (c) {
                        case '\t', '\n', '\f', '\r', 0x1680, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2028, 0x2029,
                                0x2581, 0xFEFF, 0xFFFD ->
                            ' ';
                        default -> c;
                    });
        }
    }

    /** BERT's (Devlin et al. 2018, BasicTokenizer). */
    record Bert(boolean cleanText, boolean handleChineseChars, boolean stripAccents, boolean lowercase)
            implements
                Normalizer {
        @Override
        public NormalizedText apply(NormalizedText text) {
            NormalizedText result = text;
            if (cleanText) {
                result = map(filter(result, Bert::isText), c -> WordPattern.isSpace(c) ? ' ' : c);
            }
            if (handleChineseChars) {
                result = spaceIdeographs(result);
            }
            if (stripAccents) {
                result = filter(UnicodeForm.apply(result, Form.NFD), c -> !CharacterTables.isNonSpacingMark(c));
            }
            return lowercase ? new Lowercase().apply(result) : result;
        }

        private static boolean isText(int c) {
            return c == '\t' || c == '\n' || c == '\r' || c != 0xFFFD && !CharacterTables.isControl(c);
        }

        private static NormalizedText spaceIdeographs(NormalizedText text) {
            String from = text.text();
            NormalizedText.Rewrite rewrite = new NormalizedText.Rewrite(text);
            for (int i = 0; i < from.length();) {
                int c = from.codePointAt(i);
                if (isIdeograph(c)) {
                    rewrite.keep(i);
                    rewrite.replace(' ');
                    rewrite.insert(c);
                    rewrite.insert(' ');
                }
                i += Character.charCount(c);
            }
            return rewrite.rest();
        }

        /** CJK ideographs, in the blocks that BERT knows. */
        private static boolean isIdeograph(int c) {
            return c >= 0x4E00 && c <= 0x9FFF || c >= 0x3400 && c <= 0x4DBF || c >= 0x20000 && c <= 0x2A6DF
                    || c >= 0x2A700 && c <= 0x2B81F || c >= 0x2B920 && c <= 0x2CEAF || c >= 0xF900 && c <= 0xFAFF
                    || c >= 0x2F800 && c <= 0x2FA1F;
        }
    }

    /** Each byte of the text in UTF-8 as its character of the byte alphabet. */
    record ByteLevel() implements Normalizer {
        @Override
        public NormalizedText apply(NormalizedText text) {
            String from = text.text();
            NormalizedText.Rewrite rewrite = new NormalizedText.Rewrite(text);
            for (int i = 0; i < from.length();) {
                int next = i + Character.charCount(from.codePointAt(i));
                String spelled = ByteAlphabet.spell(from, i, next);
                rewrite.replace(spelled.charAt(0));
                rewrite.insert(spelled.substring(1));
                i = next;
            }
            return rewrite.result();
        }
    }

    /** The replacements that a SentencePiece model brings. */
    record Precompiled(PrecompiledCharsMap map) implements Normalizer {
        @Override
        public NormalizedText apply(NormalizedText text) {
            NormalizedText.Rewrite rewrite = new NormalizedText.Rewrite(text);
            map.find(text.text(), (start, end, content) -> {
                rewrite.keep(start);
                int i = 0;
                // As many characters as there were stand for them one by one, the others for the last.
                int left = text.text().codePointCount(start, end);
                for (; left > 0 && i < content.length(); left--) {
                    rewrite.replace(content.codePointAt(i));
                    i += Character.charCount(content.codePointAt(i));
                }
                rewrite.skipCharacters(left);
                rewrite.insert(content.substring(i));
            });
            rewrite.keep(text.text().length());
            return rewrite.result();
        }
    }

    private static NormalizedText filter(NormalizedText text, IntPredicate kept) {
        String from = text.text();
        NormalizedText.Rewrite rewrite = new NormalizedText.Rewrite(text);
        for (int i = 0; i < from.length();) {
            int c = from.codePointAt(i);
            int next = i + Character.charCount(c);
            if (!kept.test(c)) {
                rewrite.keep(i);
                rewrite.skip(next);
            }
            i = next;
        }
        return rewrite.rest();
    }

    private static NormalizedText map(NormalizedText text, IntUnaryOperator mapping) {
        String from = text.text();
        NormalizedText.Rewrite rewrite = new NormalizedText.Rewrite(text);
        for (int i = 0; i < from.length();) {
            int c = from.codePointAt(i);
            int mapped = mapping.applyAsInt(c);
            if (mapped != c) {
                rewrite.keep(i);
                rewrite.replace(mapped);
            }
            i += Character.charCount(c);
        }
        return rewrite.rest();
    }

    /** A handful of replacements, each ten times as long as what it replaces, would fill any memory. No Unicode form grows 20 times. */
    static void checkGrowth(String before, String after) {
        if (after.length() > 4096 + 32L * before.length()) {
            throw new TokenizerException("expected text that stays about as long as it was, found " + before.length()
                    + " characters grown to "
                    + after.length() + " by the tokenizer's replacements; use another tokenizer");
        }
    }

    /** A text to put in, bounded so that one step cannot grow a text without measure. */
    static String content(Json json) {
        if (json.string().length() > 1024) {
            throw json.expected("at most 1024 characters");
        }
        return json.string();
    }

    static Normalizer parse(Json json) {
        String type = json.get("type").string();
        return switch (type) {
            case "Sequence" -> new Sequence(json.only("type", "normalizers").get("normalizers").items().stream()
                    .map(Normalizer::parse).toList());
            case "Prepend" -> new Prepend(content(json.only("type", "prepend").get("prepend")));
            case "Replace" -> {
                json.only("type", "pattern", "content");
                yield new Replace(TextPattern.parse(json.get("pattern")), content(json.get("content")));
            }
            case "NFC", "NFD", "NFKC", "NFKD" -> {
                json.only("type");
                yield new Unicode(Form.valueOf(type));
            }
            case "Precompiled" -> new Precompiled(PrecompiledCharsMap
                    .parse(json.only("type", "precompiled_charsmap").get("precompiled_charsmap")));
            case "Strip" -> {
                json.only("type", "strip_left", "strip_right");
                yield new Strip(json.get("strip_left").bool(), json.get("strip_right").bool());
            }
            case "BertNormalizer" -> {
                json.only("type", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase");
                boolean lowercase = json.get("lowercase").bool();
                Optional<Json> accents = json.find("strip_accents");
                yield new Bert(json.get("clean_text").bool(), json.get("handle_chinese_chars").bool(),
                        accents.isPresent() ? accents.get().bool() : lowercase, lowercase);
            }
            case "Lowercase", "StripAccents", "Nmt", "ByteLevel" -> {
                json.only("type");
                yield switch (type) {
                    case "Lowercase" -> new Lowercase();
                    case "StripAccents" -> new StripAccents();
                    case "Nmt" -> new Nmt();
                    default -> new ByteLevel();
                };
            }
            default -> throw json.unsupported("the normalizer " + type);
        };
    }
}
