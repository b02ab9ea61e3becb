package org.spin4j.tokenizer;

import java.util.Map;

/** Each piece is a token or unknown. */
final class WordLevel implements Model {
    private final Map<String, Integer> vocab;
    private final int unkId;

    private WordLevel(Map<String, Integer> vocab, int unkId) {
        this.vocab = vocab;
        this.unkId = unkId;
    }

    static WordLevel parse(Json json) {
        json.only("type", "vocab", "unk_token");
        Map<String, Integer> vocab = Model.vocab(json.get("vocab"));
        return new WordLevel(vocab, Model.unknown(json.get("unk_token"), vocab));
    }

    @Override
    public Map<String, Integer> vocab() {
        return vocab;
    }

    @Override
    public void encode(String text, int start, int end, Ints out) {
        out.add(vocab.getOrDefault(text.substring(start, end), unkId));
    }

    @Override
    public void encode(String text, int start, int end, Ints out, Ints spans) {
        encode(text, start, end, out);
        spans.add(0);
        spans.add(BpeSpans.utf8Length(text, start, end));
    }
}
