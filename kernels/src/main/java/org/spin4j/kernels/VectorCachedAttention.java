package org.spin4j.kernels;

import static org.spin4j.kernels.Memory.ALL;
import static org.spin4j.kernels.VectorMemory.LANES;
import static org.spin4j.kernels.VectorMemory.ORDER;
import static org.spin4j.kernels.VectorMemory.SPECIES;
import static org.spin4j.kernels.VectorMemory.VECTOR_BYTES;
import static org.spin4j.kernels.VectorMemory.get;
import static org.spin4j.kernels.VectorMemory.load;
import static org.spin4j.kernels.VectorMemory.roundUp;
import static org.spin4j.kernels.VectorMemory.splat;
import static org.spin4j.kernels.VectorMemory.store;
import static org.spin4j.kernels.VectorMemory.sum;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * Attention of one new token per stream over its cache. There is one query to a head, so the lanes run along the head here;
 * a stream is computed by one task, the same way whatever streams stand beside it.
 */
final class VectorCachedAttention {
    private final Parallel parallel;
    private final Scratch scratch = new Scratch();

    VectorCachedAttention(Parallel parallel) {
        this.parallel = parallel;
    }

    void attend(AttentionShape shape, int streams, int[] slots, int[] positions, int capacity, long qkv, long cache,
            long out) {
        parallel.forEach(streams, i -> {
            long rowBytes = shape.cacheWidth() * 4L;
            long row = qkv + (long) i * shape.qkvWidth() * 4;
            long slot = cache + (long) slots[i] * capacity * rowBytes;
            int position = positions[i];
            VectorMemory.copy(shape.cacheWidth(), row + shape.outWidth() * 4L, slot + position * rowBytes);
            int first = shape.window() == 0 ? 0 : Math.max(0, position - shape.window() + 1);
            for (int h = 0; h < shape.heads(); h++) {
                long at = (long) h * shape.headDim() * 4;
                long key = slot + first * rowBytes
                        + (long) (h / (shape.heads() / shape.kvHeads())) * shape.headDim() * 4;
                head(shape, position - first + 1, row + at, key, rowBytes, out + (long) i * shape.outWidth() * 4 + at);
            }
        });
    }

    private void head(AttentionShape shape, int keys, long query, long key, long rowBytes, long out) {
        int hd = shape.headDim();
        int padded = roundUp(keys, LANES);
        long scores = scratch.floats(padded + VectorTranspose.SQUARE);
        scores(hd, (float) shape.scale(), keys, query, key, rowBytes, scores, scores + padded * 4L);
        if (shape.softcap() != 0) {
            VectorSoftcap.apply(keys, (float) shape.softcap(), scores);
        }
        float share = 1 / softmax(padded, scores);
        long value = key + (long) shape.kvHeads() * hd * 4;
        int d = 0;
        for (; d + 2 * LANES <= hd; d += 2 * LANES) {
            mixTwo(keys, scores, value + d * 4L, rowBytes, share, out + d * 4L);
        }
        for (; d < hd; d += LANES) {
            VectorMask<Float> lanes = SPECIES.indexInRange(d, hd);
            mix(keys, scores, value + d * 4L, rowBytes, share, lanes, out + d * 4L);
        }
    }

    /** Scores of LANES keys at a time: products along the head, then their sums; minus infinity behind the last key. */
    private static void scores(int hd, float scale, int keys, long query, long key, long rowBytes, long scores,
            long square) {
        int whole = hd / LANES * LANES;
        VectorMask<Float> tail = VectorMemory.tail(hd);
        for (int j = 0; j < keys; j += LANES) {
            int count = Math.min(LANES, keys - j);
            for (int i = 0; i < count; i++) {
                long at = key + (j + i) * rowBytes;
                FloatVector s = FloatVector.zero(SPECIES);
                for (int d = 0; d < whole; d += LANES) {
                    s = FloatVector.fromMemorySegment(SPECIES, ALL, at + d * 4L, ORDER)
                            .fma(FloatVector.fromMemorySegment(SPECIES, ALL, query + d * 4L, ORDER), s);
                }
                if (whole < hd) {
                    s = FloatVector.fromMemorySegment(SPECIES, ALL, at + whole * 4L, ORDER, tail)
                            .fma(FloatVector.fromMemorySegment(SPECIES, ALL, query + whole * 4L, ORDER, tail), s);
                }
                s.intoMemorySegment(ALL, square + i * VECTOR_BYTES, ORDER);
            }
            FloatVector sums = VectorTranspose.rowSums(square).mul(scale);
            if (count < LANES) {
                sums = splat(Float.NEGATIVE_INFINITY).blend(sums, SPECIES.indexInRange(j, keys));
            }
            sums.intoMemorySegment(ALL, scores + j * 4L, ORDER);
        }
    }

