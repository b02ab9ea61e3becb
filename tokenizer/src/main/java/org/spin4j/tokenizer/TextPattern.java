package org.spin4j.tokenizer;

import java.util.Optional;

/** What a file looks for in text: {@code {"String": "…"}} or {@code {"Regex": "…"}}. */
sealed interface TextPattern {
    /** The matches in {@code text[start, end)} as start and end in turn; what lies outside is not looked at. */
    Ints find(String text, int start, int end);

    /** A string as it stands. */
    record Literal(String literal) implements TextPattern {
        @Override
        public Ints find(String text, int start, int end) {
            Ints found = new Ints();
            for (int at = text.indexOf(literal, start, end); at >= 0;) {
                found.add(at);
                found.add(at + literal.length());
                at = text.indexOf(literal, at + literal.length(), end);
            }
            return found;
        }
    }

    /** The words of an expression that is known and matches all text. */
    record Words(WordPattern pattern) implements TextPattern {
        @Override
        public Ints find(String text, int start, int end) {
            Ints found = new Ints();
            for (int at = start; at < end;) {
                found.add(at);
                at = pattern.wordEnd(text, at, end);
                found.add(at);
            }
            return found;
        }
    }

    /** Any other expression. */
    record Expression(OnigurumaRegex regex) implements TextPattern {
        @Override
        public Ints find(String text, int start, int end) {
            return regex.find(text, start, end);
        }
    }

    static TextPattern parse(Json pattern) {
        Optional<Json> regex = pattern.only("String", "Regex").find("Regex");
        if (regex.isEmpty()) {
            String literal = pattern.get("String").string();
            if (literal.isEmpty()) {
                throw pattern.get("String").expected("a string that is not empty");
            }
            return new Literal(literal);
        }
        Optional<WordPattern> words = WordPattern.of(regex.get().string());
        return words.isPresent() ? new Words(words.get()) : new Expression(OnigurumaRegex.parse(regex.get()));
    }
}
