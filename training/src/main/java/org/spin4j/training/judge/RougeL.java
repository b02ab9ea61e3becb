package org.spin4j.training.judge;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * How much two texts say the same in the same order: the F-measure of ROUGE-L (Lin 2004, section 3.1, with β = 1), from the longest common
 * subsequence of their words. Words are the runs of a–z and 0–9 in the lower-cased text and nothing is stemmed, as in the package
 * {@code rouge_score} of the same figures; a text in another script has no words, and is like no other.
 *
 * <p>
 * An object holds texts that new ones are compared with: thousands with thousands in a few seconds. The subsequence is found with one bit for
 * each word of the new text, 64 at a time (Hyyrö 2004, "Bit-parallel LCS-length computation revisited", figure 1).
 */
public final class RougeL {
    private final Map<String, Integer> vocabulary = new HashMap<>();
    private final List<int[]> texts = new ArrayList<>();

    /** The F-measure of two texts, in [0, 1]; 0 if one has no words. It does not matter which is which. */
    public static double of(String a, String b) {
        RougeL one = new RougeL();
        one.add(a);
        return one.greatest(b);
    }

    /** Keeps a text to compare with. */
    public void add(String text) {
        texts.add(words(text).stream().mapToInt(word -> vocabulary.computeIfAbsent(word, w -> vocabulary.size()))
                .toArray());
    }

    /** The greatest F-measure with any text that was added; 0 if there is none. */
    public double greatest(String text) {
        List<String> words = words(text);
        int blocks = (words.size() + 63) / 64;
        // The places at which each word of the vocabulary stands in the new text, a bit each.
        long[][] places = new long[vocabulary.size()][];
        for (int i = 0; i < words.size(); i++) {
            Integer id = vocabulary.get(words.get(i));
            if (id != null) {
                if (places[id] == null) {
                    places[id] = new long[blocks];
                }
                places[id][i / 64] |= 1L << (i % 64);
            }
        }
        double greatest = 0;
        long[] row = new long[blocks];
        for (int[] other : texts) {
            int shorter = Math.min(other.length, words.size());
            if (shorter > 0 && fMeasure(shorter, other.length, words.size()) > greatest) {
                int common = longestCommonSubsequence(other, places, row, words.size());
                greatest = Math.max(greatest, fMeasure(common, other.length, words.size()));
            }
        }
        return greatest;
    }

    private static double fMeasure(int common, int a, int b) {
        return 2.0 * common / (a + b);
    }

    /**
     * Hyyrö's recurrence V ← (V + (V ∧ M)) ∨ (V ∧ ¬M), with the carry of the sum handed from block to block; a zero bit in the end is a word of
     * the subsequence.
     *
     * @param v memory for the row, 64 words a block
     */
    private static int longestCommonSubsequence(int[] other, long[][] places, long[] v, int length) {
        Arrays.fill(v, -1L);
        for (int word : other) {
            long[] m = places[word];
            if (m == null) {
                continue;
            }
            long carry = 0;
            for (int b = 0; b < v.length; b++) {
                long u = v[b] & m[b];
                long partial = v[b] + u;
                long sum = partial + carry;
                carry = Long.compareUnsigned(partial, u) < 0 || Long.compareUnsigned(sum, carry) < 0 ? 1 : 0;
                v[b] = sum | (v[b] & ~m[b]);
            }
        }
        int common = 0;
        for (int b = 0; b < v.length; b++) {
            int bits = Math.min(64, length - 64 * b);
            long used = bits == 64 ? -1L : (1L << bits) - 1;
            common += Long.bitCount(~v[b] & used);
        }
        return common;
    }

    private static List<String> words(String text) {
        return Arrays.stream(text.toLowerCase(Locale.ROOT).split("[^a-z0-9]+")).filter(w -> !w.isEmpty()).toList();
    }
}