    /** Scores become exp(score - maximum); returns their sum. */
    private static float softmax(int n, long scores) {
        FloatVector most = splat(Float.NEGATIVE_INFINITY);
        for (int j = 0; j < n; j += LANES) {
            FloatVector s = load(scores + j * 4L);
            most = most.blend(s, most.lt(s));
        }
        float max = most.reduceLanes(VectorOperators.MAX);
        FloatVector sums = splat(0);
        for (int j = 0; j < n; j += LANES) {
            FloatVector p = VectorMath.exp(load(scores + j * 4L).sub(max));
            sums = sums.add(p);
            store(p, scores + j * 4L);
        }
        return sum(sums);
    }

    /** Σ p[j] · value[j] over two vectors of the head; two sums each, because one would wait for its own last addition. */
    private static void mixTwo(int keys, long p, long value, long rowBytes, float share, long out) {
        FloatVector a0 = splat(0);
        FloatVector a1 = a0;
        FloatVector b0 = a0;
        FloatVector b1 = a0;
        int j = 0;
        for (; j + 2 <= keys; j += 2) {
            long at = value + j * rowBytes;
            FloatVector p0 = splat(get(p + j * 4L));
            FloatVector p1 = splat(get(p + j * 4L + 4));
            a0 = p0.fma(FloatVector.fromMemorySegment(SPECIES, ALL, at, ORDER), a0);
            b0 = p0.fma(FloatVector.fromMemorySegment(SPECIES, ALL, at + VECTOR_BYTES, ORDER), b0);
            a1 = p1.fma(FloatVector.fromMemorySegment(SPECIES, ALL, at + rowBytes, ORDER), a1);
            b1 = p1.fma(FloatVector.fromMemorySegment(SPECIES, ALL, at + rowBytes + VECTOR_BYTES, ORDER), b1);
        }
        if (j < keys) {
            long at = value + j * rowBytes;
            FloatVector p0 = splat(get(p + j * 4L));
            a0 = p0.fma(FloatVector.fromMemorySegment(SPECIES, ALL, at, ORDER), a0);
            b0 = p0.fma(FloatVector.fromMemorySegment(SPECIES, ALL, at + VECTOR_BYTES, ORDER), b0);
        }
        a0.add(a1).mul(share).intoMemorySegment(ALL, out, ORDER);
        b0.add(b1).mul(share).intoMemorySegment(ALL, out + VECTOR_BYTES, ORDER);
    }

    /** As {@link #mixTwo} for one vector, of which only {@code lanes} belong to the head. */
    private static void mix(int keys, long p, long value, long rowBytes, float share, VectorMask<Float> lanes,
            long out) {
        FloatVector a0 = splat(0);
        FloatVector a1 = a0;
        int j = 0;
        for (; j + 2 <= keys; j += 2) {
            long at = value + j * rowBytes;
            a0 = splat(get(p + j * 4L)).fma(FloatVector.fromMemorySegment(SPECIES, ALL, at, ORDER, lanes), a0);
            a1 = splat(get(p + j * 4L + 4))
                    .fma(FloatVector.fromMemorySegment(SPECIES, ALL, at + rowBytes, ORDER, lanes), a1);
        }
        if (j < keys) {
            a0 = splat(get(p + j * 4L))
                    .fma(FloatVector.fromMemorySegment(SPECIES, ALL, value + j * rowBytes, ORDER, lanes), a0);
        }
        a0.add(a1).mul(share).intoMemorySegment(ALL, out, ORDER, lanes);
    }
}
