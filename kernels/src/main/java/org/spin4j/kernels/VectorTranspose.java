package org.spin4j.kernels;

import static org.spin4j.kernels.Memory.ALL;
import static org.spin4j.kernels.VectorMemory.LANES;
import static org.spin4j.kernels.VectorMemory.ORDER;
import static org.spin4j.kernels.VectorMemory.SPECIES;
import static org.spin4j.kernels.VectorMemory.VECTOR_BYTES;

import java.util.List;
import java.util.stream.IntStream;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Transposes small matrices square by square, LANES numbers each way, by Eklundh's method: halves, quarters, … of a square change
 * places with their mirror images, and one permutation of two vectors makes a row of it. A square of 16 stays in registers
 * from the first step to the last, which halves the time: a vector that is stored takes two cycles.
 */
final class VectorTranspose {
    /** Floats of scratch memory that a square needs. */
    static final int SQUARE = LANES * LANES;

    private static final int STEPS = Integer.numberOfTrailingZeros(LANES);
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    /** What a row takes from itself (lanes below LANES) and from its partner (from LANES on), for each step. */
    private static final int[] UPPER = lanes(true);
    private static final int[] LOWER = lanes(false);
    /** For each power of two, lanes that far apart change places. */
    private static final List<VectorShuffle<Float>> SWAPS = IntStream.range(0, STEPS)
            .mapToObj(step -> VectorShuffle.fromOp(SPECIES, lane -> lane ^ 1 << step)).toList();
    /** For each power of two, the lanes whose number has that bit. */
    private static final List<VectorMask<Float>> UPPER_LANES = IntStream.range(0, STEPS)
            .mapToObj(step -> SWAPS.get(step).toVector().lt(FloatVector.zero(SPECIES).addIndex(1))).toList();

    private VectorTranspose() {}

    private static int[] lanes(boolean ofUpperRow) {
        int[] lanes = new int[STEPS * LANES];
        for (int step = 0; step < STEPS; step++) {
            int d = LANES >> (step + 1);
            for (int l = 0; l < LANES; l++) {
                boolean left = (l & d) == 0;
                lanes[step * LANES + l] = ofUpperRow ? (left ? l : LANES + l - d) : (left ? l + d : LANES + l);
            }
        }
        return lanes;
    }

    /**
     * Transposes a square of LANES × LANES numbers of 32 bits, bit by bit as they are.
     *
     * @param from    address of the first row
     * @param fromRow bytes from one row to the next
     * @param to      address of the first row of the result; the square may be transposed in place
     * @param toRow   bytes from one row of the result to the next
     */
    static void square(long from, long fromRow, long to, long toRow) {
        if (LANES == 16) {
            square16(from, fromRow, to, toRow);
        } else {
            squareInSteps(from, fromRow, to, toRow);
        }
    }

    /** Step by step through memory: rows i and i + d exchange what is not yet on its side, for d = LANES/2, … 1. */
    private static void squareInSteps(long from, long fromRow, long to, long toRow) {
        for (int step = 0; step < STEPS; step++) {
            IntVector upper = IntVector.fromArray(INTS, UPPER, step * LANES);
            IntVector lower = IntVector.fromArray(INTS, LOWER, step * LANES);
            int d = LANES >> (step + 1);
            for (int pair = 0; pair < LANES / 2; pair++) {
                // Puts a 0 bit into the number of the pair where d has its 1 bit.
                int i = ((pair & -d) << 1) | (pair & (d - 1));
                IntVector a = IntVector.fromMemorySegment(INTS, ALL, from + i * fromRow, ORDER);
                IntVector b = IntVector.fromMemorySegment(INTS, ALL, from + (i + d) * fromRow, ORDER);
                upper.selectFrom(a, b).intoMemorySegment(ALL, to + i * toRow, ORDER);
                lower.selectFrom(a, b).intoMemorySegment(ALL, to + (i + d) * toRow, ORDER);
            }
            from = to;
            fromRow = toRow;
        }
    }

