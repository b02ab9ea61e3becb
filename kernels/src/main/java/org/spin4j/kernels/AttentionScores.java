package org.spin4j.kernels;

import static org.spin4j.kernels.Memory.ALL;
import static org.spin4j.kernels.VectorMemory.ORDER;
import static org.spin4j.kernels.VectorMemory.SPECIES;
import static org.spin4j.kernels.VectorMemory.VECTOR_BYTES;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * What happens to scores between the products: [keys, queries], one query to a lane, rows a {@code stride} of bytes apart.
 * Rows come in pairs; a row of no key holds minus infinity, and becomes 0.
 *
 * <p>These methods are shaped for C2. Each calls {@link VectorMath#exp} once and is long enough to be compiled by itself rather
 * than into its caller. Together with more of the caller, or with a second exponential, it would run out of the node budget
 * for inlining, and each vector behind that point would be an object on the heap (measured: 2 to 5 times slower).
 */
final class AttentionScores {
    private AttentionScores() {}

    /**
     * Turns scores into exp(score - maximum) with the largest score so far of each query, and brings up to date what was
     * summed with the maximum before. Uses the row behind the scores.
     *
     * @param rows    rows of scores, even
     * @param vectors vectors in a row
     * @param max     [queries]: the largest score so far
     * @param sum     [queries]: Σ exp(score - max)
     * @param mix     [dims, queries]: Σ exp(score - max) · value, without these keys yet
     */
    static void runningSoftmax(int rows, int vectors, long stride, long scores, long max, long sum, int dims,
            long mix) {
        for (int v = 0; v < vectors; v++) {
            long at = v * VECTOR_BYTES;
            FloatVector oldMax = FloatVector.fromMemorySegment(SPECIES, ALL, max + at, ORDER);
            FloatVector even = oldMax;
            FloatVector odd = oldMax;
            for (int j = 0; j < rows; j += 2) {
                long row = scores + j * stride + at;
                FloatVector s = FloatVector.fromMemorySegment(SPECIES, ALL, row, ORDER);
                even = even.blend(s, s.compare(VectorOperators.GT, even));
                s = FloatVector.fromMemorySegment(SPECIES, ALL, row + stride, ORDER);
                odd = odd.blend(s, s.compare(VectorOperators.GT, odd));
            }
            FloatVector newMax = even.blend(odd, odd.compare(VectorOperators.GT, even));
            newMax.intoMemorySegment(ALL, max + at, ORDER);
            // The old maximum goes through the exponential as one more score: the factor on what was summed with it.
            long last = scores + rows * stride + at;
            oldMax.intoMemorySegment(ALL, last, ORDER);
            FloatVector total = FloatVector.zero(SPECIES);
            FloatVector p = total;
            for (int j = 0; j <= rows; j++) {
                // What the last turn gave is added in this one: the old maximum is not part of the sum.
                total = total.add(p);
                long row = scores + j * stride + at;
                p = VectorMath.exp(FloatVector.fromMemorySegment(SPECIES, ALL, row, ORDER).sub(newMax));
                p.intoMemorySegment(ALL, row, ORDER);
            }
            FloatVector factor = p;
            FloatVector.fromMemorySegment(SPECIES, ALL, sum + at, ORDER).fma(factor, total)
                    .intoMemorySegment(ALL, sum + at, ORDER);
            for (int d = 0; d < dims; d++) {
                long row = mix + d * stride + at;
                FloatVector.fromMemorySegment(SPECIES, ALL, row, ORDER).mul(factor).intoMemorySegment(ALL, row, ORDER);
            }
        }
    }

    /**
     * Scores become the probabilities P = exp(score - logSumExp), and dP becomes P∘(dP - δ).
     *
     * @param rows      rows of scores, even
     * @param vectors   vectors in a row
     * @param logSumExp [queries]
     * @param delta     [queries]
     */
    static void gradients(int rows, int vectors, long stride, long scores, long dScores, long logSumExp, long delta) {
        for (int v = 0; v < vectors; v++) {
            long at = v * VECTOR_BYTES;
            FloatVector shift = FloatVector.fromMemorySegment(SPECIES, ALL, logSumExp + at, ORDER);
            for (int j = 0; j < rows; j++) {
                long row = scores + j * stride + at;
                VectorMath.exp(FloatVector.fromMemorySegment(SPECIES, ALL, row, ORDER).sub(shift))
                        .intoMemorySegment(ALL, row, ORDER);
            }
            FloatVector d = FloatVector.fromMemorySegment(SPECIES, ALL, delta + at, ORDER);
            for (int j = 0; j < rows; j += 2) {
                long even = j * stride + at;
                long odd = even + stride;
                FloatVector p = FloatVector.fromMemorySegment(SPECIES, ALL, scores + even, ORDER);
                FloatVector q = FloatVector.fromMemorySegment(SPECIES, ALL, scores + odd, ORDER);
                FloatVector dp = FloatVector.fromMemorySegment(SPECIES, ALL, dScores + even, ORDER).sub(d).mul(p);
                FloatVector dq = FloatVector.fromMemorySegment(SPECIES, ALL, dScores + odd, ORDER).sub(d).mul(q);
                dp.intoMemorySegment(ALL, dScores + even, ORDER);
                dq.intoMemorySegment(ALL, dScores + odd, ORDER);
            }
        }
    }
}
