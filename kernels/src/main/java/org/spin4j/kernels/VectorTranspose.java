package org.spin4j.kernels;

import static org.spin4j.kernels.Memory.ALL;
import static org.spin4j.kernels.VectorMemory.LANES;
import static org.spin4j.kernels.VectorMemory.SPECIES;
import static org.spin4j.kernels.VectorMemory.VECTOR_BYTES;
import static org.spin4j.kernels.VectorMemory.ORDER;

import java.util.List;
import java.util.stream.IntStream;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;

/**
 * Transposes small matrices square by square, LANES numbers each way, by Eklundh's method: halves, quarters, … of a square change
 * places with their mirror images, one lane-swap and one blend per vector and step. Number by number it took a third of the
 * whole time of attention.
 */
final class VectorTranspose {
    /** Floats of scratch memory that a square needs. */
    static final int SQUARE = LANES * LANES;

    private static final int STEPS = Integer.numberOfTrailingZeros(LANES);
    /** For each power of two, lanes that far apart change places. */
    private static final List<VectorShuffle<Float>> SWAPS = IntStream.range(0, STEPS)
            .mapToObj(step -> VectorShuffle.fromOp(SPECIES, lane -> lane ^ 1 << step)).toList();
    /** For each power of two, the lanes whose number has that bit. */
    private static final List<VectorMask<Float>> UPPER = IntStream.range(0, STEPS)
            .mapToObj(step -> SWAPS.get(step).toVector().lt(FloatVector.zero(SPECIES).addIndex(1))).toList();

    private VectorTranspose() {}

    /**
     * Rows to columns: columns[j, i] = factor · rows[i, j].
     *
     * @param count    rows, at most {@code vectors · LANES}
     * @param n        numbers in a row
     * @param columns  [n rounded up to LANES, vectors]; lanes without a row become 0
     * @param stride   bytes from one row of columns to the next
     * @param square   scratch memory
     */
    static void toColumns(int count, int n, long rows, long rowBytes, float factor, int vectors, long columns,
            long stride, long square) {
        for (int v = 0; v < vectors; v++) {
            int height = Math.min(LANES, count - v * LANES);
            for (int j = 0; j < n; j += LANES) {
                long from = rows + (long) v * LANES * rowBytes + j * 4L;
                if (j + LANES <= n) {
                    for (int i = 0; i < height; i++) {
                        FloatVector.fromMemorySegment(SPECIES, ALL, from + i * rowBytes, ORDER).mul(factor)
                                .intoMemorySegment(ALL, square + i * VECTOR_BYTES, ORDER);
                    }
                } else {
                    VectorMask<Float> tail = VectorMemory.tail(n);
                    for (int i = 0; i < height; i++) {
                        FloatVector.fromMemorySegment(SPECIES, ALL, from + i * rowBytes, ORDER, tail).mul(factor)
                                .intoMemorySegment(ALL, square + i * VECTOR_BYTES, ORDER);
                    }
                }
                for (int i = height; i < LANES; i++) {
                    FloatVector.zero(SPECIES).intoMemorySegment(ALL, square + i * VECTOR_BYTES, ORDER);
                }
                transpose(square);
                long to = columns + j * stride + v * VECTOR_BYTES;
                for (int i = 0; i < LANES; i++) {
                    FloatVector.fromMemorySegment(SPECIES, ALL, square + i * VECTOR_BYTES, ORDER).intoMemorySegment(ALL,
                            to + i * stride, ORDER);
                }
            }
        }
    }

    /**
     * Columns to rows, the reverse: rows[i, j] = factors[i] · columns[j, i].
     *
     * @param columns [n rounded up to LANES, vectors]; rows from n on may hold anything
     * @param factors [vectors]
     */
    static void toRows(int count, int n, long columns, long stride, int vectors, long factors, long rows, long rowBytes,
            long square) {
        for (int v = 0; v < vectors; v++) {
            int height = Math.min(LANES, count - v * LANES);
            FloatVector factor = FloatVector.fromMemorySegment(SPECIES, ALL, factors + v * VECTOR_BYTES, ORDER);
            for (int j = 0; j < n; j += LANES) {
                long from = columns + j * stride + v * VECTOR_BYTES;
                for (int i = 0; i < LANES; i++) {
                    FloatVector.fromMemorySegment(SPECIES, ALL, from + i * stride, ORDER).mul(factor)
                            .intoMemorySegment(ALL, square + i * VECTOR_BYTES, ORDER);
                }
                transpose(square);
                long to = rows + (long) v * LANES * rowBytes + j * 4L;
                if (j + LANES <= n) {
                    for (int i = 0; i < height; i++) {
                        FloatVector.fromMemorySegment(SPECIES, ALL, square + i * VECTOR_BYTES, ORDER)
                                .intoMemorySegment(ALL, to + i * rowBytes, ORDER);
                    }
                } else {
                    VectorMask<Float> tail = VectorMemory.tail(n);
                    for (int i = 0; i < height; i++) {
                        FloatVector.fromMemorySegment(SPECIES, ALL, square + i * VECTOR_BYTES, ORDER)
                                .intoMemorySegment(ALL, to + i * rowBytes, ORDER, tail);
                    }
                }
            }
        }
    }

    /** Transposes a square of LANES vectors in place. */
    private static void transpose(long square) {
        for (int step = STEPS - 1; step >= 0; step--) {
            VectorShuffle<Float> swap = SWAPS.get(step);
            VectorMask<Float> upper = UPPER.get(step);
            int half = 1 << step;
            for (int i = 0; i < LANES; i++) {
                if ((i & half) == 0) {
                    long top = square + i * VECTOR_BYTES;
                    long bottom = top + half * VECTOR_BYTES;
                    FloatVector a = FloatVector.fromMemorySegment(SPECIES, ALL, top, ORDER);
                    FloatVector b = FloatVector.fromMemorySegment(SPECIES, ALL, bottom, ORDER);
                    a.blend(b.rearrange(swap), upper).intoMemorySegment(ALL, top, ORDER);
                    a.rearrange(swap).blend(b, upper).intoMemorySegment(ALL, bottom, ORDER);
                }
            }
        }
    }

    /**
     * The sum of each of LANES vectors, the first in lane 0. Halves are folded as in {@link VectorMemory#sum}, but of two vectors
     * at once: one gives its sums to the lower lanes, the other to the upper ones.
     *
     * @param square the vectors; overwritten
     */
    static FloatVector rowSums(long square) {
        for (int step = STEPS - 1; step >= 0; step--) {
            VectorShuffle<Float> swap = SWAPS.get(step);
            VectorMask<Float> upper = UPPER.get(step);
            int half = 1 << step;
            for (int i = 0; i < half; i++) {
                long at = square + i * VECTOR_BYTES;
                FloatVector a = FloatVector.fromMemorySegment(SPECIES, ALL, at, ORDER);
                FloatVector b = FloatVector.fromMemorySegment(SPECIES, ALL, at + half * VECTOR_BYTES, ORDER);
                a.blend(b, upper).add(b.blend(a, upper).rearrange(swap)).intoMemorySegment(ALL, at, ORDER);
            }
        }
        return FloatVector.fromMemorySegment(SPECIES, ALL, square, ORDER);
    }
}
