package org.spin4j.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** How a file cuts text into words; merges never cross from one word into the next. */
sealed interface PreTokenizer {
    /** Takes {@code text[start, end)}, never empty. */
    @FunctionalInterface
    interface Sink {
        void piece(String text, int start, int end);
    }

    /** Cuts {@code text[start, end)}, which is not empty. */
    void split(String text, int start, int end, Sink sink);

    /** Whether words are spelled as bytes for the model. */
    default boolean bytes() {
        return false;
    }

    /** The whole text is one word. */
    record None() implements PreTokenizer {
        @Override
        public void split(String text, int start, int end, Sink sink) {
            sink.piece(text, start, end);
        }
    }

    /** Each cuts the pieces of the one before. */
    record Sequence(List<PreTokenizer> parts) implements PreTokenizer {
        @Override
        public void split(String text, int start, int end, Sink sink) {
            split(0, text, start, end, sink);
        }

        private void split(int part, String text, int start, int end, Sink sink) {
            if (part == parts.size()) {
                sink.piece(text, start, end);
            } else {
                parts.get(part).split(text, start, end, (t, s, e) -> split(part + 1, t, s, e, sink));
            }
        }

        @Override
        public boolean bytes() {
            return parts.stream().anyMatch(PreTokenizer::bytes);
        }
    }

    /** GPT-2's: perhaps a space in front, perhaps its words, then bytes. */
    record ByteLevel(boolean addPrefixSpace, boolean useRegex) implements PreTokenizer {
        @Override
        public void split(String text, int start, int end, Sink sink) {
            if (addPrefixSpace && text.charAt(start) != ' ') {
                String spaced = " " + text.substring(start, end);
                words(spaced, 0, spaced.length(), sink);
            } else {
                words(text, start, end, sink);
            }
        }

        private void words(String text, int start, int end, Sink sink) {
            if (useRegex) {
                new Words(WordPattern.GPT2).split(text, start, end, sink);
            } else {
                sink.piece(text, start, end);
            }
        }

        @Override
        public boolean bytes() {
            return true;
        }
    }

    /** The words of a known regular expression. */
    record Words(WordPattern pattern) implements PreTokenizer {
        @Override
        public void split(String text, int start, int end, Sink sink) {
            int pos = start;
            while (pos < end) {
                int stop = pattern.wordEnd(text, pos, end);
                sink.piece(text, pos, stop);
                pos = stop;
            }
        }
    }

    /** Each occurrence of a literal is a word, and so is what lies between two. */
    record Literal(String literal) implements PreTokenizer {
        @Override
        public void split(String text, int start, int end, Sink sink) {
            int pos = start;
            while (pos < end) {
                int found = text.indexOf(literal, pos, end);
                int stop = found < 0 ? end : found;
                if (stop > pos) {
                    sink.piece(text, pos, stop);
                }
                if (found >= 0) {
                    sink.piece(text, found, found + literal.length());
                    stop = found + literal.length();
                }
                pos = stop;
            }
        }
    }

    /** Numbers apart from the rest, digit by digit or as runs. */
    record Digits(boolean individual) implements PreTokenizer {
        @Override
        public void split(String text, int start, int end, Sink sink) {
            int pos = start;
            while (pos < end) {
                boolean number = WordPattern.isNumber(text.codePointAt(pos));
                int stop = pos + Character.charCount(text.codePointAt(pos));
                while (stop < end && !(number && individual)
                        && WordPattern.isNumber(text.codePointAt(stop)) == number) {
                    stop += Character.charCount(text.codePointAt(stop));
                }
                sink.piece(text, pos, stop);
                pos = stop;
            }
        }
    }

    static PreTokenizer parse(Json json) {
        String type = json.get("type").string();
        return switch (type) {
            case "Sequence" -> {
                List<PreTokenizer> parts = new ArrayList<>();
                for (Json part : json.only("type", "pretokenizers").get("pretokenizers").items()) {
                    if (!parts.isEmpty() && parts.getLast().bytes()) {
                        throw part.unsupported("a pre-tokenizer after ByteLevel");
                    }
                    parts.add(parse(part));
                }
                yield new Sequence(List.copyOf(parts));
            }
            case "ByteLevel" -> {
                json.only("type", "add_prefix_space", "trim_offsets", "use_regex");
                yield new ByteLevel(json.bool("add_prefix_space", true), json.bool("use_regex", true));
            }
            case "Split" -> split(json.only("type", "pattern", "behavior", "invert"));
            case "Digits" -> new Digits(json.only("type", "individual_digits").bool("individual_digits", false));
            default -> throw json.unsupported("the pre-tokenizer " + type);
        };
    }

    private static PreTokenizer split(Json json) {
        String behavior = json.get("behavior").string();
        if (!behavior.equals("Isolated") || json.bool("invert", false)) {
            throw json.unsupported("a Split that is not Isolated or is inverted");
        }
        Json pattern = json.get("pattern");
        Optional<WordPattern> words = pattern.find("Regex").flatMap(regex -> WordPattern.of(regex.string()));
        return words.isPresent() ? new Words(words.get()) : new Literal(Normalizer.literal(pattern));
    }
}
