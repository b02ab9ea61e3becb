package org.spin4j.tokenizer;

import java.util.BitSet;
import java.util.List;

/** Finds added tokens in text: at each place the longest, from left to right. A trie over the characters of their spellings. */
final class AddedTokens {
    /** Receives the text in order: stretches without an added token, and the tokens between them. */
    interface Sink {
        void text(NormalizedText text);

        void token(int id, NormalizedText text, int start, int end);
    }

    private final List<AddedToken> tokens;
    /** (node, character) to node; the root is 0. */
    private final PairTable edges;
    /** Per node, one more than the index of the token that ends there, or 0. */
    private final Ints ends = new Ints();
    /** The characters that tokens begin with. */
    private final BitSet firsts = new BitSet();

    /**
     * Makes the trie.
     *
     * @param tokens the tokens to find
     * @param normalizer what to do to their spellings first
     */
    AddedTokens(List<AddedToken> tokens, Normalizer normalizer) {
        this.tokens = List.copyOf(tokens);
        edges = new PairTable(tokens.size() * 4);
        int[] endOf = new int[tokens.size()];
        int nodes = 1;
        for (int t = 0; t < tokens.size(); t++) {
            String spelling = normalizer.apply(NormalizedText.of(tokens.get(t).content(), false)).text();
            int node = 0;
            if (!spelling.isEmpty()) {
                firsts.set(spelling.charAt(0));
            }
            for (int i = 0; i < spelling.length(); i++) {
                long child = edges.get(node, spelling.charAt(i));
                if (child < 0) {
                    child = nodes++;
                    edges.put(node, spelling.charAt(i), child);
                }
                node = (int) child;
            }
            endOf[t] = node;
        }
        int[] byNode = new int[nodes];
        for (int t = 0; t < endOf.length; t++) {
            byNode[endOf[t]] = t + 1;
        }
        byNode[0] = 0;
        ends.addAll(byNode);
    }

    /**
     * Cuts the text; special tokens stay text unless {@code parseSpecial}. White space that a token takes along may hold another token,
     * which then comes as well: so does Hugging Face.
     */
    void split(NormalizedText whole, boolean parseSpecial, Sink sink) {
        String text = whole.text();
        int done = 0;
        int pos = tokens.isEmpty() ? text.length() : 0;
        while (pos < text.length()) {
            if (!firsts.get(text.charAt(pos))) {
                pos++;
                continue;
            }
            long match = longestAt(text, pos);
            if (match < 0) {
                pos++;
                continue;
            }
            AddedToken token = tokens.get((int) match);
            int start = pos;
            int stop = (int) (match >>> 32);
            pos = stop;
            if (token.special() && !parseSpecial || token.singleWord() && touchesWord(text, start, stop)) {
                continue;
            }
            if (token.lstrip()) {
                while (start > done && WordPattern.isSpace(text.charAt(start - 1))) {
                    start--;
                }
                start = Math.max(start, done);
                stop = Math.max(stop, start);
            }
            if (token.rstrip()) {
                while (stop < text.length() && WordPattern.isSpace(text.charAt(stop))) {
                    stop++;
                }
            }
            if (done < start) {
                sink.text(whole.slice(done, start));
            }
            sink.token(token.id(), whole, start, stop);
            done = stop;
        }
        if (done < text.length()) {
            sink.text(whole.slice(done, text.length()));
        }
    }

    /** The longest token at a place as {@code end << 32 | index}, or -1. */
    private long longestAt(String text, int pos) {
        long best = -1;
        int node = 0;
        for (int i = pos; i < text.length(); i++) {
            long child = edges.get(node, text.charAt(i));
            if (child < 0) {
                break;
            }
            node = (int) child;
            if (ends.get(node) > 0) {
                best = (i + 1L) << 32 | (ends.get(node) - 1);
            }
        }
        return best;
    }

    private static boolean touchesWord(String text, int start, int stop) {
        return start > 0 && CharacterTables.isWord(text.codePointBefore(start))
                || stop < text.length() && CharacterTables.isWord(text.codePointAt(stop));
    }
}
