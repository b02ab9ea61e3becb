package org.spin4j.tokenizer;

import com.fasterxml.jackson.core.JsonToken;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;

/**
 * Byte-pair encoding (Sennrich et al. 2016): a word starts as its characters, and the pair of neighbours that was learned first is
 * merged, the leftmost first, until no pair is known. A word of n characters takes O(n log n).
 */
final class Bpe implements Model {
    /** Up to here, looking through all pairs for the next merge is faster than a queue. */
    private static final int SHORT = 32;
    /** What {@link PairTable} answers where there is no merge, made larger than every rank. */
    private static final long NO_MERGE = Long.MAX_VALUE;

    /** What SentencePiece writes for a space. */
    private static final char SPACE_MARK = '\u2581';

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
    /** Ids of the bytes where words are spelled in bytes and every byte has one, otherwise null. */
    private final int[] byteIds;
    /** The merges of two bytes, by the first times 256 plus the second: most look-ups of a new word, in little memory. */
    private final long[] bytePairs;
    /**
     * Whether a text can be cut before every space mark that follows another character, and each part merged by itself: no token reaches
     * across, and the mark is one itself. Texts that no pre-tokenizer cuts, such as Llama 2's, are then words that may be known.
     */
    private final boolean cutsBeforeMarks;
    private final WordCache cache = new WordCache();

    private Bpe(Map<String, Integer> vocab, PairTable merges, long[] bytePairs, boolean spellBytes, Json json) {
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
        cutsBeforeMarks = !spellBytes && !ignoreMerges && chars.get(0, SPACE_MARK) >= 0
                && vocab.keySet().stream().allMatch(token -> wordEnd(token, 0, token.length()) == token.length());
        byteIds = spellBytes ? byteIds(chars) : null;
        this.bytePairs = bytePairs;
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
        long[] bytePairs = new long[1 << 16];
        Arrays.fill(bytePairs, NO_MERGE);
        return new Bpe(vocab, merges(json.get("merges"), vocab, bytePairs), bytePairs, spellBytes, json);
    }

    private static PairTable merges(Json json, Map<String, Integer> vocab, long[] bytePairs) {
        PairTable merges = new PairTable(vocab.size());
        TokenIds ids = new TokenIds(vocab);
        int[] count = {0};
        json.elements((none, in) -> {
            int rank = count[0]++;
            String left = "";
            String right = "";
            int leftEnd = 0;
            int rightStart = 0;
            if (in.currentToken() == JsonToken.VALUE_STRING) {
                left = in.getText();
                right = left;
                leftEnd = Math.max(0, left.indexOf(' '));
                // Two spaces would leave it open where the one token ends.
                rightStart = left.indexOf(' ', leftEnd + 1) < 0 ? leftEnd + 1 : right.length();
            } else if (in.currentToken() == JsonToken.START_ARRAY && in.nextToken() == JsonToken.VALUE_STRING) {
                left = in.getText();
                leftEnd = left.length();
                right = in.nextToken() == JsonToken.VALUE_STRING ? in.getText() : "";
                if (in.nextToken() != JsonToken.END_ARRAY) {
                    leftEnd = 0;
                }
            }
            // An empty side would merge a token with nothing for ever.
            if (leftEnd == 0 || rightStart >= right.length()) {
                throw json.expected("two tokens, as \"a b\" or [\"a\", \"b\"],", "[" + rank + "]", in);
            }
            int a = ids.find(left, 0, leftEnd);
            int b = ids.find(right, rightStart, right.length());
            int merged = ids.findJoined(left, 0, leftEnd, right, rightStart, right.length());
            if (a < 0 || b < 0 || merged < 0) {
                throw json.expected("two tokens that are in the vocabulary, joined as well,", "[" + rank + "]", in);
            }
            long merge = (long) rank << 32 | merged;
            merges.put(a, b, merge);
            if (leftEnd == 1 && right.length() - rightStart == 1) {
                int first = ByteAlphabet.byteOf(left.charAt(0));
                int second = ByteAlphabet.byteOf(right.charAt(rightStart));
                if (first >= 0 && second >= 0) {
                    bytePairs[first << 8 | second] = merge;
                }
            }
        });
        return merges;
    }

