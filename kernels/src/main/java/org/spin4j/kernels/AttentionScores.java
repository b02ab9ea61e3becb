package org.spin4j.kernels;

import static org.spin4j.kernels.Memory.ALL;
import static org.spin4j.kernels.VectorMemory.ORDER;
import static org.spin4j.kernels.VectorMemory.SPECIES;
import static org.spin4j.kernels.VectorMemory.VECTOR_BYTES;
import static org.spin4j.kernels.VectorMemory.splat;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * What happens to scores between the products: [keys, queries], one query to a lane, rows a {@code stride} of bytes apart.
 * Rows come in pairs; a row of no key holds minus infinity, and becomes 0.
 *
 * <p>These methods are shaped for C2. Each calls {@link VectorMath#exp2} once and is long enough to be compiled by itself rather
 * than into its caller. Together with more of the caller, or with a second exponential, it would run out of the node budget
 * for inlining, and each vector behind that point would be an object on the heap (measured: 2 to 5 times slower).
 */
final class AttentionScores {
    private AttentionScores() {}

    /** log₂ e: scores are scaled by it beforehand, so that powers of 2 take the place of powers of e. */
    static final double LOG2_E = 1 / Math.log(2);

    /** Maximum of no scores. Finite, so that a query whose first keys are all hidden does not meet infinity minus infinity. */
    static final float LOWEST = -Float.MAX_VALUE;

    /**
     * Turns scores into 2^(score - maximum) with the largest score so far of each query, and brings up to date what was
     * summed with the maximum before. Uses the row behind the scores.
     *
     * @param rows    rows of scores, even
     * @param vectors vectors in a row
     * @param max     [queries]: the largest score so far
     * @param sum     [queries]: Σ 2^(score - max)
     * @param mix     [dims, queries]: Σ 2^(score - max) · value, without these keys yet
     */
    static void runningSoftmax(int rows, int vectors, long stride, long scores, long max, long sum, int dims,
            long mix) {
        for (int v = 0; v < vectors; v++) {
            long at = v * VECTOR_BYTES;
            long first = scores + at;
            long last = first + rows * stride;
            FloatVector oldMax = FloatVector.fromMemorySegment(SPECIES, ALL, max + at, ORDER);
            FloatVector even = oldMax;
            FloatVector odd = oldMax;
            for (long row = first; row < last; row += 2 * stride) {
                FloatVector s = FloatVector.fromMemorySegment(SPECIES, ALL, row, ORDER);
                even = even.blend(s, even.lt(s));
                s = FloatVector.fromMemorySegment(SPECIES, ALL, row + stride, ORDER);
                odd = odd.blend(s, odd.lt(s));
            }
            FloatVector newMax = even.blend(odd, even.lt(odd));
            newMax.intoMemorySegment(ALL, max + at, ORDER);
            // The old maximum goes through the exponential as one more score: the factor on what was summed with it.
            oldMax.intoMemorySegment(ALL, last, ORDER);
            FloatVector total = FloatVector.zero(SPECIES);
            FloatVector p = total;
            for (long row = first; row <= last; row += stride) {
                // What the last turn gave is added in this one: the old maximum is not part of the sum.
                total = total.add(p);
                p = VectorMath.exp2(FloatVector.fromMemorySegment(SPECIES, ALL, row, ORDER).sub(newMax));
                p.intoMemorySegment(ALL, row, ORDER);
            }
            FloatVector factor = p;
            FloatVector.fromMemorySegment(SPECIES, ALL, sum + at, ORDER).fma(factor, total)
                    .intoMemorySegment(ALL, sum + at, ORDER);
            // Behind the first keys the maximum rarely grows.
            if (oldMax.lt(newMax).anyTrue()) {
                long end = mix + dims * stride;
                for (long row = mix + at; row < end; row += stride) {
                    FloatVector.fromMemorySegment(SPECIES, ALL, row, ORDER).mul(factor).intoMemorySegment(ALL, row,
                            ORDER);
                }
            }
        }
    }

    /**
     * Scores become the probabilities P = 2^(score - logSumExp), and dP becomes P∘(dP - δ).
     *
     * @param rows      rows of scores
     * @param vectors   vectors in a row
     * @param logSumExp [queries], to the base 2 as the scores are
     * @param delta     [queries]
     */
    static void gradients(int rows, int vectors, long stride, long scores, long dScores, long logSumExp, long delta) {
        long apart = dScores - scores;
        for (int v = 0; v < vectors; v++) {
            long at = v * VECTOR_BYTES;
            FloatVector shift = FloatVector.fromMemorySegment(SPECIES, ALL, logSumExp + at, ORDER);
            FloatVector d = FloatVector.fromMemorySegment(SPECIES, ALL, delta + at, ORDER);
            long end = scores + at + rows * stride;
            for (long row = scores + at; row < end; row += stride) {
                FloatVector p = VectorMath
                        .exp2(FloatVector.fromMemorySegment(SPECIES, ALL, row, ORDER).sub(shift));
                p.intoMemorySegment(ALL, row, ORDER);
                FloatVector.fromMemorySegment(SPECIES, ALL, row + apart, ORDER).sub(d).mul(p)
                        .intoMemorySegment(ALL, row + apart, ORDER);
            }
        }
    }

    /**
     * As {@link #gradients} for scores S that are bounded: dP becomes P∘(dP - δ)∘(1 - (S / cap)²).
     *
     * @param cap the bound, to the base 2 as the scores are
     */
    static void cappedGradients(int rows, int vectors, long stride, long scores, long dScores, long logSumExp,
            long delta, float cap) {
        long apart = dScores - scores;
        FloatVector one = splat(1);
        FloatVector least = splat(-cap);
        FloatVector inverse = splat(1 / cap);
        for (int v = 0; v < vectors; v++) {
            long at = v * VECTOR_BYTES;
            FloatVector shift = FloatVector.fromMemorySegment(SPECIES, ALL, logSumExp + at, ORDER);
            FloatVector d = FloatVector.fromMemorySegment(SPECIES, ALL, delta + at, ORDER);
            long end = scores + at + rows * stride;
            for (long row = scores + at; row < end; row += stride) {
                FloatVector s = FloatVector.fromMemorySegment(SPECIES, ALL, row, ORDER);
                // The score of a hidden key is minus infinity: its P is 0, and its slope must be a number.
                FloatVector tanh = s.blend(least, s.lt(least)).mul(inverse);
                FloatVector p = VectorMath.exp2(s.sub(shift));
                p.intoMemorySegment(ALL, row, ORDER);
                FloatVector.fromMemorySegment(SPECIES, ALL, row + apart, ORDER).sub(d).mul(p)
                        .mul(one.sub(tanh.mul(tanh))).intoMemorySegment(ALL, row + apart, ORDER);
            }
        }
    }
}
