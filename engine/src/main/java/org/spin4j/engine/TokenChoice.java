package org.spin4j.engine;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.Storage;

/** Chooses the next token of each sample from its row of logits. */
final class TokenChoice {
    private final Sampling sampling;
    private float[] row = new float[0];

    TokenChoice(Sampling sampling) {
        this.sampling = sampling;
    }

    /**
     * Adds a token to each draft.
     *
     * @param logits [drafts, vocabulary]
     */
    void next(Tape tape, Tensor logits, List<Draft> drafts) {
        int n = drafts.size();
        int vocab = logits.cols();
        Kernels kernels = tape.kernels();
        Storage logSumExp = tape.scratch(n);
        boolean greedy = sampling.temperature() == 0;
        boolean penalty = sampling.repetitionPenalty() != 1;
        Tensor scores = logits;
        if (!greedy || penalty) {
            scores = tape.tensor(n, vocab);
            scores.data().copyFrom(logits.data());
        }
        if (penalty) {
            for (int i = 0; i < n; i++) {
                penalize(scores.data().slice((long) i * vocab, vocab), drafts.get(i).seen(),
                        (float) sampling.repetitionPenalty());
            }
        }
        if (!greedy) {
            kernels.softmaxRows(n, vocab, 1 / sampling.temperature(), scores.data(), logSumExp);
        }
        int[] ids = new int[n];
        if (greedy) {
            kernels.argmaxRows(n, vocab, scores.data(), ids);
        }
        // Of the logits themselves only those of the chosen tokens are looked at: all may lie on a device.
        int[] places = new int[n];
        for (int i = 0; i < n; i++) {
            if (!greedy) {
                ids[i] = draw(row(scores.data(), (long) i * vocab, vocab), sampling, drafts.get(i).nextUniform());
            }
            places[i] = Math.addExact(Math.multiplyExact(i, vocab), ids[i]);
        }
        Storage chosen = tape.scratch(n);
        kernels.gatherRows(places, n, 1, logits.data(), false, chosen);
        if (penalty || sampling.temperature() != 1) {
            kernels.softmaxRows(n, vocab, 1, logits.data(), logSumExp);
        }
        for (int i = 0; i < n; i++) {
            drafts.get(i).add(ids[i], chosen.get(i) - logSumExp.get(i));
        }
    }

    private float[] row(Storage data, long from, int n) {
        if (row.length != n) {
            row = new float[n];
        }
        if (data.type() == DType.F32) {
            MemorySegment.copy(data.readOnlySegment(), ValueLayout.JAVA_FLOAT_UNALIGNED, from * 4, row, 0, n);
        } else {
            for (int i = 0; i < n; i++) {
                row[i] = (float) data.get(from + i);
            }
        }
        return row;
    }

    /** Makes tokens seen before less probable. */
    static void penalize(Storage logits, BitSet seen, float penalty) {
        for (int id = seen.nextSetBit(0); id >= 0; id = seen.nextSetBit(id + 1)) {
            float score = (float) logits.get(id);
            logits.set(id, score < 0 ? score * penalty : score / penalty);
        }
    }

    /** The token with the greatest score; the lowest id on a tie. */
    static int greatest(float[] scores) {
        int best = 0;
        for (int i = 1; i < scores.length; i++) {
            if (scores[i] > scores[best]) {
                best = i;
            }
        }
        return best;
    }

    /**
     * The token at which the running sum of the probabilities that may be drawn passes {@code u} of their total.
     *
     * @param p probabilities
     * @param u uniform in [0, 1)
     */
    static int draw(float[] p, Sampling sampling, double u) {
        float floor = floor(p, sampling);
        double left = u * massFrom(p, floor);
        int last = 0;
        for (int i = 0; i < p.length; i++) {
            if (p[i] >= floor) {
                last = i;
                left -= p[i];
                if (left < 0) {
                    return i;
                }
            }
        }
        return last;
    }

    /** Sum of the probabilities of at least {@code floor}: four sums side by side, each waits for its own last addition. */
    private static double massFrom(float[] p, float floor) {
        double[] sums = new double[4];
        double a = 0;
        double b = 0;
        double c = 0;
        double d = 0;
        int i = 0;
        for (; i + 4 <= p.length; i += 4) {
            a += p[i] >= floor ? p[i] : 0;
            b += p[i + 1] >= floor ? p[i + 1] : 0;
            c += p[i + 2] >= floor ? p[i + 2] : 0;
            d += p[i + 3] >= floor ? p[i + 3] : 0;
        }
        for (; i < p.length; i++) {
            sums[i % 4] += p[i] >= floor ? p[i] : 0;
        }
        return a + sums[0] + (b + sums[1]) + (c + sums[2] + (d + sums[3]));
    }

    /** The least probability that top-k, top-p and min-p let through, above 0; tokens that tie with it pass too. */
    static float floor(float[] p, Sampling sampling) {
        float floor = Float.MIN_VALUE;
        int n = p.length;
        if (sampling.topK() > 0 && sampling.topK() < n) {
            floor = Math.max(floor, greatest(p, sampling.topK()));
        }
        if (sampling.topP() < 1) {
            floor = Math.max(floor, nucleus(p, floor, sampling.topP()));
        }
        if (sampling.minP() > 0) {
            float most = p[greatest(p)];
            floor = Math.max(floor, (float) (sampling.minP() * most));
        }
        return floor;
    }

    /** The k-th greatest number. Few numbers pass the floor that those before them set: they alone are sorted. */
    private static float greatest(float[] p, int k) {
        float[] most = new float[2 * k + 64];
        int count = 0;
        float floor = Float.NEGATIVE_INFINITY;
        for (float x : p) {
            if (x > floor) {
                if (count == most.length) {
                    Arrays.sort(most);
                    System.arraycopy(most, count - k, most, 0, k);
                    count = k;
                    floor = most[0];
                }
                most[count++] = x;
            }
        }
        Arrays.sort(most, 0, count);
        return most[count - k];
    }

    /**
     * The least probability of the fewest most probable tokens whose probabilities add up to {@code topP} of all from {@code floor} on.
     * Tokens so improbable that even n of them would not make up the rest are never among them, and are not sorted.
     */
    private static float nucleus(float[] p, float floor, double topP) {
        double total = massFrom(p, floor);
        float worthSorting = Math.max(floor, (float) ((1 - topP) * total / p.length / 2));
        float[] sorted = new float[p.length];
        int count = 0;
        for (float x : p) {
            if (x >= worthSorting) {
                sorted[count++] = x;
            }
        }
        Arrays.sort(sorted, 0, count);
        double mass = 0;
        for (int i = count - 1; i > 0; i--) {
            mass += sorted[i];
            if (mass >= topP * total) {
                return sorted[i];
            }
        }
        return count == 0 ? floor : sorted[0];
    }
}
