package org.spin4j.tokenizer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.PriorityQueue;
import java.util.stream.IntStream;

/**
 * Learns a byte-level BPE vocabulary (Sennrich et al. 2016; GPT-2's words and bytes): the 256 bytes, then again and again the most
 * frequent pair of neighbours becomes a token. Of equally frequent pairs the one with the smaller ids wins, as in Hugging Face, so the same
 * texts give the same tokenizer. Only the words a merge changed are counted again.
 */
public final class BpeTrainer {
    /**
     * What to learn.
     *
     * @param vocabSize how many tokens at most, special ones and the bytes among them
     * @param minFrequency a pair seen less often is not merged
     * @param specialTokens get the first ids, in this order
     * @param maxTokenLength pairs are not merged to tokens of so many bytes or more, but for pairs of bytes: Hugging Face's
     *        {@code max_token_length}, which stops one short of what its name says
     * @param alphabetLimit if present, only bytes that occur in the texts are tokens, and of them only so many, the most frequent ones: texts
     *        with other bytes cannot be encoded then. Otherwise all 256 bytes are
     */
    public record Config(int vocabSize, long minFrequency, List<String> specialTokens, OptionalInt maxTokenLength,
            OptionalInt alphabetLimit) {
        /** Checks the numbers and the names. */
        public Config {
            specialTokens = List.copyOf(specialTokens);
            int bytes = alphabetLimit.isPresent() ? 1 : BYTES;
            if (vocabSize < bytes + specialTokens.size() || vocabSize > Model.MAX_ID) {
                throw new TokenizerException("expected a vocabulary of " + (bytes + specialTokens.size())
                        + " (" + bytes + " bytes and " + specialTokens.size()
                        + " special tokens) to " + Model.MAX_ID + " tokens, found " + vocabSize
                        + " in vocab_size; choose another size");
            }
            if (minFrequency < 0) {
                throw new TokenizerException(
                        "expected 0 or more, found " + minFrequency + " in min_frequency; choose another number");
            }
            checkPositive("max_token_length", maxTokenLength);
            checkPositive("limit_alphabet", alphabetLimit);
            if (specialTokens.stream().distinct().count() < specialTokens.size() || specialTokens.contains("")) {
                throw new TokenizerException(
                        "expected special tokens that differ and are not empty, found " + specialTokens
                                + " in special_tokens; name each once");
            }
        }

        /** No limit but the number of tokens. */
        public Config(int vocabSize, long minFrequency, List<String> specialTokens) {
            this(vocabSize, minFrequency, specialTokens, OptionalInt.empty(), OptionalInt.empty());
        }

        private static void checkPositive(String name, OptionalInt value) {
            if (value.isPresent() && value.getAsInt() < 1) {
                throw new TokenizerException(
                        "expected 1 or more, found " + value.getAsInt() + " in " + name + "; choose another number");
            }
        }
    }

    /** Hears how far the work is. */
    @FunctionalInterface
    public interface Listener {
        /**
         * A token was made.
         *
         * @param tokens how many there are
         * @param count how often the texts have the pair that became the last one
         */
        void made(int tokens, long count);
    }

    private static final int BYTES = 256;
    /** Texts of so many characters are shared out among the cores at a time: few enough to hold, many enough to be worth it. */
    private static final long BATCH = 1 << 22;

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
    private final Listener listener;
    private final int longest;
    private final Map<String, Integer> ids = new LinkedHashMap<>();
    private final List<String> tokens = new ArrayList<>();
    private final List<String> merges = new ArrayList<>();
    /** Each distinct word as the ids of its parts, and how often it occurred. */
    private final List<int[]> words = new ArrayList<>();
    private final Ints lengths = new Ints();
    private final List<Long> counts = new ArrayList<>();
    private final PairTable pairCounts = new PairTable(1 << 16);
    private final PriorityQueue<Candidate> queue = new PriorityQueue<>();

    private BpeTrainer(Config config, Listener listener) {
        this.config = config;
        this.listener = listener;
        longest = config.maxTokenLength().orElse(Integer.MAX_VALUE);
    }

    /** Learns from texts without telling how far it is. */
    public static Tokenizer train(Iterable<String> texts, Config config) {
        return train(texts, config, (tokens, count) -> {});
    }

    /**
     * Learns from texts.
     *
     * @return a tokenizer that {@link Tokenizer#save} writes as a file that Hugging Face loads; smaller than asked if the texts have no
     *         more pairs
     */
    public static Tokenizer train(Iterable<String> texts, Config config, Listener listener) {
        BpeTrainer trainer = new BpeTrainer(config, listener);
        Map<String, Long> words = trainer.count(texts);
        trainer.alphabet(words);
        trainer.spell(words);
        trainer.mergeAll();
        return Tokenizer.parse(trainer.json(), "the trained tokenizer");
    }

