package org.spin4j.tokenizer;

import java.text.Normalizer.Form;
import java.util.List;

/** What a file does to the text between added tokens before cutting it. */
sealed interface Normalizer {
    String apply(String text);

    /** Nothing. */
    record None() implements Normalizer {
        @Override
        public String apply(String text) {
            return text;
        }
    }

    /** One after the other. */
    record Sequence(List<Normalizer> parts) implements Normalizer {
        @Override
        public String apply(String text) {
            String result = text;
            for (Normalizer part : parts) {
                result = part.apply(result);
                checkGrowth(text, result);
            }
            return result;
        }
    }

    /** Puts something before a text that is not empty. */
    record Prepend(String prefix) implements Normalizer {
        @Override
        public String apply(String text) {
            return text.isEmpty() ? text : prefix + text;
        }
    }

    /** Replaces each occurrence of a literal. */
    record Replace(String pattern, String content) implements Normalizer {
        @Override
        public String apply(String text) {
            return text.replace(pattern, content);
        }
    }

    /** A Unicode normalisation form. */
    record Unicode(Form form) implements Normalizer {
        @Override
        public String apply(String text) {
            return java.text.Normalizer.normalize(text, form);
        }
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
                yield new Replace(literal(json.get("pattern")), content(json.get("content")));
            }
            case "NFC", "NFD", "NFKC", "NFKD" -> {
                json.only("type");
                yield new Unicode(Form.valueOf(type));
            }
            default -> throw json.unsupported("the normalizer " + type);
        };
    }

    /** The string of a pattern that is a literal: {@code {"String": "…"}}. */
    static String literal(Json pattern) {
        if (pattern.find("Regex").isPresent()) {
            throw pattern.unsupported("the regular expression " + pattern.get("Regex").string());
        }
        String literal = pattern.only("String").get("String").string();
        if (literal.isEmpty()) {
            throw pattern.get("String").expected("a string that is not empty");
        }
        return literal;
    }
}
