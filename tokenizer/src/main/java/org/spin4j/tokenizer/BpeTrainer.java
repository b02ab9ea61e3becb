package org.spin4j.tokenizer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;

/**
 * Learns a byte-level BPE vocabulary (Sennrich et al. 2016; GPT-2's words and bytes): the 256 bytes, then again and again the most
 * frequent pair of neighbours becomes a token. Of equally frequent pairs the one with the smaller ids wins, as in Hugging Face, so the same
 * texts give the same tokenizer. Only the words a merge changed are counted again.
 */
public final class BpeTrainer {
    /**
     * What to learn.
     *
     * @param vocabSize how many tokens at most, special ones and the 256 bytes among them
     * @param minFrequency a pair seen less often is not merged
     * @param specialTokens get the first ids, in this order
     */
    public record Config(int vocabSize, long minFrequency, List<String> specialTokens) {
        /** Checks the numbers and the names. */
        public Config {
            specialTokens = List.copyOf(specialTokens);
            if (vocabSize < 256 + specialTokens.size() || vocabSize > Model.MAX_ID) {
                throw new TokenizerException("expected a vocabulary of " + (256 + specialTokens.size())
                        + " (256 bytes and " + specialTokens.size()
                        + " special tokens) to " + Model.MAX_ID + " tokens, found " + vocabSize
                        + " in vocab_size; choose another size");
            }
            if (minFrequency < 0) {
                throw new TokenizerException(
                        "expected 0 or more, found " + minFrequency + " in min_frequency; choose another number");
            }
            if (specialTokens.stream().distinct().count() < specialTokens.size() || specialTokens.contains("")) {
                throw new TokenizerException(
                        "expected special tokens that differ and are not empty, found " + specialTokens
                                + " in special_tokens; name each once");
            }
        }
    }

    /** A pair that may be merged next: its count when it was queued, and the words it was then found in, ascending. */
    private record Candidate(int left, int right, long count, Ints words) implements Comparable<Candidate> {
        @Override
        public int compareTo(Candidate other) {
            int byCount = Long.compare(other.count, count);
            int byLeft = byCount != 0 ? byCount : Integer.compare(left, other.left);
            return byLeft != 0 ? byLeft : Integer.compare(right, other.right);
        }
    }

    private final Config config;
    private final Map<String, Integer> ids = new LinkedHashMap<>();
    private final List<String> tokens = new ArrayList<>();
    private final List<String> merges = new ArrayList<>();
    /** Each distinct word as the ids of its parts, and how often it occurred. */
    private final List<int[]> words = new ArrayList<>();
    private final Ints lengths = new Ints();
    private final List<Long> counts = new ArrayList<>();
    private final PairTable pairCounts = new PairTable(1 << 16);
    private final PriorityQueue<Candidate> queue = new PriorityQueue<>();

    private BpeTrainer(Config config) {
        this.config = config;
    }

    /**
     * Learns from texts.
     *
     * @return a tokenizer that {@link Tokenizer#save} writes as a file that Hugging Face loads; smaller than asked if the texts have no
     *         more pairs
     */
    public static Tokenizer train(Iterable<String> texts, Config config) {
        BpeTrainer trainer = new BpeTrainer(config);
        trainer.alphabet();
        trainer.count(texts);
        trainer.mergeAll();
        return Tokenizer.parse(trainer.json(), "the trained tokenizer");
    }

    private void alphabet() {
        config.specialTokens().forEach(this::idOf);
        // Hugging Face numbers the alphabet by code point.
        for (char c = 0; c < 512; c++) {
            if (ByteAlphabet.byteOf(c) >= 0) {
                idOf(String.valueOf(c));
            }
        }
    }

    private int idOf(String token) {
        Integer known = ids.get(token);
        if (known != null) {
            return known;
        }
        ids.put(token, tokens.size());
        tokens.add(token);
        return tokens.size() - 1;
    }

    private void count(Iterable<String> texts) {
        Map<String, long[]> seen = new LinkedHashMap<>();
        PreTokenizer splitter = new PreTokenizer.Words(WordPattern.GPT2);
        for (String text : texts) {
            String clean = Tokenizer.wellFormed(text);
            splitter.split(NormalizedText.of(clean, false), 0, clean.length(), (piece, start, end) -> seen
                    .computeIfAbsent(piece.text().substring(start, end), word -> new long[1])[0]++);
        }
        seen.forEach((word, count) -> {
            String spelled = ByteAlphabet.spell(word, 0, word.length());
            int[] symbols = spelled.chars().map(c -> ids.get(String.valueOf((char) c))).toArray();
            words.add(symbols);
            lengths.add(symbols.length);
            counts.add(count[0]);
        });
        Map<Long, Ints> places = new HashMap<>();
        for (int w = 0; w < words.size(); w++) {
            int[] word = words.get(w);
            for (int i = 0; i + 1 < word.length; i++) {
                change(word[i], word[i + 1], 1, w, places);
            }
        }
        enqueue(places);
    }

