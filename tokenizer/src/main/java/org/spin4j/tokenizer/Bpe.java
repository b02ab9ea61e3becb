package org.spin4j.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;

/**
 * Byte-pair encoding (Sennrich et al. 2016): a word starts as its characters, and the pair of neighbours that was learned first is
 * merged, the leftmost first, until no pair is known. A word of n characters takes O(n log n).
 */
final class Bpe implements Model {
    private static final int CACHE_SLOTS = 1 << 15;
    private static final int CACHED_LENGTH = 48;

    /** A word met before. Its fields are final, so that threads may exchange it through a plain array. */
    private static final class Entry {
        private final String word;
        private final int[] ids;

        Entry(String word, int[] ids) {
            this.word = word;
            this.ids = ids;
        }
    }

    private final Map<String, Integer> vocab;
    private final PairTable merges;
    private final boolean spellBytes;
    private final boolean ignoreMerges;
    private final boolean fuseUnk;
    private final int unkId;
    /** Ids of single characters, keyed by (0, code point). */
    private final PairTable chars = new PairTable(1024);
    /** Ids of {@code <0x00>} to {@code <0xFF>}, -1 where there is none; null without byte fallback. */
    private final int[] fallback;
    /** Made when offsets are first asked for. */
    private volatile BpeSpans spans;
    private final Entry[] cache = new Entry[CACHE_SLOTS];

    private Bpe(Map<String, Integer> vocab, PairTable merges, boolean spellBytes, Json json) {
        this.vocab = vocab;
        this.merges = merges;
        this.spellBytes = spellBytes;
        ignoreMerges = json.bool("ignore_merges", false);
        fuseUnk = json.bool("fuse_unk", false);
        unkId = json.find("unk_token").map(unk -> Model.unknown(unk, vocab)).orElse(-1);
        vocab.forEach((token, id) -> {
            if (!token.isEmpty() && token.length() == Character.charCount(token.codePointAt(0))) {
                chars.put(0, token.codePointAt(0), id);
            }
        });
        fallback = json.bool("byte_fallback", false) ? Model.byteTokens(vocab) : null;
    }

    /**
     * Reads the model of a tokenizer.json.
     *
     * @param spellBytes whether words reach the model as bytes, in the byte alphabet
     */
    static Bpe parse(Json json, boolean spellBytes) {
        json.only("type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk",
                "byte_fallback", "ignore_merges",
                "vocab", "merges");
        for (String affix : new String[]{"continuing_subword_prefix", "end_of_word_suffix"}) {
            if (json.find(affix).filter(value -> !value.string().isEmpty()).isPresent()) {
                throw json.unsupported("a " + affix);
            }
        }
        if (json.find("dropout").filter(value -> !value.node().isNumber() || value.node().doubleValue() != 0)
                .isPresent()) {
            throw json.unsupported("dropout, which makes ids random,");
        }
        Map<String, Integer> vocab = Model.vocab(json.get("vocab"));
        return new Bpe(vocab, merges(json.get("merges"), vocab), spellBytes, json);
    }

    private static PairTable merges(Json json, Map<String, Integer> vocab) {
        JsonNode rows = json.node();
        if (!rows.isArray()) {
            throw json.expected("an array");
        }
        PairTable merges = new PairTable(rows.size());
        for (int rank = 0; rank < rows.size(); rank++) {
            JsonNode row = rows.get(rank);
            String left = null;
            String right = null;
            if (row.isTextual()) {
                int space = row.textValue().indexOf(' ');
                if (space > 0 && space == row.textValue().lastIndexOf(' ')) {
                    left = row.textValue().substring(0, space);
                    right = row.textValue().substring(space + 1);
                }
            } else if (row.isArray() && row.size() == 2) {
                left = row.get(0).textValue();
                right = row.get(1).textValue();
            }
            // An empty side would merge a token with nothing for ever.
            if (left == null || right == null || left.isEmpty() || right.isEmpty()) {
                throw new Json(row, json.file(), json.path() + "[" + rank + "]")
                        .expected("two tokens, as \"a b\" or [\"a\", \"b\"],");
            }
            Integer a = vocab.get(left);
            Integer b = vocab.get(right);
            Integer merged = vocab.get(left + right);
            if (a == null || b == null || merged == null) {
                throw new Json(row, json.file(), json.path() + "[" + rank + "]")
                        .expected("two tokens that are in the vocabulary, joined as well,");
            }
            merges.put(a, b, (long) rank << 32 | merged);
        }
        return merges;
    }

