package org.spin4j.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The innermost loops of the matrix product: a tile of C stays in registers while k runs, each step loads a few vectors of
 * B and multiplies them by single numbers of A. The same loop six times, for 6 rows, 4 or 1 and for 4 vectors or 2 of
 * columns, because the just-in-time compiler keeps vectors in registers only as long as each has a name of its own. Every
 * element of C is one chain of fused multiply-adds over k, from 0 upwards, whichever of the six computes it.
 *
 * <p>The loops call the Vector API by itself, not through {@link #load} and {@link #store}: where a method has used up C2's node
 * budget, only the API's own methods are still inlined. Behind a call to anything else each vector is an object on the heap;
 * with seven such stores a tile took 320 cycles longer (measured on AVX-512, JDK 25). C1 sets a limit too: a tile of 6×4 that
 * also adds what C held has more values than C1 can name, and where C1 refuses a method it has begun to profile, C2 may never
 * see it.
 *
 * <p>Operands come as addresses with strides in bytes, so packed panels, plain rows and columns of a transposed matrix all
 * go through the same code. 6×4 vectors load B from the second-level cache a third less often than 4×4, which AVX-512 units
 * of full width wait for (Zen 5: 4 % faster); 12×2 and 7×3 measured the same, 8×3 falls to a fifth.
 */
final class VectorTile {
    static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    static final int LANES = SPECIES.length();
    private static final long VECTOR_BYTES = LANES * 4L;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final MemorySegment ALL = Memory.ALL;

    private VectorTile() {}

    /**
     * C tile of 6 rows and 4 vectors = A · B.
     *
     * @param a          address of A's first row
     * @param rowBytes   from one row of A to the next
     * @param stepBytes  from one k to the next in A
     * @param rows       how many rows A has, 5 or 6; a missing one repeats the first and means nothing
     * @param b          address of B's vectors for k = 0
     * @param bStepBytes from one k to the next in B
     * @param c          where the tile is stored, all 6 rows of it
     */
    static void rows6Vectors4(long a, long rowBytes, long stepBytes, int rows, long b, long bStepBytes, int k, long c,
            long cRowBytes) {
        long a1 = a + rowBytes;
        long a2 = a1 + rowBytes;
        long a3 = a2 + rowBytes;
        long a4 = a3 + rowBytes;
        long a5 = rows > 5 ? a4 + rowBytes : a;
        FloatVector c00 = FloatVector.zero(SPECIES);
        FloatVector c01 = FloatVector.zero(SPECIES);
        FloatVector c02 = FloatVector.zero(SPECIES);
        FloatVector c03 = FloatVector.zero(SPECIES);
        FloatVector c10 = FloatVector.zero(SPECIES);
        FloatVector c11 = FloatVector.zero(SPECIES);
        FloatVector c12 = FloatVector.zero(SPECIES);
        FloatVector c13 = FloatVector.zero(SPECIES);
        FloatVector c20 = FloatVector.zero(SPECIES);
        FloatVector c21 = FloatVector.zero(SPECIES);
        FloatVector c22 = FloatVector.zero(SPECIES);
        FloatVector c23 = FloatVector.zero(SPECIES);
        FloatVector c30 = FloatVector.zero(SPECIES);
        FloatVector c31 = FloatVector.zero(SPECIES);
        FloatVector c32 = FloatVector.zero(SPECIES);
        FloatVector c33 = FloatVector.zero(SPECIES);
        FloatVector c40 = FloatVector.zero(SPECIES);
        FloatVector c41 = FloatVector.zero(SPECIES);
        FloatVector c42 = FloatVector.zero(SPECIES);
        FloatVector c43 = FloatVector.zero(SPECIES);
        FloatVector c50 = FloatVector.zero(SPECIES);
        FloatVector c51 = FloatVector.zero(SPECIES);
        FloatVector c52 = FloatVector.zero(SPECIES);
        FloatVector c53 = FloatVector.zero(SPECIES);
        long step = 0;
        long bStep = 0;
        for (int p = 0; p < k; p++) {
            long bp = b + bStep;
            FloatVector b0 = FloatVector.fromMemorySegment(SPECIES, ALL, bp, ORDER);
            FloatVector b1 = FloatVector.fromMemorySegment(SPECIES, ALL, bp + VECTOR_BYTES, ORDER);
            FloatVector b2 = FloatVector.fromMemorySegment(SPECIES, ALL, bp + 2 * VECTOR_BYTES, ORDER);
            FloatVector b3 = FloatVector.fromMemorySegment(SPECIES, ALL, bp + 3 * VECTOR_BYTES, ORDER);
            FloatVector x0 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a + step));
            c00 = x0.fma(b0, c00);
            c01 = x0.fma(b1, c01);
            c02 = x0.fma(b2, c02);
            c03 = x0.fma(b3, c03);
            FloatVector x1 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a1 + step));
            c10 = x1.fma(b0, c10);
            c11 = x1.fma(b1, c11);
            c12 = x1.fma(b2, c12);
            c13 = x1.fma(b3, c13);
            FloatVector x2 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a2 + step));
            c20 = x2.fma(b0, c20);
            c21 = x2.fma(b1, c21);
            c22 = x2.fma(b2, c22);
            c23 = x2.fma(b3, c23);
            FloatVector x3 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a3 + step));
            c30 = x3.fma(b0, c30);
            c31 = x3.fma(b1, c31);
            c32 = x3.fma(b2, c32);
            c33 = x3.fma(b3, c33);
            FloatVector x4 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a4 + step));
            c40 = x4.fma(b0, c40);
            c41 = x4.fma(b1, c41);
            c42 = x4.fma(b2, c42);
            c43 = x4.fma(b3, c43);
            FloatVector x5 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a5 + step));
            c50 = x5.fma(b0, c50);
            c51 = x5.fma(b1, c51);
            c52 = x5.fma(b2, c52);
            c53 = x5.fma(b3, c53);
            step += stepBytes;
            bStep += bStepBytes;
        }
        c00.intoMemorySegment(ALL, c, ORDER);
        c01.intoMemorySegment(ALL, c + VECTOR_BYTES, ORDER);
        c02.intoMemorySegment(ALL, c + 2 * VECTOR_BYTES, ORDER);
        c03.intoMemorySegment(ALL, c + 3 * VECTOR_BYTES, ORDER);
        c10.intoMemorySegment(ALL, c + cRowBytes, ORDER);
        c11.intoMemorySegment(ALL, c + cRowBytes + VECTOR_BYTES, ORDER);
        c12.intoMemorySegment(ALL, c + cRowBytes + 2 * VECTOR_BYTES, ORDER);
        c13.intoMemorySegment(ALL, c + cRowBytes + 3 * VECTOR_BYTES, ORDER);
        c20.intoMemorySegment(ALL, c + 2 * cRowBytes, ORDER);
        c21.intoMemorySegment(ALL, c + 2 * cRowBytes + VECTOR_BYTES, ORDER);
        c22.intoMemorySegment(ALL, c + 2 * cRowBytes + 2 * VECTOR_BYTES, ORDER);
        c23.intoMemorySegment(ALL, c + 2 * cRowBytes + 3 * VECTOR_BYTES, ORDER);
        c30.intoMemorySegment(ALL, c + 3 * cRowBytes, ORDER);
        c31.intoMemorySegment(ALL, c + 3 * cRowBytes + VECTOR_BYTES, ORDER);
        c32.intoMemorySegment(ALL, c + 3 * cRowBytes + 2 * VECTOR_BYTES, ORDER);
        c33.intoMemorySegment(ALL, c + 3 * cRowBytes + 3 * VECTOR_BYTES, ORDER);
        c40.intoMemorySegment(ALL, c + 4 * cRowBytes, ORDER);
        c41.intoMemorySegment(ALL, c + 4 * cRowBytes + VECTOR_BYTES, ORDER);
        c42.intoMemorySegment(ALL, c + 4 * cRowBytes + 2 * VECTOR_BYTES, ORDER);
        c43.intoMemorySegment(ALL, c + 4 * cRowBytes + 3 * VECTOR_BYTES, ORDER);
        c50.intoMemorySegment(ALL, c + 5 * cRowBytes, ORDER);
        c51.intoMemorySegment(ALL, c + 5 * cRowBytes + VECTOR_BYTES, ORDER);
        c52.intoMemorySegment(ALL, c + 5 * cRowBytes + 2 * VECTOR_BYTES, ORDER);
        c53.intoMemorySegment(ALL, c + 5 * cRowBytes + 3 * VECTOR_BYTES, ORDER);
    }

    /** As {@link #rows6Vectors4}, half as wide: 12 accumulators, all that 16 registers allow. */
    static void rows6Vectors2(long a, long rowBytes, long stepBytes, int rows, long b, long bStepBytes, int k, long c,
            long cRowBytes) {
        long a1 = a + rowBytes;
        long a2 = a1 + rowBytes;
        long a3 = a2 + rowBytes;
        long a4 = a3 + rowBytes;
        long a5 = rows > 5 ? a4 + rowBytes : a;
        FloatVector c00 = FloatVector.zero(SPECIES);
        FloatVector c01 = FloatVector.zero(SPECIES);
        FloatVector c10 = FloatVector.zero(SPECIES);
        FloatVector c11 = FloatVector.zero(SPECIES);
        FloatVector c20 = FloatVector.zero(SPECIES);
        FloatVector c21 = FloatVector.zero(SPECIES);
        FloatVector c30 = FloatVector.zero(SPECIES);
        FloatVector c31 = FloatVector.zero(SPECIES);
        FloatVector c40 = FloatVector.zero(SPECIES);
        FloatVector c41 = FloatVector.zero(SPECIES);
        FloatVector c50 = FloatVector.zero(SPECIES);
        FloatVector c51 = FloatVector.zero(SPECIES);
        long step = 0;
        long bStep = 0;
        for (int p = 0; p < k; p++) {
            long bp = b + bStep;
            FloatVector b0 = FloatVector.fromMemorySegment(SPECIES, ALL, bp, ORDER);
            FloatVector b1 = FloatVector.fromMemorySegment(SPECIES, ALL, bp + VECTOR_BYTES, ORDER);
            FloatVector x0 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a + step));
            c00 = x0.fma(b0, c00);
            c01 = x0.fma(b1, c01);
            FloatVector x1 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a1 + step));
            c10 = x1.fma(b0, c10);
            c11 = x1.fma(b1, c11);
            FloatVector x2 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a2 + step));
            c20 = x2.fma(b0, c20);
            c21 = x2.fma(b1, c21);
            FloatVector x3 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a3 + step));
            c30 = x3.fma(b0, c30);
            c31 = x3.fma(b1, c31);
            FloatVector x4 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a4 + step));
            c40 = x4.fma(b0, c40);
            c41 = x4.fma(b1, c41);
            FloatVector x5 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a5 + step));
            c50 = x5.fma(b0, c50);
            c51 = x5.fma(b1, c51);
            step += stepBytes;
            bStep += bStepBytes;
        }
        c00.intoMemorySegment(ALL, c, ORDER);
        c01.intoMemorySegment(ALL, c + VECTOR_BYTES, ORDER);
        c10.intoMemorySegment(ALL, c + cRowBytes, ORDER);
        c11.intoMemorySegment(ALL, c + cRowBytes + VECTOR_BYTES, ORDER);
        c20.intoMemorySegment(ALL, c + 2 * cRowBytes, ORDER);
        c21.intoMemorySegment(ALL, c + 2 * cRowBytes + VECTOR_BYTES, ORDER);
        c30.intoMemorySegment(ALL, c + 3 * cRowBytes, ORDER);
        c31.intoMemorySegment(ALL, c + 3 * cRowBytes + VECTOR_BYTES, ORDER);
        c40.intoMemorySegment(ALL, c + 4 * cRowBytes, ORDER);
        c41.intoMemorySegment(ALL, c + 4 * cRowBytes + VECTOR_BYTES, ORDER);
        c50.intoMemorySegment(ALL, c + 5 * cRowBytes, ORDER);
        c51.intoMemorySegment(ALL, c + 5 * cRowBytes + VECTOR_BYTES, ORDER);
    }

    /**
     * As {@link #rows6Vectors4} with 4 rows.
     *
     * @param rows how many rows A has, 2 to 4; the tile's other rows repeat the first and mean nothing
     */
    static void rows4Vectors4(long a, long rowBytes, long stepBytes, int rows, long b, long bStepBytes, int k, long c,
            long cRowBytes) {
        long a1 = rows > 1 ? a + rowBytes : a;
        long a2 = rows > 2 ? a1 + rowBytes : a;
        long a3 = rows > 3 ? a2 + rowBytes : a;
        FloatVector c00 = FloatVector.zero(SPECIES);
        FloatVector c01 = FloatVector.zero(SPECIES);
        FloatVector c02 = FloatVector.zero(SPECIES);
        FloatVector c03 = FloatVector.zero(SPECIES);
        FloatVector c10 = FloatVector.zero(SPECIES);
        FloatVector c11 = FloatVector.zero(SPECIES);
        FloatVector c12 = FloatVector.zero(SPECIES);
        FloatVector c13 = FloatVector.zero(SPECIES);
        FloatVector c20 = FloatVector.zero(SPECIES);
        FloatVector c21 = FloatVector.zero(SPECIES);
        FloatVector c22 = FloatVector.zero(SPECIES);
        FloatVector c23 = FloatVector.zero(SPECIES);
        FloatVector c30 = FloatVector.zero(SPECIES);
        FloatVector c31 = FloatVector.zero(SPECIES);
        FloatVector c32 = FloatVector.zero(SPECIES);
        FloatVector c33 = FloatVector.zero(SPECIES);
        long step = 0;
        long bStep = 0;
        for (int p = 0; p < k; p++) {
            long bp = b + bStep;
            FloatVector b0 = FloatVector.fromMemorySegment(SPECIES, ALL, bp, ORDER);
            FloatVector b1 = FloatVector.fromMemorySegment(SPECIES, ALL, bp + VECTOR_BYTES, ORDER);
            FloatVector b2 = FloatVector.fromMemorySegment(SPECIES, ALL, bp + 2 * VECTOR_BYTES, ORDER);
            FloatVector b3 = FloatVector.fromMemorySegment(SPECIES, ALL, bp + 3 * VECTOR_BYTES, ORDER);
            FloatVector x0 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a + step));
            c00 = x0.fma(b0, c00);
            c01 = x0.fma(b1, c01);
            c02 = x0.fma(b2, c02);
            c03 = x0.fma(b3, c03);
            FloatVector x1 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a1 + step));
            c10 = x1.fma(b0, c10);
            c11 = x1.fma(b1, c11);
            c12 = x1.fma(b2, c12);
            c13 = x1.fma(b3, c13);
            FloatVector x2 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a2 + step));
            c20 = x2.fma(b0, c20);
            c21 = x2.fma(b1, c21);
            c22 = x2.fma(b2, c22);
            c23 = x2.fma(b3, c23);
            FloatVector x3 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a3 + step));
            c30 = x3.fma(b0, c30);
            c31 = x3.fma(b1, c31);
            c32 = x3.fma(b2, c32);
            c33 = x3.fma(b3, c33);
            step += stepBytes;
            bStep += bStepBytes;
        }
        c00.intoMemorySegment(ALL, c, ORDER);
        c01.intoMemorySegment(ALL, c + VECTOR_BYTES, ORDER);
        c02.intoMemorySegment(ALL, c + 2 * VECTOR_BYTES, ORDER);
        c03.intoMemorySegment(ALL, c + 3 * VECTOR_BYTES, ORDER);
        c10.intoMemorySegment(ALL, c + cRowBytes, ORDER);
        c11.intoMemorySegment(ALL, c + cRowBytes + VECTOR_BYTES, ORDER);
        c12.intoMemorySegment(ALL, c + cRowBytes + 2 * VECTOR_BYTES, ORDER);
        c13.intoMemorySegment(ALL, c + cRowBytes + 3 * VECTOR_BYTES, ORDER);
        c20.intoMemorySegment(ALL, c + 2 * cRowBytes, ORDER);
        c21.intoMemorySegment(ALL, c + 2 * cRowBytes + VECTOR_BYTES, ORDER);
        c22.intoMemorySegment(ALL, c + 2 * cRowBytes + 2 * VECTOR_BYTES, ORDER);
        c23.intoMemorySegment(ALL, c + 2 * cRowBytes + 3 * VECTOR_BYTES, ORDER);
        c30.intoMemorySegment(ALL, c + 3 * cRowBytes, ORDER);
        c31.intoMemorySegment(ALL, c + 3 * cRowBytes + VECTOR_BYTES, ORDER);
        c32.intoMemorySegment(ALL, c + 3 * cRowBytes + 2 * VECTOR_BYTES, ORDER);
        c33.intoMemorySegment(ALL, c + 3 * cRowBytes + 3 * VECTOR_BYTES, ORDER);
    }

    /** As {@link #rows4Vectors4}, half as wide. */
    static void rows4Vectors2(long a, long rowBytes, long stepBytes, int rows, long b, long bStepBytes, int k, long c,
            long cRowBytes) {
        long a1 = rows > 1 ? a + rowBytes : a;
        long a2 = rows > 2 ? a1 + rowBytes : a;
        long a3 = rows > 3 ? a2 + rowBytes : a;
        FloatVector c00 = FloatVector.zero(SPECIES);
        FloatVector c01 = FloatVector.zero(SPECIES);
        FloatVector c10 = FloatVector.zero(SPECIES);
        FloatVector c11 = FloatVector.zero(SPECIES);
        FloatVector c20 = FloatVector.zero(SPECIES);
        FloatVector c21 = FloatVector.zero(SPECIES);
        FloatVector c30 = FloatVector.zero(SPECIES);
        FloatVector c31 = FloatVector.zero(SPECIES);
        long step = 0;
        long bStep = 0;
        for (int p = 0; p < k; p++) {
            long bp = b + bStep;
            FloatVector b0 = FloatVector.fromMemorySegment(SPECIES, ALL, bp, ORDER);
            FloatVector b1 = FloatVector.fromMemorySegment(SPECIES, ALL, bp + VECTOR_BYTES, ORDER);
            FloatVector x0 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a + step));
            c00 = x0.fma(b0, c00);
            c01 = x0.fma(b1, c01);
            FloatVector x1 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a1 + step));
            c10 = x1.fma(b0, c10);
            c11 = x1.fma(b1, c11);
            FloatVector x2 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a2 + step));
            c20 = x2.fma(b0, c20);
            c21 = x2.fma(b1, c21);
            FloatVector x3 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a3 + step));
            c30 = x3.fma(b0, c30);
            c31 = x3.fma(b1, c31);
            step += stepBytes;
            bStep += bStepBytes;
        }
        c00.intoMemorySegment(ALL, c, ORDER);
        c01.intoMemorySegment(ALL, c + VECTOR_BYTES, ORDER);
        c10.intoMemorySegment(ALL, c + cRowBytes, ORDER);
        c11.intoMemorySegment(ALL, c + cRowBytes + VECTOR_BYTES, ORDER);
        c20.intoMemorySegment(ALL, c + 2 * cRowBytes, ORDER);
        c21.intoMemorySegment(ALL, c + 2 * cRowBytes + VECTOR_BYTES, ORDER);
        c30.intoMemorySegment(ALL, c + 3 * cRowBytes, ORDER);
        c31.intoMemorySegment(ALL, c + 3 * cRowBytes + VECTOR_BYTES, ORDER);
    }

    /**
     * One row, 4 vectors. Two steps at a time: the processor has more loads from memory under way, and the method is one of more than
     * 325 bytecodes, which C2 leaves a method of its own instead of inlining it where its node budget is used up.
     */
    static void row1Vectors4(long a, long stepBytes, long b, long bStepBytes, int k, long c) {
        FloatVector c00 = FloatVector.zero(SPECIES);
        FloatVector c01 = FloatVector.zero(SPECIES);
        FloatVector c02 = FloatVector.zero(SPECIES);
        FloatVector c03 = FloatVector.zero(SPECIES);
        int p = 0;
        for (; p + 1 < k; p += 2) {
            FloatVector x0 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a));
            c00 = x0.fma(FloatVector.fromMemorySegment(SPECIES, ALL, b, ORDER), c00);
            c01 = x0.fma(FloatVector.fromMemorySegment(SPECIES, ALL, b + VECTOR_BYTES, ORDER), c01);
            c02 = x0.fma(FloatVector.fromMemorySegment(SPECIES, ALL, b + 2 * VECTOR_BYTES, ORDER), c02);
            c03 = x0.fma(FloatVector.fromMemorySegment(SPECIES, ALL, b + 3 * VECTOR_BYTES, ORDER), c03);
            long next = b + bStepBytes;
            FloatVector x1 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a + stepBytes));
            c00 = x1.fma(FloatVector.fromMemorySegment(SPECIES, ALL, next, ORDER), c00);
            c01 = x1.fma(FloatVector.fromMemorySegment(SPECIES, ALL, next + VECTOR_BYTES, ORDER), c01);
            c02 = x1.fma(FloatVector.fromMemorySegment(SPECIES, ALL, next + 2 * VECTOR_BYTES, ORDER), c02);
            c03 = x1.fma(FloatVector.fromMemorySegment(SPECIES, ALL, next + 3 * VECTOR_BYTES, ORDER), c03);
            a += 2 * stepBytes;
            b += 2 * bStepBytes;
        }
        if (p < k) {
            FloatVector x0 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a));
            c00 = x0.fma(FloatVector.fromMemorySegment(SPECIES, ALL, b, ORDER), c00);
            c01 = x0.fma(FloatVector.fromMemorySegment(SPECIES, ALL, b + VECTOR_BYTES, ORDER), c01);
            c02 = x0.fma(FloatVector.fromMemorySegment(SPECIES, ALL, b + 2 * VECTOR_BYTES, ORDER), c02);
            c03 = x0.fma(FloatVector.fromMemorySegment(SPECIES, ALL, b + 3 * VECTOR_BYTES, ORDER), c03);
        }
        c00.intoMemorySegment(ALL, c, ORDER);
        c01.intoMemorySegment(ALL, c + VECTOR_BYTES, ORDER);
        c02.intoMemorySegment(ALL, c + 2 * VECTOR_BYTES, ORDER);
        c03.intoMemorySegment(ALL, c + 3 * VECTOR_BYTES, ORDER);
    }

    /** One row, 2 vectors. */
    static void row1Vectors2(long a, long stepBytes, long b, long bStepBytes, int k, long c) {
        FloatVector c00 = FloatVector.zero(SPECIES);
        FloatVector c01 = FloatVector.zero(SPECIES);
        long step = 0;
        long bStep = 0;
        for (int p = 0; p < k; p++) {
            long bp = b + bStep;
            FloatVector b0 = FloatVector.fromMemorySegment(SPECIES, ALL, bp, ORDER);
            FloatVector b1 = FloatVector.fromMemorySegment(SPECIES, ALL, bp + VECTOR_BYTES, ORDER);
            FloatVector x0 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a + step));
            c00 = x0.fma(b0, c00);
            c01 = x0.fma(b1, c01);
            step += stepBytes;
            bStep += bStepBytes;
        }
        c00.intoMemorySegment(ALL, c, ORDER);
        c01.intoMemorySegment(ALL, c + VECTOR_BYTES, ORDER);
    }

    /** to += tile, both {@code rows} rows of {@code width} numbers, 2 or 4 vectors. */
    static void add(int rows, int width, long tile, long rowBytes, long to, long toRowBytes) {
        for (int i = 0; i < rows; i++) {
            add2(tile, to);
            if (width > 2 * LANES) {
                add2(tile + 2 * VECTOR_BYTES, to + 2 * VECTOR_BYTES);
            }
            tile += rowBytes;
            to += toRowBytes;
        }
    }

    private static void add2(long from, long to) {
        FloatVector x = FloatVector.fromMemorySegment(SPECIES, ALL, from, ORDER);
        FloatVector y = FloatVector.fromMemorySegment(SPECIES, ALL, from + VECTOR_BYTES, ORDER);
        FloatVector c = FloatVector.fromMemorySegment(SPECIES, ALL, to, ORDER);
        FloatVector d = FloatVector.fromMemorySegment(SPECIES, ALL, to + VECTOR_BYTES, ORDER);
        c.add(x).intoMemorySegment(ALL, to, ORDER);
        d.add(y).intoMemorySegment(ALL, to + VECTOR_BYTES, ORDER);
    }

    /** The vector at an address. */
    static FloatVector load(long address) {
        return FloatVector.fromMemorySegment(SPECIES, Memory.ALL, address, ORDER);
    }

    /** Stores a vector at an address. */
    static void store(FloatVector v, long address) {
        v.intoMemorySegment(Memory.ALL, address, ORDER);
    }
}
