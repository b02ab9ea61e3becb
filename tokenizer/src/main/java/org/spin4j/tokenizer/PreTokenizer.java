package org.spin4j.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;

/** How a file cuts text into words; merges never cross from one word into the next. */
sealed interface PreTokenizer {
    /** Takes {@code text[start, end)}, never empty. */
    @FunctionalInterface
    interface Sink {
        void piece(NormalizedText text, int start, int end);
    }

    /** Cuts {@code text[start, end)}, which is not empty. */
    void split(NormalizedText text, int start, int end, Sink sink);

    /** Whether words are to be spelled as bytes by the model. */
    default boolean bytes() {
        return false;
    }

    /**
     * Whether words depend on where in the original a piece stands.
     *
     * @param changed whether text comes here changed, so that its own beginning does not tell
     */
    default boolean needsPlaces(boolean changed) {
        return false;
    }

    /** The whole text is one word. */
    record None() implements PreTokenizer {
        @Override
        public void split(NormalizedText text, int start, int end, Sink sink) {
            sink.piece(text, start, end);
        }
    }

    /** Each cuts the pieces of the one before. */
    record Sequence(List<PreTokenizer> parts) implements PreTokenizer {
        @Override
        public void split(NormalizedText text, int start, int end, Sink sink) {
            split(0, text, start, end, sink);
        }

        private void split(int part, NormalizedText text, int start, int end, Sink sink) {
            if (part == parts.size()) {
                sink.piece(text, start, end);
            } else {
                parts.get(part).split(text, start, end, (t, s, e) -> split(part + 1, t, s, e, sink));
            }
        }

        @Override
        public boolean bytes() {
            return !parts.isEmpty() && parts.getLast().bytes();
        }

        @Override
        public boolean needsPlaces(boolean changed) {
            return !parts.isEmpty() && parts.getFirst().needsPlaces(changed)
                    || parts.stream().skip(1).anyMatch(part -> part.needsPlaces(true));
        }
    }

    /**
     * GPT-2's: perhaps a space in front, perhaps its words, then bytes.
     *
     * @param spell spell the bytes here, as other pre-tokenizers follow; otherwise the model does
     */
    record ByteLevel(boolean addPrefixSpace, boolean useRegex, boolean spell) implements PreTokenizer {
        @Override
        public void split(NormalizedText text, int start, int end, Sink sink) {
            Sink words = spell ? (t, s, e) -> spelled(t.slice(s, e), sink) : sink;
            if (addPrefixSpace && text.text().charAt(start) != ' ') {
                NormalizedText spaced = text.slice(start, end).prepend(" ");
                words(spaced, 0, spaced.text().length(), words);
            } else {
                words(text, start, end, words);
            }
        }

        private void words(NormalizedText text, int start, int end, Sink sink) {
            if (useRegex) {
                new Words(WordPattern.GPT2).split(text, start, end, sink);
            } else {
                sink.piece(text, start, end);
            }
        }

        private static void spelled(NormalizedText text, Sink sink) {
            NormalizedText bytes = new Normalizer.ByteLevel().apply(text);
            sink.piece(bytes, 0, bytes.text().length());
        }

        @Override
        public boolean bytes() {
            return !spell;
        }
    }

    /** The words of a known regular expression. */
    record Words(WordPattern pattern) implements PreTokenizer {
        @Override
        public void split(NormalizedText text, int start, int end, Sink sink) {
            int pos = start;
            while (pos < end) {
                int stop = pattern.wordEnd(text.text(), pos, end);
                sink.piece(text, pos, stop);
                pos = stop;
            }
        }
    }

    /** Cuts at matches. */
    record Split(TextPattern pattern, SplitBehavior behavior, boolean invert) implements PreTokenizer {
        @Override
        public void split(NormalizedText text, int start, int end, Sink sink) {
            behavior.split(text, start, end, pattern.find(text.text(), start, end), invert, sink);
        }
    }

    /** Cuts at characters of a kind. */
    record Characters(IntPredicate kind, SplitBehavior behavior) implements PreTokenizer {
        @Override
        public void split(NormalizedText text, int start, int end, Sink sink) {
            Ints found = new Ints();
            for (int i = start; i < end;) {
                int c = text.text().codePointAt(i);
                int next = i + Character.charCount(c);
                if (kind.test(c)) {
                    found.add(i);
                    found.add(next);
                }
                i = next;
            }
            behavior.split(text, start, end, found, false, sink);
        }
    }

    /** Runs of word characters and runs of others, without the white space. */
    record Whitespace() implements PreTokenizer {
        @Override
        public void split(NormalizedText text, int start, int end, Sink sink) {
            int done = start;
            int kind = -1;
            for (int i = start; i < end;) {
                int c = text.text().codePointAt(i);
                int next = CharacterTables.isWord(c) ? 1 : WordPattern.isSpace(c) ? 0 : 2;
                if (next != kind) {
                    if (kind > 0) {
                        sink.piece(text, done, i);
                    }
                    done = i;
                    kind = next;
                }
                i += Character.charCount(c);
            }
            if (kind > 0) {
                sink.piece(text, done, end);
            }
        }
    }

