package org.spin4j.tokenizer;

import java.util.Map;
import java.util.function.IntPredicate;

/**
 * BERT's way of cutting a word (Schuster and Nakajima 2012): the longest token that the word starts with, then the longest that goes on
 * from there, spelled with a prefix such as {@code ##}. A word that cannot be cut to its end is one unknown token.
 */
final class WordPiece implements Model {
    /** Cutting takes up to the cube of this. */
    private static final int MAX_WORD = 1000;

    private final Map<String, Integer> vocab;
    /** The tokens that text may become. */
    private final Map<String, Integer> found;
    private final int unkId;
    private final String prefix;
    private final int maxChars;
    /** The most characters of text that a token stands for: no longer stretch need be sought. */
    private final int longest;

    private WordPiece(Map<String, Integer> vocab, Map<String, Integer> found, int unkId, String prefix, int maxChars) {
        this.vocab = vocab;
        this.found = found;
        this.unkId = unkId;
        this.prefix = prefix;
        this.maxChars = maxChars;
        longest = Math.min(2 * maxChars, vocab.keySet().stream().mapToInt(String::length).max().orElse(0));
    }

    static WordPiece parse(Json json) {
        json.only("type", "vocab", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word");
        Map<String, Integer> vocab = Model.vocab(json.get("vocab"));
        return new WordPiece(vocab, vocab, Model.unknown(json.get("unk_token"), vocab),
                json.find("continuing_subword_prefix").map(Json::string).orElse("##"),
                json.find("max_input_chars_per_word").map(max -> max.integer(0, MAX_WORD)).orElse(100));
    }

    @Override
    public Map<String, Integer> vocab() {
        return vocab;
    }

    @Override
    public Model without(IntPredicate special) {
        return new WordPiece(vocab, Model.without(vocab, special), unkId, prefix, maxChars);
    }

    @Override
    public void encode(String text, int start, int end, Ints out) {
        encode(text, start, end, out, new Ints());
    }

    @Override
    public void encode(String text, int start, int end, Ints out, Ints spans) {
        Ints ids = new Ints();
        Ints stops = new Ints();
        int pos = text.codePointCount(start, end) > maxChars ? -1 : start;
        while (pos >= 0 && pos < end) {
            pos = longestAt(text, pos, end, pos > start, ids);
            stops.add(pos);
        }
        if (pos < 0) {
            out.add(unkId);
            spans.add(0);
            spans.add(BpeSpans.utf8Length(text, start, end));
            return;
        }
        out.addAll(ids.toArray());
        int from = start;
        int bytes = 0;
        for (int i = 0; i < stops.size(); i++) {
            spans.add(bytes);
            bytes += BpeSpans.utf8Length(text, from, stops.get(i));
            spans.add(bytes);
            from = stops.get(i);
        }
    }

    /** Adds the longest token at a place and returns where it ends, or -1 where there is none. */
    private int longestAt(String text, int pos, int end, boolean goesOn, Ints ids) {
        for (int stop = Math.min(end, pos + longest); stop > pos; stop--) {
            String part = text.substring(pos, stop);
            Integer id = found.get(goesOn ? prefix + part : part);
            if (id != null) {
                ids.add(id);
                return stop;
            }
        }
        return -1;
    }
}
