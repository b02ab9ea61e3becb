package org.spin4j.tokenizer;

import java.util.HashMap;
import java.util.Map;

/**
 * Which bytes of a word each token of a BPE stands for, as Hugging Face counts them: symbols follow each other from the start of the word,
 * a symbol that is a token's has its length, and what became no token at all has none.
 *
 * @param vocab every token with its id
 * @param spellings every token's spelling by id
 * @param unkId the unknown token, -1 for none
 * @param fuseUnk one unknown token for unknown characters that touch
 * @param fallback the tokens {@code <0x00>} to {@code <0xFF>} for the bytes of unknown characters; null for none
 */
record BpeSpans(Map<String, Integer> vocab, Map<Integer, String> spellings, int unkId, boolean fuseUnk,
        int[] fallback) {
    static BpeSpans of(Map<String, Integer> vocab, int unkId, boolean fuseUnk, int[] fallback) {
        Map<Integer, String> spellings = HashMap.newHashMap(vocab.size());
        vocab.forEach((token, id) -> spellings.put(id, token));
        return new BpeSpans(vocab, spellings, unkId, fuseUnk, fallback);
    }

    /**
     * Appends the start and end of each token.
     *
     * @param word what the model has merged, bytes spelled
     * @param ids its tokens
     */
    void add(String word, int[] ids, Ints spans) {
        if (ids.length == 1 && vocab.getOrDefault(word, -1) == ids[0]) {
            spans.add(0);
            spans.add(utf8Length(word, 0, word.length()));
            return;
        }
        if (spelled(word, ids)) {
            int end = 0;
            for (int id : ids) {
                spans.add(end);
                end += utf8Length(spellings.get(id), 0, spellings.get(id).length());
                spans.add(end);
            }
            return;
        }
        Ints symbols = new Ints();
        Ints lengths = new Ints();
        symbols(word, symbols, lengths);
        int symbol = 0;
        int end = 0;
        for (int id : ids) {
            int start = end;
            // A token that was merged is spelled as its symbols are, one after the other.
            int spelled = 0;
            int wanted = spellings.get(id).length();
            do {
                spelled += spellings.get(symbols.get(symbol)).length();
                end += lengths.get(symbol++);
            } while (spelled < wanted && symbol < symbols.size());
            spans.add(start);
            spans.add(end);
        }
    }

    /** Whether the tokens' spellings make up the word, so that no symbol is unknown. */
    private boolean spelled(String word, int[] ids) {
        int at = 0;
        for (int id : ids) {
            if (!word.startsWith(spellings.get(id), at)) {
                return false;
            }
            at += spellings.get(id).length();
        }
        return at == word.length();
    }

    private void symbols(String word, Ints symbols, Ints lengths) {
        int unknown = 0;
        for (int i = 0; i < word.length();) {
            String c = Character.toString(word.codePointAt(i));
            i += c.length();
            int length = utf8Length(c, 0, c.length());
            Integer id = vocab.get(c);
            if (id != null) {
                if (unknown > 0) {
                    symbols.add(unkId);
                    lengths.add(unknown);
                    unknown = 0;
                }
                symbols.add(id);
                lengths.add(length);
            } else if (!addBytes(c, symbols, lengths) && unkId >= 0) {
                if (unknown > 0 && !fuseUnk) {
                    symbols.add(unkId);
                    lengths.add(unknown);
                    unknown = 0;
                }
                unknown += length;
            }
        }
        if (unknown > 0) {
            symbols.add(unkId);
            lengths.add(unknown);
        }
    }

    private boolean addBytes(String c, Ints symbols, Ints lengths) {
        int before = symbols.size();
        if (fallback == null || !Model.addBytes(c, fallback, symbols)) {
            return false;
        }
        for (int i = before; i < symbols.size(); i++) {
            lengths.add(1);
        }
        return true;
    }

    static int utf8Length(String text, int start, int end) {
        int length = 0;
        for (int i = start; i < end; i++) {
            char c = text.charAt(i);
            // A pair of surrogates is four bytes.
            length += c < 0x80 ? 1 : c < 0x800 || Character.isSurrogate(c) ? 2 : 3;
        }
        return length;
    }
}