    /** The same steps for 16 lanes, all rows in registers, for which each has to have a name of its own. */
    private static void square16(long from, long fromRow, long to, long toRow) {
        IntVector r0 = IntVector.fromMemorySegment(INTS, ALL, from + 0 * fromRow, ORDER);
        IntVector r1 = IntVector.fromMemorySegment(INTS, ALL, from + 1 * fromRow, ORDER);
        IntVector r2 = IntVector.fromMemorySegment(INTS, ALL, from + 2 * fromRow, ORDER);
        IntVector r3 = IntVector.fromMemorySegment(INTS, ALL, from + 3 * fromRow, ORDER);
        IntVector r4 = IntVector.fromMemorySegment(INTS, ALL, from + 4 * fromRow, ORDER);
        IntVector r5 = IntVector.fromMemorySegment(INTS, ALL, from + 5 * fromRow, ORDER);
        IntVector r6 = IntVector.fromMemorySegment(INTS, ALL, from + 6 * fromRow, ORDER);
        IntVector r7 = IntVector.fromMemorySegment(INTS, ALL, from + 7 * fromRow, ORDER);
        IntVector r8 = IntVector.fromMemorySegment(INTS, ALL, from + 8 * fromRow, ORDER);
        IntVector r9 = IntVector.fromMemorySegment(INTS, ALL, from + 9 * fromRow, ORDER);
        IntVector r10 = IntVector.fromMemorySegment(INTS, ALL, from + 10 * fromRow, ORDER);
        IntVector r11 = IntVector.fromMemorySegment(INTS, ALL, from + 11 * fromRow, ORDER);
        IntVector r12 = IntVector.fromMemorySegment(INTS, ALL, from + 12 * fromRow, ORDER);
        IntVector r13 = IntVector.fromMemorySegment(INTS, ALL, from + 13 * fromRow, ORDER);
        IntVector r14 = IntVector.fromMemorySegment(INTS, ALL, from + 14 * fromRow, ORDER);
        IntVector r15 = IntVector.fromMemorySegment(INTS, ALL, from + 15 * fromRow, ORDER);
        IntVector top;
        // Rows 8 apart.
        IntVector upper8 = IntVector.fromArray(INTS, UPPER, 0 * LANES);
        IntVector lower8 = IntVector.fromArray(INTS, LOWER, 0 * LANES);
        top = upper8.selectFrom(r0, r8);
        r8 = lower8.selectFrom(r0, r8);
        r0 = top;
        top = upper8.selectFrom(r1, r9);
        r9 = lower8.selectFrom(r1, r9);
        r1 = top;
        top = upper8.selectFrom(r2, r10);
        r10 = lower8.selectFrom(r2, r10);
        r2 = top;
        top = upper8.selectFrom(r3, r11);
        r11 = lower8.selectFrom(r3, r11);
        r3 = top;
        top = upper8.selectFrom(r4, r12);
        r12 = lower8.selectFrom(r4, r12);
        r4 = top;
        top = upper8.selectFrom(r5, r13);
        r13 = lower8.selectFrom(r5, r13);
        r5 = top;
        top = upper8.selectFrom(r6, r14);
        r14 = lower8.selectFrom(r6, r14);
        r6 = top;
        top = upper8.selectFrom(r7, r15);
        r15 = lower8.selectFrom(r7, r15);
        r7 = top;
        // Rows 4 apart.
        IntVector upper4 = IntVector.fromArray(INTS, UPPER, 1 * LANES);
        IntVector lower4 = IntVector.fromArray(INTS, LOWER, 1 * LANES);
        top = upper4.selectFrom(r0, r4);
        r4 = lower4.selectFrom(r0, r4);
        r0 = top;
        top = upper4.selectFrom(r1, r5);
        r5 = lower4.selectFrom(r1, r5);
        r1 = top;
        top = upper4.selectFrom(r2, r6);
        r6 = lower4.selectFrom(r2, r6);
        r2 = top;
        top = upper4.selectFrom(r3, r7);
        r7 = lower4.selectFrom(r3, r7);
        r3 = top;
        top = upper4.selectFrom(r8, r12);
        r12 = lower4.selectFrom(r8, r12);
        r8 = top;
        top = upper4.selectFrom(r9, r13);
        r13 = lower4.selectFrom(r9, r13);
        r9 = top;
        top = upper4.selectFrom(r10, r14);
        r14 = lower4.selectFrom(r10, r14);
        r10 = top;
        top = upper4.selectFrom(r11, r15);
        r15 = lower4.selectFrom(r11, r15);
        r11 = top;
        // Rows 2 apart.
        IntVector upper2 = IntVector.fromArray(INTS, UPPER, 2 * LANES);
        IntVector lower2 = IntVector.fromArray(INTS, LOWER, 2 * LANES);
        top = upper2.selectFrom(r0, r2);
        r2 = lower2.selectFrom(r0, r2);
        r0 = top;
        top = upper2.selectFrom(r1, r3);
        r3 = lower2.selectFrom(r1, r3);
        r1 = top;
        top = upper2.selectFrom(r4, r6);
        r6 = lower2.selectFrom(r4, r6);
        r4 = top;
        top = upper2.selectFrom(r5, r7);
        r7 = lower2.selectFrom(r5, r7);
        r5 = top;
        top = upper2.selectFrom(r8, r10);
        r10 = lower2.selectFrom(r8, r10);
        r8 = top;
        top = upper2.selectFrom(r9, r11);
        r11 = lower2.selectFrom(r9, r11);
        r9 = top;
        top = upper2.selectFrom(r12, r14);
        r14 = lower2.selectFrom(r12, r14);
        r12 = top;
        top = upper2.selectFrom(r13, r15);
        r15 = lower2.selectFrom(r13, r15);
        r13 = top;
        // Rows 1 apart.
        IntVector upper1 = IntVector.fromArray(INTS, UPPER, 3 * LANES);
        IntVector lower1 = IntVector.fromArray(INTS, LOWER, 3 * LANES);
        top = upper1.selectFrom(r0, r1);
        r1 = lower1.selectFrom(r0, r1);
        r0 = top;
        top = upper1.selectFrom(r2, r3);
        r3 = lower1.selectFrom(r2, r3);
        r2 = top;
        top = upper1.selectFrom(r4, r5);
        r5 = lower1.selectFrom(r4, r5);
        r4 = top;
        top = upper1.selectFrom(r6, r7);
        r7 = lower1.selectFrom(r6, r7);
        r6 = top;
        top = upper1.selectFrom(r8, r9);
        r9 = lower1.selectFrom(r8, r9);
        r8 = top;
        top = upper1.selectFrom(r10, r11);
        r11 = lower1.selectFrom(r10, r11);
        r10 = top;
        top = upper1.selectFrom(r12, r13);
        r13 = lower1.selectFrom(r12, r13);
        r12 = top;
        top = upper1.selectFrom(r14, r15);
        r15 = lower1.selectFrom(r14, r15);
        r14 = top;
        r0.intoMemorySegment(ALL, to + 0 * toRow, ORDER);
        r1.intoMemorySegment(ALL, to + 1 * toRow, ORDER);
        r2.intoMemorySegment(ALL, to + 2 * toRow, ORDER);
        r3.intoMemorySegment(ALL, to + 3 * toRow, ORDER);
        r4.intoMemorySegment(ALL, to + 4 * toRow, ORDER);
        r5.intoMemorySegment(ALL, to + 5 * toRow, ORDER);
        r6.intoMemorySegment(ALL, to + 6 * toRow, ORDER);
        r7.intoMemorySegment(ALL, to + 7 * toRow, ORDER);
        r8.intoMemorySegment(ALL, to + 8 * toRow, ORDER);
        r9.intoMemorySegment(ALL, to + 9 * toRow, ORDER);
        r10.intoMemorySegment(ALL, to + 10 * toRow, ORDER);
        r11.intoMemorySegment(ALL, to + 11 * toRow, ORDER);
        r12.intoMemorySegment(ALL, to + 12 * toRow, ORDER);
        r13.intoMemorySegment(ALL, to + 13 * toRow, ORDER);
        r14.intoMemorySegment(ALL, to + 14 * toRow, ORDER);
        r15.intoMemorySegment(ALL, to + 15 * toRow, ORDER);
    }

