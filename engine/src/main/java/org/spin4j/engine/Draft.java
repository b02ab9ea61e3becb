package org.spin4j.engine;

import java.util.Arrays;
import java.util.BitSet;
import java.util.function.IntPredicate;

/** A sample under way. */
final class Draft {
    private final Sampling sampling;
    private final RandomStream random;
    private final IntPredicate ends;
    private final int room;
    /** Tokens of prompt and sample so far, for the repetition penalty. */
    private final BitSet seen = new BitSet();
    private int[] ids = new int[16];
    private double[] logProbs = new double[16];
    private int count;
    private Sample.Finish finish;

    /**
     * Begins a sample.
     *
     * @param ends told each new token; ends the sample where it says so
     * @param room most tokens of the sample
     */
    Draft(int[] prompt, Sampling sampling, RandomStream random, IntPredicate ends, int room) {
        this.sampling = sampling;
        this.random = random;
        this.ends = ends;
        this.room = room;
        if (sampling.repetitionPenalty() != 1) {
            for (int id : prompt) {
                seen.set(id);
            }
        }
    }

    /**
     * How many tokens may follow a prompt.
     *
     * @throws IllegalArgumentException if there is no room for one
     */
    static int room(int[] prompt, Sampling sampling, DecoderConfig config) {
        int limit = config.maxPositions();
        if (sampling.maxLength() > 0) {
            limit = Math.min(limit, sampling.maxLength());
        }
        if (prompt.length < 1 || prompt.length >= limit) {
            throw new IllegalArgumentException("expected prompts of 1 to " + (limit - 1) + " tokens, found "
                    + prompt.length + "; set max_prompt_length");
        }
        return Math.min(sampling.maxNewTokens(), limit - prompt.length);
    }

    void add(int id, double logProb) {
        if (count == ids.length) {
            ids = Arrays.copyOf(ids, 2 * count);
            logProbs = Arrays.copyOf(logProbs, 2 * count);
        }
        ids[count] = id;
        logProbs[count++] = logProb;
        if (sampling.repetitionPenalty() != 1) {
            seen.set(id);
        }
        // Asked in any case: whoever writes the text out wants to see the end token too.
        boolean end = ends.test(id);
        if (end || sampling.stopIds().contains(id)) {
            finish = Sample.Finish.STOP;
        } else if (count == room) {
            finish = Sample.Finish.LENGTH;
        }
    }

    /** Whether the sample has ended. */
    boolean finished() {
        return finish != null;
    }

    /** The tokens so far; those behind {@link #count} mean nothing. */
    int[] ids() {
        return ids;
    }

    int count() {
        return count;
    }

    BitSet seen() {
        return seen;
    }

    double nextUniform() {
        return random.nextDouble();
    }

    Sample sample() {
        return new Sample(Arrays.copyOf(ids, count), Arrays.copyOf(logProbs, count), finish);
    }
}
