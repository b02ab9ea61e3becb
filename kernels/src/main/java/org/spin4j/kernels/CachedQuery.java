package org.spin4j.kernels;

import static org.spin4j.kernels.CachedBatch.PAGE;
import static org.spin4j.kernels.Memory.ALL;
import static org.spin4j.kernels.VectorMemory.LANES;
import static org.spin4j.kernels.VectorMemory.ORDER;
import static org.spin4j.kernels.VectorMemory.SPECIES;
import static org.spin4j.kernels.VectorMemory.VECTOR_BYTES;
import static org.spin4j.kernels.VectorMemory.get;
import static org.spin4j.kernels.VectorMemory.load;
import static org.spin4j.kernels.VectorMemory.roundUp;
import static org.spin4j.kernels.VectorMemory.set;
import static org.spin4j.kernels.VectorMemory.splat;
import static org.spin4j.kernels.VectorMemory.store;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * Attention of one query over a stream's pages: lanes are keys while scores are made, dimensions while values are mixed. Each
 * sum takes its terms in the order in which a block of queries does ({@link VectorAttention}), one after the other, so that the result
 * is the same bit for bit; several sums run side by side, since each waits for its own last addition.
 */
final class CachedQuery {
    /** Vectors in which sums run side by side. */
    private static final int SUMS = 4;
    private static final long KEY_ROW = PAGE * 4L;

    private CachedQuery() {}

    /** New token {@code i} of a stream, with all query heads of one key head: page by page, so that each is read once. */
    static void attend(CachedBatch batch, int stream, int i, AttentionShape shape, long layer, int kvHead, long qkv,
            long out, Scratch scratch) {
        int hd = shape.headDim();
        int group = shape.heads() / shape.kvHeads();
        int padded = roundUp(hd, SUMS * LANES);
        // Of each head: the scaled query, the mix of values so far, the largest score, the sum.
        long queries = scratch.floats((2L * group * padded) + 2L * group + PAGE);
        long mixes = queries + 4L * group * padded;
        long maxima = mixes + 4L * group * padded;
        long sums = maxima + 4L * group;
        long scores = sums + 4L * group;
        float scale = (float) (shape.scale() * AttentionScores.LOG2_E);
        float cap = (float) (shape.softcap() * AttentionScores.LOG2_E);
        long row = (long) batch.start(stream) + i;
        long query = qkv + (row * shape.qkvWidth() + (long) kvHead * group * hd) * 4;
        for (int g = 0; g < group; g++) {
            for (int d = 0; d < hd; d++) {
                set(queries + 4L * (g * padded + d), get(query + 4L * (g * hd + d)) * scale);
            }
            set(maxima + 4L * g, AttentionScores.LOWEST);
            set(sums + 4L * g, 0);
        }
        VectorMemory.zero(mixes, (long) group * padded);
        int position = batch.position(stream) + i;
        int oldest = shape.window() == 0 ? 0 : Math.max(0, position - shape.window() + 1);
        for (int p = oldest / PAGE; p * PAGE <= position; p++) {
            long page = batch.page(stream, p).address();
            long key = page + CachedBatch.key(layer, shape, kvHead, 0, 0) * 4;
            long value = page + CachedBatch.value(layer, shape, kvHead, 0, 0) * 4;
            int from = Math.max(0, oldest - p * PAGE);
            int to = Math.min(PAGE, position + 1 - p * PAGE);
            for (int g = 0; g < group; g++) {
                page(from, to, hd, cap, key, value, queries + 4L * g * padded, scores, maxima + 4L * g, sums + 4L * g,
                        mixes + 4L * g * padded);
            }
        }
        long at = out + (row * shape.outWidth() + (long) kvHead * group * hd) * 4;
        for (int g = 0; g < group; g++) {
            float share = 1 / get(sums + 4L * g);
            for (int d = 0; d < hd; d++) {
                set(at + 4L * (g * hd + d), get(mixes + 4L * (g * padded + d)) * share);
            }
        }
    }

    /** What the keys and values {@code from} … {@code to} - 1 of a page do to a head's sums. */
    private static void page(int from, int to, int hd, float cap, long key, long value, long query, long scores,
            long max,
            long sum, long mix) {
        for (int j = 0; j < to; j += SUMS * LANES) {
            scores(hd, key + j * 4L, query, scores + j * 4L);
        }
        if (cap != 0) {
            VectorSoftcap.apply(to, cap, scores);
        }
        for (int j = 0; j < from; j++) {
            set(scores + j * 4L, Float.NEGATIVE_INFINITY);
        }
        for (int j = to; j < PAGE; j++) {
            set(scores + j * 4L, Float.NEGATIVE_INFINITY);
        }
        float oldMax = get(max);
        float newMax = Math.max(oldMax, max(scores));
        set(max, newMax);
        float factor = powers(scores, oldMax, newMax);
        float total = 0;
        for (int j = from; j < to; j++) {
            total += get(scores + j * 4L);
        }
        set(sum, Math.fma(get(sum), factor, total));
        int whole = hd / LANES * LANES;
        int d = 0;
        for (; d + SUMS * LANES <= whole; d += SUMS * LANES) {
            mixFour(from, to, scores, value + d * 4L, hd * 4L, factor, mix + d * 4L);
        }
        for (; d < whole; d += LANES) {
            mixOne(from, to, scores, value + d * 4L, hd * 4L, factor, mix + d * 4L);
        }
        if (d < hd) {
            mixPart(from, to, scores, value + d * 4L, hd * 4L, factor, VectorMemory.tail(hd), mix + d * 4L);
        }
    }