    @Override
    public Map<String, Integer> vocab() {
        return vocab;
    }

    @Override
    public void encode(String text, int start, int end, Ints out) {
        int length = end - start;
        if (length > CACHED_LENGTH) {
            merge(spell(text, start, end), out);
            return;
        }
        int hash = 0;
        for (int i = start; i < end; i++) {
            hash = 31 * hash + text.charAt(i);
        }
        int slot = (hash * 0x9E3779B9) >>> 17;
        Entry entry = cache[slot];
        if (entry == null || entry.word.length() != length || !text.startsWith(entry.word, start)) {
            Ints ids = new Ints();
            merge(spell(text, start, end), ids);
            entry = new Entry(text.substring(start, end), ids.toArray());
            cache[slot] = entry;
        }
        out.addAll(entry.ids);
    }

    @Override
    public void encode(String text, int start, int end, Ints out, Ints places) {
        Ints ids = new Ints();
        encode(text, start, end, ids);
        out.addAll(ids.toArray());
        if (spans == null) {
            spans = BpeSpans.of(vocab, unkId, fuseUnk, fallback);
        }
        spans.add(spell(text, start, end), ids.toArray(), places);
    }

    private String spell(String text, int start, int end) {
        return spellBytes ? ByteAlphabet.spell(text, start, end) : text.substring(start, end);
    }

    private void merge(String word, Ints out) {
        if (ignoreMerges) {
            Integer whole = vocab.get(word);
            if (whole != null) {
                out.add(whole);
                return;
            }
        }
        int[] ids = symbols(word).toArray();
        int n = ids.length;
        int[] previous = new int[n];
        int[] next = new int[n];
        MergeQueue queue = new MergeQueue(n);
        for (int i = 0; i < n; i++) {
            previous[i] = i - 1;
            next[i] = i + 1;
            if (i + 1 < n) {
                offer(queue, ids[i], ids[i + 1], i);
            }
        }
        while (!queue.isEmpty()) {
            long entry = queue.poll();
            int at = (int) entry;
            int right = ids[at] < 0 ? n : next[at];
            if (right == n) {
                continue;
            }
            // The neighbours may have been merged away since the entry was made.
            long merge = merges.get(ids[at], ids[right]);
            if (merge < 0 || merge >>> 32 != entry >>> 32) {
                continue;
            }
            ids[at] = (int) merge;
            ids[right] = -1;
            next[at] = next[right];
            if (next[at] < n) {
                previous[next[at]] = at;
                offer(queue, ids[at], ids[next[at]], at);
            }
            if (previous[at] >= 0) {
                offer(queue, ids[previous[at]], ids[at], previous[at]);
            }
        }
        for (int i = 0; i < n; i = next[i]) {
            out.add(ids[i]);
        }
    }

    private void offer(MergeQueue queue, int left, int right, int at) {
        long merge = merges.get(left, right);
        if (merge >= 0) {
            queue.add(merge >>> 32 << 32 | at);
        }
    }

    /** The ids of the word's characters; one that has none becomes its bytes, or the unknown token, or, as in Hugging Face, nothing. */
    private Ints symbols(String word) {
        Ints ids = new Ints();
        boolean unknown = false;
        for (int i = 0; i < word.length();) {
            int c = word.codePointAt(i);
            i += Character.charCount(c);
            long id = chars.get(0, c);
            if (id >= 0) {
                // An unknown token is written only here, after bytes that followed it: so does Hugging Face.
                if (unknown) {
                    ids.add(unkId);
                    unknown = false;
                }
                ids.add((int) id);
            } else if (!(fallback != null && Model.addBytes(Character.toString(c), fallback, ids)) && unkId >= 0) {
                if (unknown && !fuseUnk) {
                    ids.add(unkId);
                }
                unknown = true;
            }
        }
        if (unknown) {
            ids.add(unkId);
        }
        return ids;
    }
}