    /** Counts a pair of word {@code w} up or down, and where it went up remembers the word. */
    private void change(int left, int right, int by, int w, Map<Long, Ints> places) {
        long before = Math.max(0, pairCounts.get(left, right));
        // A pair that overlaps itself, as in "aaa", may be taken away more often than it was counted.
        pairCounts.put(left, right, Math.max(0, before + by * counts.get(w)));
        if (by > 0) {
            Ints at = places.computeIfAbsent((long) left << 32 | right, pair -> new Ints());
            if (at.size() == 0 || at.last() != w) {
                at.add(w);
            }
        }
    }

    private void enqueue(Map<Long, Ints> places) {
        places.forEach((pair, at) -> {
            int left = (int) (pair >>> 32);
            int right = pair.intValue();
            long count = pairCounts.get(left, right);
            if (count > 0) {
                queue.add(new Candidate(left, right, count, at));
            }
        });
    }

    private void mergeAll() {
        while (tokens.size() < config.vocabSize() && !queue.isEmpty()) {
            Candidate best = queue.poll();
            long count = pairCounts.get(best.left, best.right);
            if (count != best.count) {
                // Other merges took some of its places since it was queued.
                queue.add(new Candidate(best.left, best.right, count, best.words));
                continue;
            }
            if (count < 1 || count < config.minFrequency()) {
                return;
            }
            merges.add(tokens.get(best.left) + " " + tokens.get(best.right));
            int merged = idOf(tokens.get(best.left) + tokens.get(best.right));
            Map<Long, Ints> places = new HashMap<>();
            for (int i = 0; i < best.words.size(); i++) {
                merge(best.words.get(i), best.left, best.right, merged, places);
            }
            enqueue(places);
        }
    }

    /** Merges the pair wherever it stands in a word, and corrects the counts of the pairs beside it. */
    private void merge(int w, int left, int right, int merged, Map<Long, Ints> places) {
        int[] word = words.get(w);
        int length = lengths.get(w);
        int kept = 0;
        int i = 0;
        while (i < length) {
            if (i + 1 == length || word[i] != left || word[i + 1] != right) {
                word[kept++] = word[i++];
                continue;
            }
            if (kept > 0) {
                change(word[kept - 1], left, -1, w, places);
                change(word[kept - 1], merged, 1, w, places);
            }
            if (i + 2 < length) {
                change(right, word[i + 2], -1, w, places);
                change(merged, word[i + 2], 1, w, places);
            }
            word[kept++] = merged;
            i += 2;
        }
        lengths.set(w, kept);
    }

    private byte[] json() {
        ObjectNode root = Json.MAPPER.createObjectNode();
        root.put("version", "1.0").putNull("truncation").putNull("padding");
        ArrayNode added = root.putArray("added_tokens");
        for (String token : config.specialTokens()) {
            ObjectNode entry = added.addObject().put("id", ids.get(token)).put("content", token);
            entry.put("single_word", false).put("lstrip", false).put("rstrip", false).put("normalized", false)
                    .put("special", true);
        }
        root.putNull("normalizer");
        root.set("pre_tokenizer", byteLevel(false));
        root.putNull("post_processor");
        root.set("decoder", byteLevel(true));
        ObjectNode model = root.putObject("model").put("type", "BPE").putNull("dropout").putNull("unk_token");
        model.putNull("continuing_subword_prefix").putNull("end_of_word_suffix");
        model.put("fuse_unk", false).put("byte_fallback", false).put("ignore_merges", false);
        ObjectNode vocab = model.putObject("vocab");
        ids.forEach(vocab::put);
        ArrayNode rows = model.putArray("merges");
        merges.forEach(rows::add);
        try {
            return Json.MAPPER.writerWithDefaultPrettyPrinter().writeValueAsBytes(root);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree of our own making can be written", e);
        }
    }

    private static ObjectNode byteLevel(boolean decoder) {
        return Json.MAPPER.createObjectNode().put("type", "ByteLevel").put("add_prefix_space", decoder)
                .put("trim_offsets", true).put("use_regex", true);
    }
}