    /** How often each word occurs, in the order in which they come first. */
    private Map<String, Long> count(Iterable<String> texts) {
        Map<String, Long> all = new LinkedHashMap<>();
        List<String> batch = new ArrayList<>();
        long size = 0;
        for (String text : texts) {
            batch.add(text);
            size += text.length();
            if (size > BATCH) {
                addCounts(batch, all);
                batch.clear();
                size = 0;
            }
        }
        addCounts(batch, all);
        return all;
    }

    /** Every core counts a share of the texts; the shares come together in order. */
    private static void addCounts(List<String> texts, Map<String, Long> all) {
        int shares = Math.min(texts.size(), 4 * Runtime.getRuntime().availableProcessors());
        IntStream.range(0, shares).parallel()
                .mapToObj(i -> texts.subList((int) ((long) i * texts.size() / shares),
                        (int) ((i + 1L) * texts.size() / shares)))
                .map(BpeTrainer::countWords)
                .forEachOrdered(
                        share -> share.forEach((word, count) -> all.merge(word, count[0], Long::sum)));
    }

    private static Map<String, long[]> countWords(List<String> texts) {
        Map<String, long[]> seen = new LinkedHashMap<>();
        for (String raw : texts) {
            String text = Tokenizer.wellFormed(raw);
            for (int at = 0; at < text.length();) {
                int end = WordPattern.GPT2.wordEnd(text, at, text.length());
                seen.computeIfAbsent(text.substring(at, end), word -> new long[1])[0]++;
                at = end;
            }
        }
        return seen;
    }

    private void alphabet(Map<String, Long> texts) {
        config.specialTokens().forEach(this::idOf);
        long[] seen = new long[BYTES];
        if (config.alphabetLimit().isPresent()) {
            texts.forEach((word, count) -> {
                for (byte b : word.getBytes(StandardCharsets.UTF_8)) {
                    seen[b & 0xFF] += count;
                }
            });
        }
        // Hugging Face numbers the alphabet by code point; of bytes that are as frequent as others the later go first.
        List<Integer> bytes = IntStream.range(0, BYTES).boxed().filter(
                b -> config.alphabetLimit().isEmpty() || seen[b] > 0)
                .sorted(Comparator.<Integer>comparingLong(b -> -seen[b]).thenComparing(ByteAlphabet::charOf))
                .limit(config.alphabetLimit().orElse(BYTES)).sorted(Comparator.comparing(ByteAlphabet::charOf))
                .toList();
        bytes.forEach(b -> idOf(String.valueOf(ByteAlphabet.charOf(b))));
        if (tokens.size() > config.vocabSize()) {
            throw new TokenizerException("expected a vocabulary of " + tokens.size() + " or more, for "
                    + config.specialTokens().size() + " special tokens and the bytes in the texts, found "
                    + config.vocabSize() + " in vocab_size; choose another size, or a smaller limit_alphabet");
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

    private void spell(Map<String, Long> texts) {
        int[] byteIds = new int[BYTES];
        Arrays.setAll(byteIds, b -> ids.getOrDefault(String.valueOf(ByteAlphabet.charOf(b)), -1));
        Ints symbols = new Ints();
        texts.forEach((word, count) -> {
            symbols.clear();
            for (byte b : word.getBytes(StandardCharsets.UTF_8)) {
                // What is not in the alphabet is passed over, as in Hugging Face.
                if (byteIds[b & 0xFF] >= 0) {
                    symbols.add(byteIds[b & 0xFF]);
                }
            }
            words.add(symbols.toArray());
            lengths.add(symbols.size());
            counts.add(count);
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
            listener.made(tokens.size(), count);
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
                join(word[kept - 1], merged, w, places);
            }
            if (i + 2 < length) {
                change(right, word[i + 2], -1, w, places);
                join(merged, word[i + 2], w, places);
            }
            word[kept++] = merged;
            i += 2;
        }
        lengths.set(w, kept);
    }

    /** Counts a new pair, unless it would make too long a token. */
    private void join(int left, int right, int w, Map<Long, Ints> places) {
        if (tokens.get(left).length() + tokens.get(right).length() < longest) {
            change(left, right, 1, w, places);
        }
    }

    private byte[] json() {
        ObjectNode root = Json.NODES.objectNode();
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
            return Json.Mapping.MAPPER.writerWithDefaultPrettyPrinter().writeValueAsBytes(root);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree of our own making can be written", e);
        }
    }

    private static ObjectNode byteLevel(boolean decoder) {
        return Json.NODES.objectNode().put("type", "ByteLevel").put("add_prefix_space", decoder)
                .put("trim_offsets", true).put("use_regex", true);
    }
}
