package org.spin4j.tokenizer;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;

/**
 * The unigram language model (Kudo 2018): each token has a log-probability, and a piece is cut where the sum is largest (Viterbi). A
 * character that is no token costs ten more than the worst token; of two paths with one sum, the one found first stays, which begins
 * its last token earlier. A run of unknown characters is one unknown token, or its bytes.
 */
final class Unigram implements Model {
    private static final double UNKNOWN_PENALTY = 10;
    /** SentencePiece makes pieces of 16 characters; the bound keeps a file from making the search as slow as it likes. */
    private static final int MAX_TOKEN = 1024;

    private final Map<String, Integer> vocab;
    /** The tokens that text may become. */
    private final Map<String, Integer> found;
    private final Trie trie;
    private final double[] scores;
    private final double unknownScore;
    /** -1 where the file names none. */
    private final int unkId;
    /** Ids of {@code <0x00>} to {@code <0xFF>}, -1 where there is none; null without byte fallback. */
    private final int[] fallback;

    private Unigram(Map<String, Integer> vocab, Map<String, Integer> found, double[] scores, int unkId,
            int[] fallback) {
        this.vocab = vocab;
        this.found = found;
        this.scores = scores;
        this.unkId = unkId;
        this.fallback = fallback;
        trie = new Trie(found);
        unknownScore = Arrays.stream(scores).min().orElse(0) - UNKNOWN_PENALTY;
    }

    static Unigram parse(Json json) {
        json.only("type", "unk_id", "vocab", "byte_fallback");
        List<Json> rows = json.get("vocab").items();
        if (rows.size() > MAX_ID) {
            throw json.get("vocab").expected("at most " + MAX_ID + " tokens");
        }
        Map<String, Integer> vocab = HashMap.newHashMap(rows.size());
        double[] scores = new double[rows.size()];
        for (Json row : rows) {
            List<Json> pair = row.items();
            if (pair.size() != 2) {
                throw row.expected("a token and its score");
            }
            String token = Model.token(pair.getFirst());
            if (token.length() > MAX_TOKEN) {
                throw pair.getFirst().expected("at most " + MAX_TOKEN + " characters");
            }
            scores[vocab.size()] = pair.getLast().number();
            if (vocab.putIfAbsent(token, vocab.size()) != null) {
                throw pair.getFirst().expected("a token that is listed once");
            }
        }
        int unkId = json.find("unk_id").map(id -> id.integer(0, scores.length - 1)).orElse(-1);
        return new Unigram(vocab, vocab, scores, unkId,
                json.bool("byte_fallback", false) ? Model.byteTokens(vocab) : null);
    }

    @Override
    public Map<String, Integer> vocab() {
        return vocab;
    }

    @Override
    public Model without(IntPredicate special) {
        Map<String, Integer> others = Model.without(vocab, special);
        return others.size() == vocab.size() ? this : new Unigram(vocab, others, scores, unkId, fallback);
    }

    @Override
    public void encode(String text, int start, int end, Ints out) {
        encode(text, start, end, out, new Ints());
    }

    @Override
    public void encode(String text, int start, int end, Ints out, Ints spans) {
        int n = end - start;
        // For each place the best way to get there: its sum, and the place and the id of its last token.
        double[] best = new double[n + 1];
        int[] from = new int[n + 1];
        int[] ids = new int[n + 1];
        Arrays.fill(from, -1);
        int width;
        for (int pos = 0; pos < n; pos += width) {
            width = Character.charCount(text.codePointAt(start + pos));
            boolean single = false;
            int node = Trie.ROOT;
            for (int stop = pos; stop < n;) {
                node = trie.child(node, text.charAt(start + stop++));
                if (node < 0) {
                    break;
                }
                int id = trie.value(node);
                if (id >= 0) {
                    single |= stop - pos == width;
                    offer(best[pos] + scores[id], pos, id, stop, best, from, ids);
                }
            }
            if (!single) {
                offer(best[pos] + unknownScore, pos, unkId, pos + width, best, from, ids);
            }
        }
        write(text, start, from, ids, out, spans);
    }

    private static void offer(double sum, int pos, int id, int stop, double[] best, int[] from, int[] ids) {
        if (from[stop] < 0 || sum > best[stop]) {
            best[stop] = sum;
            from[stop] = pos;
            ids[stop] = id;
        }
    }

    /** Follows the best path from its end, then writes its tokens in order. */
    private void write(String text, int start, int[] from, int[] ids, Ints out, Ints spans) {
        int[] next = new int[from.length];
        for (int pos = from.length - 1; pos > 0; pos = from[pos]) {
            next[from[pos]] = pos;
        }
        int bytes = 0;
        for (int pos = 0; pos < from.length - 1;) {
            int stop = next[pos];
            int before = out.size();
            if (ids[stop] != unkId) {
                out.add(ids[stop]);
            } else {
                while (stop < from.length - 1 && ids[next[stop]] == unkId) {
                    stop = next[stop];
                }
                unknown(text.substring(start + pos, start + stop), out);
            }
            int begun = bytes;
            bytes += BpeSpans.utf8Length(text, start + pos, start + stop);
            // Each of the bytes that unknown characters became stands for all of them.
            for (int i = before; i < out.size(); i++) {
                spans.add(begun);
                spans.add(bytes);
            }
            pos = stop;
        }
    }

    private void unknown(String run, Ints out) {
        Integer whole = found.get(run);
        if (whole != null) {
            out.add(whole);
        } else if (fallback == null || !Model.addBytes(run, fallback, out)) {
            if (unkId < 0) {
                throw new TokenizerException("expected text that the vocabulary covers, found \"" + run
                        + "\" and no unknown token for it; use another tokenizer");
            }
            out.add(unkId);
        }
    }
}
