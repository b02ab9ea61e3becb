package org.spin4j.tokenizer;

import java.util.List;

/** What a file does to the spellings of tokens to make text of them; {@link TokenStream} carries it out. */
sealed interface Decoder {
    /** No decoder: the spellings with a space between two. */
    record None() implements Decoder {}

    /** Characters of the byte alphabet back to bytes, bytes to text. */
    record ByteLevel() implements Decoder {}

    /** Replaces each occurrence of a literal in a token. */
    record Replace(String pattern, String content) implements Decoder {}

    /** Tokens such as {@code <0x0A>} to bytes; a run of them that is not UTF-8 becomes as many U+FFFD. */
    record ByteFallback() implements Decoder {}

    /** From here on, all tokens are one. */
    record Fuse() implements Decoder {}

    /** Takes a character off the start and the end of a token, so many times at most. */
    record Strip(char content, int start, int stop) implements Decoder {}

    /** One after the other. */
    record Sequence(List<Decoder> parts) implements Decoder {}

    static Decoder parse(Json json) {
        String type = json.get("type").string();
        return switch (type) {
            case "ByteLevel" -> {
                json.only("type", "add_prefix_space", "trim_offsets", "use_regex");
                yield new ByteLevel();
            }
            case "Replace" -> {
                json.only("type", "pattern", "content");
                yield new Replace(Normalizer.literal(json.get("pattern")), Normalizer.content(json.get("content")));
            }
            case "ByteFallback" -> {
                json.only("type");
                yield new ByteFallback();
            }
            case "Fuse" -> {
                json.only("type");
                yield new Fuse();
            }
            case "Strip" -> {
                Json content = json.only("type", "content", "start", "stop").get("content");
                if (content.string().length() != 1) {
                    throw content.expected("one character");
                }
                yield new Strip(content.string().charAt(0), json.get("start").integer(0, 1 << 20),
                        json.get("stop").integer(0, 1 << 20));
            }
            case "Sequence" -> sequence(json.only("type", "decoders").get("decoders").items());
            default -> throw json.unsupported("the decoder " + type);
        };
    }

    private static Decoder sequence(List<Json> items) {
        boolean fused = false;
        for (Json item : items) {
            String type = item.get("type").string();
            // Once tokens are one, text comes out as it goes in; a step that must see all of it at once could not be streamed.
            if (fused && !type.equals("Strip") && !type.equals("Fuse") || type.equals("Sequence")) {
                throw item.unsupported("the decoder " + type + " in this place");
            }
            fused |= type.equals("Fuse") || type.equals("ByteLevel");
        }
        return new Sequence(items.stream().map(Decoder::parse).toList());
    }
}