    @Override
    public Map<String, Integer> vocab() {
        return vocab;
    }

    @Override
    public void encode(String text, int start, int end, Ints out) {
        for (int at = start; at < end;) {
            int stop = cutsBeforeMarks ? wordEnd(text, at, end) : end;
            encodeWord(text, at, stop, out);
            at = stop;
        }
    }

    /** The end of space marks and what follows them up to the next. */
    private static int wordEnd(String text, int start, int end) {
        int at = start;
        while (at < end && text.charAt(at) == SPACE_MARK) {
            at++;
        }
        int next = text.indexOf(SPACE_MARK, at, end);
        return next < 0 ? end : next;
    }

    private void encodeWord(String text, int start, int end, Ints out) {
        int[] ids = cache.find(text, start, end);
        if (ids == null) {
            Ints made = new Ints();
            merge(text, start, end, made);
            ids = made.toArray();
            cache.add(text, start, end, ids);
        }
        out.addAll(ids);
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

    private void merge(String text, int start, int end, Ints out) {
        if (ignoreMerges) {
            Integer whole = vocab.get(spell(text, start, end));
            if (whole != null) {
                out.add(whole);
                return;
            }
        }
        int[] ids;
        long[] found;
        if (byteIds == null) {
            ids = symbols(spell(text, start, end)).toArray();
            found = new long[Math.max(0, ids.length - 1)];
            for (int i = 0; i < found.length; i++) {
                found[i] = mergeOf(ids[i], ids[i + 1]);
            }
        } else {
            byte[] bytes = text.substring(start, end).getBytes(StandardCharsets.UTF_8);
            ids = new int[bytes.length];
            found = new long[bytes.length - 1];
            for (int i = 0; i < ids.length; i++) {
                ids[i] = byteIds[bytes[i] & 0xFF];
                if (i > 0) {
                    found[i - 1] = bytePairs[(bytes[i - 1] & 0xFF) << 8 | bytes[i] & 0xFF];
                }
            }
        }
        if (ids.length <= SHORT) {
            mergeFew(ids, found, out);
        } else {
            mergeMany(ids, found, out);
        }
    }

    /** Merges ids in place; {@code found} has the merge of each with the next. */
    private void mergeFew(int[] ids, long[] found, Ints out) {
        int n = ids.length;
        while (n > 1) {
            long best = NO_MERGE;
            int at = -1;
            for (int i = 0; i + 1 < n; i++) {
                if (found[i] < best) {
                    best = found[i];
                    at = i;
                }
            }
            if (at < 0) {
                break;
            }
            ids[at] = (int) best;
            n--;
            for (int i = at + 1; i < n; i++) {
                ids[i] = ids[i + 1];
                found[i - 1] = found[i];
            }
            if (at + 1 < n) {
                found[at] = mergeOf(ids[at], ids[at + 1]);
            }
            if (at > 0) {
                found[at - 1] = mergeOf(ids[at - 1], ids[at]);
            }
        }
        for (int i = 0; i < n; i++) {
            out.add(ids[i]);
        }
    }

    /** The merge of two neighbours as {@code rank << 32 | id}, or {@link #NO_MERGE}. */
    private long mergeOf(int left, int right) {
        return merges.get(left, right) & NO_MERGE;
    }

    private void mergeMany(int[] ids, long[] found, Ints out) {
        int n = ids.length;
        int[] previous = new int[n];
        int[] next = new int[n];
        MergeQueue queue = new MergeQueue(n);
        for (int i = 0; i < n; i++) {
            previous[i] = i - 1;
            next[i] = i + 1;
            if (i + 1 < n && found[i] != NO_MERGE) {
                queue.add(found[i] >>> 32 << 32 | i);
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

    /** The ids of the bytes of the alphabet, or null where one has none. */
    private static int[] byteIds(PairTable chars) {
        int[] ids = new int[256];
        for (int b = 0; b < ids.length; b++) {
            long id = chars.get(0, ByteAlphabet.charOf(b));
            if (id < 0) {
                return null;
            }
            ids[b] = (int) id;
        }
        return ids;
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