    /** SentencePiece's: spaces become a visible character, with which words begin. */
    record Metaspace(String replacement, Prepend prepend, boolean split) implements PreTokenizer {
        /** Where a space is put that the text does not have. */
        enum Prepend {
            ALWAYS, FIRST, NEVER
        }

        @Override
        public void split(NormalizedText text, int start, int end, Sink sink) {
            NormalizedText piece = text.slice(start, end);
            boolean wanted = prepend == Prepend.ALWAYS || prepend == Prepend.FIRST && text.beginsOriginal(start);
            piece = piece.replace(new TextPattern.Literal(" ").find(piece.text(), 0, piece.text().length()),
                    replacement);
            if (wanted && !piece.text().startsWith(replacement)) {
                piece = piece.prepend(replacement);
            }
            int length = piece.text().length();
            if (split) {
                SplitBehavior.MERGED_WITH_NEXT.split(piece, 0, length,
                        new TextPattern.Literal(replacement).find(piece.text(), 0, length), false, sink);
            } else {
                sink.piece(piece, 0, length);
            }
        }

        @Override
        public boolean needsPlaces(boolean changed) {
            return changed && prepend == Prepend.FIRST;
        }
    }

    static PreTokenizer parse(Json json) {
        String type = json.get("type").string();
        return switch (type) {
            case "Sequence" -> sequence(json.only("type", "pretokenizers").get("pretokenizers").items());
            case "ByteLevel" -> {
                json.only("type", "add_prefix_space", "trim_offsets", "use_regex");
                yield new ByteLevel(json.bool("add_prefix_space", true), json.bool("use_regex", true), false);
            }
            case "Split" -> split(json.only("type", "pattern", "behavior", "invert"));
            case "Digits" -> new Characters(CharacterTables::isNumeric,
                    json.only("type", "individual_digits").get("individual_digits").bool()
                            ? SplitBehavior.ISOLATED
                            : SplitBehavior.CONTIGUOUS);
            case "Punctuation" -> new Characters(CharacterTables::isPunctuation, json.only("type", "behavior")
                    .find("behavior").map(SplitBehavior::parse).orElse(SplitBehavior.ISOLATED));
            case "CharDelimiterSplit" -> {
                int delimiter = json.only("type", "delimiter").get("delimiter").codePoint();
                yield new Characters(c -> c == delimiter, SplitBehavior.REMOVED);
            }
            case "Metaspace" -> metaspace(json);
            case "WhitespaceSplit", "BertPreTokenizer", "Whitespace" -> {
                json.only("type");
                PreTokenizer spaces = new Characters(WordPattern::isSpace, SplitBehavior.REMOVED);
                yield switch (type) {
                    case "WhitespaceSplit" -> spaces;
                    case "BertPreTokenizer" -> new Sequence(List.of(spaces,
                            new Characters(CharacterTables::isPunctuation, SplitBehavior.ISOLATED)));
                    default -> new Whitespace();
                };
            }
            default -> throw json.unsupported("the pre-tokenizer " + type);
        };
    }

    private static PreTokenizer sequence(List<Json> items) {
        List<PreTokenizer> parts = new ArrayList<>();
        for (Json item : items) {
            PreTokenizer part = parse(item);
            parts.addAll(part instanceof Sequence(List<PreTokenizer> inner) ? inner : List.of(part));
        }
        for (int i = 0; i + 1 < parts.size(); i++) {
            if (parts.get(i) instanceof ByteLevel(boolean prefix, boolean regex, boolean spell)) {
                parts.set(i, new ByteLevel(prefix, regex, true));
            }
        }
        return new Sequence(List.copyOf(parts));
    }

    private static PreTokenizer split(Json json) {
        TextPattern pattern = TextPattern.parse(json.get("pattern"));
        SplitBehavior behavior = SplitBehavior.parse(json.get("behavior"));
        boolean invert = json.get("invert").bool();
        // Words match all text: where they are not the delimiters, or are kept one by one, there is nothing else to pass on.
        return pattern instanceof TextPattern.Words(WordPattern words)
                && (behavior == SplitBehavior.ISOLATED || behavior == SplitBehavior.REMOVED && invert)
                        ? new Words(words)
                        : new Split(pattern, behavior, invert);
    }

    static Metaspace metaspace(Json json) {
        json.only("type", "replacement", "prepend_scheme", "add_prefix_space", "split", "str_rep");
        Json replacement = json.get("replacement");
        replacement.codePoint();
        Metaspace.Prepend prepend = json.find("prepend_scheme").map(scheme -> switch (scheme.string()) {
            case "always" -> Metaspace.Prepend.ALWAYS;
            case "first" -> Metaspace.Prepend.FIRST;
            case "never" -> Metaspace.Prepend.NEVER;
            default -> throw scheme.expected("always, first or never");
        }).orElse(Metaspace.Prepend.ALWAYS);
        // Files older than prepend_scheme say with add_prefix_space whether there is one.
        if (!json.bool("add_prefix_space", true)) {
            if (json.find("prepend_scheme").isPresent() && prepend != Metaspace.Prepend.NEVER) {
                throw json.get("add_prefix_space").expected("what prepend_scheme says");
            }
            prepend = Metaspace.Prepend.NEVER;
        }
        return new Metaspace(replacement.string(), prepend, json.bool("split", true));
    }
}
