package org.spin4j.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The innermost loops of the matrix product: a tile of C stays in registers while k runs, each step loads a few vectors of
 * B and multiplies them by single numbers of A. The same loop four times, for 4 rows or 1 and for 4 vectors or 2 of
 * columns, because the just-in-time compiler keeps vectors in registers only as long as each has a name of its own. Every
 * element of C is one chain of fused multiply-adds over k, from 0 upwards, whichever of the four computes it.
 *
 * <p>The loops call the Vector API by itself, not through {@link #load} and {@link #store}: where a method has used up C2's node
 * budget, only the API's own methods are still inlined. Behind a call to anything else each vector is an object on the heap;
 * with seven such stores a tile took 320 cycles longer (measured on AVX-512, JDK 25).
 *
 * <p>Operands come as addresses with strides in bytes, so packed panels, plain rows and columns of a transposed matrix all
 * go through the same code. 4×4 vectors leave registers to spare among the 32 of AVX-512 and measured better there than
 * 8×2, 12×2 and 6×4; 8×3 falls to a third.
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
     * C tile of 4 rows and 4 vectors = A · B.
     *
     * @param a          address of A's first row
     * @param rowBytes   from one row of A to the next
     * @param stepBytes  from one k to the next in A
     * @param rows       how many rows A has, 2 to 4; the tile's other rows repeat the first and mean nothing
     * @param b          address of B's vectors for k = 0
     * @param bStepBytes from one k to the next in B
     * @param c          where the tile is stored, all 4 rows of it
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
        for (int p = 0; p < k; p++) {
            FloatVector b0 = FloatVector.fromMemorySegment(SPECIES, ALL, b, ORDER);
            FloatVector b1 = FloatVector.fromMemorySegment(SPECIES, ALL, b + VECTOR_BYTES, ORDER);
            FloatVector b2 = FloatVector.fromMemorySegment(SPECIES, ALL, b + 2 * VECTOR_BYTES, ORDER);
            FloatVector b3 = FloatVector.fromMemorySegment(SPECIES, ALL, b + 3 * VECTOR_BYTES, ORDER);
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
            b += bStepBytes;
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

    /** As {@link #rows4Vectors4}, half as wide: 8 accumulators, which is all that 16 registers allow. */
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
        for (int p = 0; p < k; p++) {
            FloatVector b0 = FloatVector.fromMemorySegment(SPECIES, ALL, b, ORDER);
            FloatVector b1 = FloatVector.fromMemorySegment(SPECIES, ALL, b + VECTOR_BYTES, ORDER);
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
            b += bStepBytes;
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

    /** One row, 4 vectors. */
    static void row1Vectors4(long a, long stepBytes, long b, long bStepBytes, int k, long c) {
        FloatVector c00 = FloatVector.zero(SPECIES);
        FloatVector c01 = FloatVector.zero(SPECIES);
        FloatVector c02 = FloatVector.zero(SPECIES);
        FloatVector c03 = FloatVector.zero(SPECIES);
        long step = 0;
        for (int p = 0; p < k; p++) {
            FloatVector b0 = FloatVector.fromMemorySegment(SPECIES, ALL, b, ORDER);
            FloatVector b1 = FloatVector.fromMemorySegment(SPECIES, ALL, b + VECTOR_BYTES, ORDER);
            FloatVector b2 = FloatVector.fromMemorySegment(SPECIES, ALL, b + 2 * VECTOR_BYTES, ORDER);
            FloatVector b3 = FloatVector.fromMemorySegment(SPECIES, ALL, b + 3 * VECTOR_BYTES, ORDER);
            FloatVector x0 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a + step));
            c00 = x0.fma(b0, c00);
            c01 = x0.fma(b1, c01);
            c02 = x0.fma(b2, c02);
            c03 = x0.fma(b3, c03);
            step += stepBytes;
            b += bStepBytes;
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
        for (int p = 0; p < k; p++) {
            FloatVector b0 = FloatVector.fromMemorySegment(SPECIES, ALL, b, ORDER);
            FloatVector b1 = FloatVector.fromMemorySegment(SPECIES, ALL, b + VECTOR_BYTES, ORDER);
            FloatVector x0 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a + step));
            c00 = x0.fma(b0, c00);
            c01 = x0.fma(b1, c01);
            step += stepBytes;
            b += bStepBytes;
        }
        c00.intoMemorySegment(ALL, c, ORDER);
        c01.intoMemorySegment(ALL, c + VECTOR_BYTES, ORDER);
    }

    /** to += tile, both {@code rows} rows of {@code width} numbers, 2 or 4 vectors. */
    static void add(int rows, int width, long tile, long rowBytes, long to, long toRowBytes) {
        for (int i = 0; i < rows; i++) {
            for (long at = 0; at < width * 4L; at += VECTOR_BYTES) {
                FloatVector.fromMemorySegment(SPECIES, ALL, to + at, ORDER)
                        .add(FloatVector.fromMemorySegment(SPECIES, ALL, tile + at, ORDER))
                        .intoMemorySegment(ALL, to + at, ORDER);
            }
            tile += rowBytes;
            to += toRowBytes;
        }
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