    /**
     * Rows to columns: columns[j, i] = rows[i, j].
     *
     * @param count    rows, at most {@code vectors · LANES}
     * @param n        numbers in a row
     * @param columns  [n rounded up to LANES, vectors]; lanes without a row become 0
     * @param stride   bytes from one row of columns to the next
     * @param square   scratch memory
     */
    static void toColumns(int count, int n, long rows, long rowBytes, int vectors, long columns, long stride,
            long square) {
        for (int v = 0; v < vectors; v++) {
            int height = Math.min(LANES, count - v * LANES);
            for (int j = 0; j < n; j += LANES) {
                long from = rows + (long) v * LANES * rowBytes + j * 4L;
                long to = columns + j * stride + v * VECTOR_BYTES;
                if (height == LANES && j + LANES <= n) {
                    square(from, rowBytes, to, stride);
                } else {
                    VectorMask<Float> mask = SPECIES.indexInRange(j, n);
                    for (int i = 0; i < height; i++) {
                        FloatVector.fromMemorySegment(SPECIES, ALL, from + i * rowBytes, ORDER, mask)
                                .intoMemorySegment(ALL, square + i * VECTOR_BYTES, ORDER);
                    }
                    for (int i = height; i < LANES; i++) {
                        FloatVector.zero(SPECIES).intoMemorySegment(ALL, square + i * VECTOR_BYTES, ORDER);
                    }
                    square(square, VECTOR_BYTES, to, stride);
                }
            }
        }
    }

    /**
     * Columns to rows, the reverse: rows[i, j] = columns[j, i].
     *
     * @param columns [n rounded up to LANES, vectors]; rows from n on may hold anything
     */
    static void toRows(int count, int n, long columns, long stride, int vectors, long rows, long rowBytes,
            long square) {
        for (int v = 0; v < vectors; v++) {
            int height = Math.min(LANES, count - v * LANES);
            for (int j = 0; j < n; j += LANES) {
                long from = columns + j * stride + v * VECTOR_BYTES;
                long to = rows + (long) v * LANES * rowBytes + j * 4L;
                if (height == LANES && j + LANES <= n) {
                    square(from, stride, to, rowBytes);
                } else {
                    square(from, stride, square, VECTOR_BYTES);
                    VectorMask<Float> mask = SPECIES.indexInRange(j, n);
                    for (int i = 0; i < height; i++) {
                        FloatVector.fromMemorySegment(SPECIES, ALL, square + i * VECTOR_BYTES, ORDER)
                                .intoMemorySegment(ALL, to + i * rowBytes, ORDER, mask);
                    }
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
            VectorMask<Float> upper = UPPER_LANES.get(step);
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
