package org.spin4j.tokenizer;

import java.util.ArrayList;
import java.util.List;

/** What a file does to the spellings of tokens to make text of them; {@link DecoderStage} carries it out. */
sealed interface Decoder {
    /** No decoder: the spellings with a space between two. */
    record None() implements Decoder {}

    /** Characters of the byte alphabet back to bytes, bytes to text. */
    record ByteLevel() implements Decoder {}

    /** Replaces each match in a token. */
    record Replace(TextPattern pattern, String content) implements Decoder {}

    /** Tokens such as {@code <0x0A>} to bytes; a run of them that is not UTF-8 becomes as many U+FFFD. */
    record ByteFallback() implements Decoder {}

    /** From here on, all tokens are one. */
    record Fuse() implements Decoder {}

    /** Takes a character off the start and the end of a token, so many times at most. */
    record Strip(char content, int start, int stop) implements Decoder {}

    /** The visible character back to spaces; the first token loses it if encoding puts one there. */
    record Metaspace(String replacement, boolean first) implements Decoder {}

    /** A space before each token but the first, unless it has the prefix of one that goes on, which it loses. */
    record WordPiece(String prefix, boolean cleanup) implements Decoder {}

    /** The mark of a word's end to a space, at the end of the text to nothing. */
    record WordEnd(String suffix) implements Decoder {}

    /** Speech: a token said twice is one, padding between is nothing. */
    record Ctc(String pad, String delimiter, boolean cleanup) implements Decoder {}

    /** One after the other, none of them a sequence. */
    record Sequence(List<Decoder> parts) implements Decoder {}

    /** The steps in order. */
    default List<Decoder> steps() {
        return this instanceof Sequence(List<Decoder> parts) ? parts : List.of(this);
    }

    static Decoder parse(Json json) {
        List<Decoder> steps = new ArrayList<>();
        add(json, steps);
        return steps.size() == 1 ? steps.getFirst() : new Sequence(List.copyOf(steps));
    }

    private static void add(Json json, List<Decoder> steps) {
        if (json.get("type").string().equals("Sequence")) {
            json.only("type", "decoders").get("decoders").items().forEach(item -> add(item, steps));
            return;
        }
        boolean fused = steps.stream().anyMatch(step -> step instanceof Fuse || step instanceof ByteLevel);
        Decoder step = one(json);
        if (fused && !streams(step)) {
            throw json.unsupported("the decoder " + json.get("type").string() + " in this place");
        }
        steps.add(step);
    }

    /** Whether the step can follow once all tokens are one, and text comes out as it goes in, though it has not seen the end of it. */
    private static boolean streams(Decoder step) {
        return switch (step) {
            case Strip strip -> true;
            case Fuse fuse -> true;
            case Metaspace metaspace -> true;
            case WordEnd end -> true;
            case WordPiece(String prefix, boolean cleanup) -> !cleanup;
            case Replace(TextPattern pattern, String content) -> pattern instanceof TextPattern.Literal;
            case None none -> false;
            case ByteLevel level -> false;
            case ByteFallback fallback -> false;
            case Ctc ctc -> false;
            case Sequence sequence -> false;
        };
    }

    private static Decoder one(Json json) {
        String type = json.get("type").string();
        return switch (type) {
            case "ByteLevel" -> {
                json.only("type", "add_prefix_space", "trim_offsets", "use_regex");
                yield new ByteLevel();
            }
            case "Replace" -> {
                json.only("type", "pattern", "content");
                yield new Replace(TextPattern.parse(json.get("pattern")), Normalizer.content(json.get("content")));
            }
            case "ByteFallback", "Fuse" -> {
                json.only("type");
                yield type.equals("Fuse") ? new Fuse() : new ByteFallback();
            }
            case "Strip" -> {
                Json content = json.only("type", "content", "start", "stop").get("content");
                if (Character.charCount(content.codePoint()) != 1) {
                    throw content.expected("one character of the basic plane");
                }
                yield new Strip(content.string().charAt(0), json.get("start").integer(0, 1 << 20),
                        json.get("stop").integer(0, 1 << 20));
            }
            case "Metaspace" -> {
                PreTokenizer.Metaspace metaspace = PreTokenizer.metaspace(json);
                yield new Metaspace(metaspace.replacement(),
                        metaspace.prepend() != PreTokenizer.Metaspace.Prepend.NEVER);
            }
            case "WordPiece" -> {
                json.only("type", "prefix", "cleanup");
                yield new WordPiece(json.get("prefix").string(), json.get("cleanup").bool());
            }
            case "BPEDecoder" -> {
                Json suffix = json.only("type", "suffix").get("suffix");
                if (suffix.string().isEmpty()) {
                    throw suffix.expected("a string that is not empty");
                }
                yield new WordEnd(suffix.string());
            }
            case "CTC" -> {
                json.only("type", "pad_token", "word_delimiter_token", "cleanup");
                yield new Ctc(json.get("pad_token").string(), json.get("word_delimiter_token").string(),
                        json.get("cleanup").bool());
            }
            default -> throw json.unsupported("the decoder " + type);
        };
    }
}