    /** Products of a query with SUMS · LANES neighbouring keys. */
    private static void scores(int hd, long key, long query, long scores) {
        FloatVector s0 = FloatVector.zero(SPECIES);
        FloatVector s1 = s0;
        FloatVector s2 = s0;
        FloatVector s3 = s0;
        long at = key;
        for (int d = 0; d < hd; d++) {
            FloatVector q = splat(get(query + d * 4L));
            s0 = FloatVector.fromMemorySegment(SPECIES, ALL, at, ORDER).fma(q, s0);
            s1 = FloatVector.fromMemorySegment(SPECIES, ALL, at + VECTOR_BYTES, ORDER).fma(q, s1);
            s2 = FloatVector.fromMemorySegment(SPECIES, ALL, at + 2 * VECTOR_BYTES, ORDER).fma(q, s2);
            s3 = FloatVector.fromMemorySegment(SPECIES, ALL, at + 3 * VECTOR_BYTES, ORDER).fma(q, s3);
            at += KEY_ROW;
        }
        s0.intoMemorySegment(ALL, scores, ORDER);
        s1.intoMemorySegment(ALL, scores + VECTOR_BYTES, ORDER);
        s2.intoMemorySegment(ALL, scores + 2 * VECTOR_BYTES, ORDER);
        s3.intoMemorySegment(ALL, scores + 3 * VECTOR_BYTES, ORDER);
    }

    private static float max(long scores) {
        FloatVector most = load(scores);
        for (int j = LANES; j < PAGE; j += LANES) {
            FloatVector s = load(scores + j * 4L);
            most = most.blend(s, most.lt(s));
        }
        return most.reduceLanes(VectorOperators.MAX);
    }

    /** Scores become 2^(score - newMax); returns 2^(oldMax - newMax), the factor on what was summed with the old maximum. */
    private static float powers(long scores, float oldMax, float newMax) {
        FloatVector shift = splat(newMax);
        for (int j = 0; j < PAGE; j += LANES) {
            store(VectorMath.exp2(load(scores + j * 4L).sub(shift)), scores + j * 4L);
        }
        return oldMax == newMax ? 1 : VectorMath.exp2(splat(oldMax).sub(shift)).lane(0);
    }

    /** mix = factor · mix + Σ p[j] · value[j] over SUMS vectors of dimensions. */
    private static void mixFour(int from, int to, long p, long value, long valueRow, float factor, long mix) {
        FloatVector f = splat(factor);
        FloatVector m0 = FloatVector.fromMemorySegment(SPECIES, ALL, mix, ORDER).mul(f);
        FloatVector m1 = FloatVector.fromMemorySegment(SPECIES, ALL, mix + VECTOR_BYTES, ORDER).mul(f);
        FloatVector m2 = FloatVector.fromMemorySegment(SPECIES, ALL, mix + 2 * VECTOR_BYTES, ORDER).mul(f);
        FloatVector m3 = FloatVector.fromMemorySegment(SPECIES, ALL, mix + 3 * VECTOR_BYTES, ORDER).mul(f);
        long at = value + from * valueRow;
        for (int j = from; j < to; j++) {
            FloatVector w = splat(get(p + j * 4L));
            m0 = FloatVector.fromMemorySegment(SPECIES, ALL, at, ORDER).fma(w, m0);
            m1 = FloatVector.fromMemorySegment(SPECIES, ALL, at + VECTOR_BYTES, ORDER).fma(w, m1);
            m2 = FloatVector.fromMemorySegment(SPECIES, ALL, at + 2 * VECTOR_BYTES, ORDER).fma(w, m2);
            m3 = FloatVector.fromMemorySegment(SPECIES, ALL, at + 3 * VECTOR_BYTES, ORDER).fma(w, m3);
            at += valueRow;
        }
        m0.intoMemorySegment(ALL, mix, ORDER);
        m1.intoMemorySegment(ALL, mix + VECTOR_BYTES, ORDER);
        m2.intoMemorySegment(ALL, mix + 2 * VECTOR_BYTES, ORDER);
        m3.intoMemorySegment(ALL, mix + 3 * VECTOR_BYTES, ORDER);
    }

    /** As {@link #mixFour} for one vector. */
    private static void mixOne(int from, int to, long p, long value, long valueRow, float factor, long mix) {
        FloatVector m = load(mix).mul(splat(factor));
        for (int j = from; j < to; j++) {
            m = FloatVector.fromMemorySegment(SPECIES, ALL, value + j * valueRow, ORDER).fma(splat(get(p + j * 4L)), m);
        }
        store(m, mix);
    }

    /** As {@link #mixOne} for the last dimensions, fewer than a vector: behind them may be the end of the page. */
    private static void mixPart(int from, int to, long p, long value, long valueRow, float factor,
            VectorMask<Float> lanes, long mix) {
        FloatVector m = load(mix).mul(splat(factor));
        for (int j = from; j < to; j++) {
            m = FloatVector.fromMemorySegment(SPECIES, ALL, value + j * valueRow, ORDER, lanes)
                    .fma(splat(get(p + j * 4L)), m);
        }
        store(m, mix);
    }
}
