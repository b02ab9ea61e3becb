package org.spin4j.tokenizer;

import java.util.Map;
import java.util.function.IntPredicate;

/** Each piece is a token or unknown. */
final class WordLevel implements Model {
    private final Map<String, Integer> vocab;
    /** The tokens that text may become. */
    private final Map<String, Integer> found;
    private final int unkId;

    private WordLevel(Map<String, Integer> vocab, Map<String, Integer> found, int unkId) {
        this.vocab = vocab;
        this.found = found;
        this.unkId = unkId;
    }

    static WordLevel parse(Json json) {
        json.only("type", "vocab", "unk_token");
        Map<String, Integer> vocab = Model.vocab(json.get("vocab"));
        return new WordLevel(vocab, vocab, Model.unknown(json.get("unk_token"), vocab));
    }

    @Override
    public Map<String, Integer> vocab() {
        return vocab;
    }

    @Override
    public Model without(IntPredicate special) {
        return new WordLevel(vocab, Model.without(vocab, special), unkId);
    }

    @Override
    public void encode(String text, int start, int end, Ints out) {
        out.add(found.getOrDefault(text.substring(start, end), unkId));
    }

    @Override
    public void encode(String text, int start, int end, Ints out, Ints spans) {
        encode(text, start, end, out);
        spans.add(0);
        spans.add(BpeSpans.utf8Length(text, start, end));
    }
}
