package org.spin4j.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The small matrix product inside attention: C[rows, lanes] (+)= A[rows, depth] · B[depth, lanes]. Elements of A are broadcast,
 * so A may lie in memory with any two strides, which makes it a transposed matrix for free; rows of B and C are whole
 * vectors. One tile is 4 rows by 3 or 2 vectors, or 8 rows by 1, held in registers while the sum runs.
 *
 * <p>Every accumulator is a local variable of its own, and every load and store is spelled out: an array of vectors would
 * live on the heap, and with small load and store methods in between C2 runs out of its node budget for inlining and
 * allocates each vector. Both were measured at a tenth of the speed. A tile of 8 rows by 2 is too much already: in one run
 * of four three of its sums lived on the heap.
 */
final class AttentionTile {
    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final MemorySegment ALL = Memory.ALL;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    /** Rows of a tile. The rows of a C matrix are padded to a multiple of it. */
    static final int ROWS = 8;
    /** Floats in a vector. */
    static final int LANES = SPECIES.length();
    private static final long VECTOR_BYTES = SPECIES.vectorByteSize();

    private AttentionTile() {}

    /**
     * C (+)= A · B over any number of rows and vectors. Rows of C from {@code rows} up to the next multiple of
     * {@value #ROWS} are written too, with numbers of no meaning. All strides are in bytes.
     *
     * @param vectors   vectors in a row of B and C
     * @param aRow      from one row of A to the next
     * @param aDepth    from one term of the sum to the next in A
     * @param bDepth    from one row of B to the next
     * @param cRow      from one row of C to the next
     * @param accumulate add to C instead of overwriting it
     */
    static void multiply(int rows, int vectors, int depth, long a, long aRow, long aDepth, long b, long bDepth, long c,
            long cRow, boolean accumulate) {
        for (int row = 0; row < rows; row += ROWS) {
            long aTile = a + row * aRow;
            long cTile = c + row * cRow;
            int last = Math.min(ROWS, rows - row) - 1;
            // The tiles two or three vectors wide are 4 rows high: the other four rows, with their rows of A.
            int otherLast = Math.max(0, last - 4);
            long aOther = aTile + Math.min(4, last) * aRow;
            int v = 0;
            for (; v + 2 <= vectors && v + 3 != vectors; v += 2) {
                long bPart = b + v * VECTOR_BYTES;
                long cPart = cTile + v * VECTOR_BYTES;
                two(last, depth, aTile, aRow, aDepth, bPart, bDepth, cPart, cRow, accumulate);
                two(otherLast, depth, aOther, aRow, aDepth, bPart, bDepth, cPart + 4 * cRow, cRow, accumulate);
            }
            if (v + 3 == vectors) {
                long bPart = b + v * VECTOR_BYTES;
                long cPart = cTile + v * VECTOR_BYTES;
                three(last, depth, aTile, aRow, aDepth, bPart, bDepth, cPart, cRow, accumulate);
                three(otherLast, depth, aOther, aRow, aDepth, bPart, bDepth, cPart + 4 * cRow, cRow, accumulate);
            } else if (v < vectors) {
                one(last, depth, aTile, aRow, aDepth, b + v * VECTOR_BYTES, bDepth, cTile + v * VECTOR_BYTES, cRow,
                        accumulate);
            }
        }
    }

    /** 4 rows by 3 vectors: better than two vectors and one where a head is 48 wide. */
    private static void three(int last, int depth, long a, long aRow, long aDepth, long b, long bDepth, long c,
            long cRow,
            boolean accumulate) {
        long a1 = a + Math.min(1, last) * aRow;
        long a2 = a + Math.min(2, last) * aRow;
        long a3 = a + Math.min(3, last) * aRow;
        FloatVector zero = FloatVector.zero(SPECIES);
        FloatVector c00 = zero;
        FloatVector c01 = zero;
        FloatVector c02 = zero;
        FloatVector c10 = zero;
        FloatVector c11 = zero;
        FloatVector c12 = zero;
        FloatVector c20 = zero;
        FloatVector c21 = zero;
        FloatVector c22 = zero;
        FloatVector c30 = zero;
        FloatVector c31 = zero;
        FloatVector c32 = zero;
        if (accumulate) {
            c00 = FloatVector.fromMemorySegment(SPECIES, ALL, c, ORDER);
            c01 = FloatVector.fromMemorySegment(SPECIES, ALL, c + VECTOR_BYTES, ORDER);
            c02 = FloatVector.fromMemorySegment(SPECIES, ALL, c + 2 * VECTOR_BYTES, ORDER);
            c10 = FloatVector.fromMemorySegment(SPECIES, ALL, c + cRow, ORDER);
            c11 = FloatVector.fromMemorySegment(SPECIES, ALL, c + cRow + VECTOR_BYTES, ORDER);
            c12 = FloatVector.fromMemorySegment(SPECIES, ALL, c + cRow + 2 * VECTOR_BYTES, ORDER);
            c20 = FloatVector.fromMemorySegment(SPECIES, ALL, c + 2 * cRow, ORDER);
            c21 = FloatVector.fromMemorySegment(SPECIES, ALL, c + 2 * cRow + VECTOR_BYTES, ORDER);
            c22 = FloatVector.fromMemorySegment(SPECIES, ALL, c + 2 * cRow + 2 * VECTOR_BYTES, ORDER);
            c30 = FloatVector.fromMemorySegment(SPECIES, ALL, c + 3 * cRow, ORDER);
            c31 = FloatVector.fromMemorySegment(SPECIES, ALL, c + 3 * cRow + VECTOR_BYTES, ORDER);
            c32 = FloatVector.fromMemorySegment(SPECIES, ALL, c + 3 * cRow + 2 * VECTOR_BYTES, ORDER);
        }
        long at = 0;
        long bAt = b;
        for (int k = 0; k < depth; k++) {
            FloatVector b0 = FloatVector.fromMemorySegment(SPECIES, ALL, bAt, ORDER);
            FloatVector b1 = FloatVector.fromMemorySegment(SPECIES, ALL, bAt + VECTOR_BYTES, ORDER);
            FloatVector b2 = FloatVector.fromMemorySegment(SPECIES, ALL, bAt + 2 * VECTOR_BYTES, ORDER);
            FloatVector x = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a + at));
            c00 = x.fma(b0, c00);
            c01 = x.fma(b1, c01);
            c02 = x.fma(b2, c02);
            x = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a1 + at));
            c10 = x.fma(b0, c10);
            c11 = x.fma(b1, c11);
            c12 = x.fma(b2, c12);
            x = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a2 + at));
            c20 = x.fma(b0, c20);
            c21 = x.fma(b1, c21);
            c22 = x.fma(b2, c22);
            x = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a3 + at));
            c30 = x.fma(b0, c30);
            c31 = x.fma(b1, c31);
            c32 = x.fma(b2, c32);
            at += aDepth;
            bAt += bDepth;
        }
        c00.intoMemorySegment(ALL, c, ORDER);
        c01.intoMemorySegment(ALL, c + VECTOR_BYTES, ORDER);
        c02.intoMemorySegment(ALL, c + 2 * VECTOR_BYTES, ORDER);
        c10.intoMemorySegment(ALL, c + cRow, ORDER);
        c11.intoMemorySegment(ALL, c + cRow + VECTOR_BYTES, ORDER);
        c12.intoMemorySegment(ALL, c + cRow + 2 * VECTOR_BYTES, ORDER);
        c20.intoMemorySegment(ALL, c + 2 * cRow, ORDER);
        c21.intoMemorySegment(ALL, c + 2 * cRow + VECTOR_BYTES, ORDER);
        c22.intoMemorySegment(ALL, c + 2 * cRow + 2 * VECTOR_BYTES, ORDER);
        c30.intoMemorySegment(ALL, c + 3 * cRow, ORDER);
        c31.intoMemorySegment(ALL, c + 3 * cRow + VECTOR_BYTES, ORDER);
        c32.intoMemorySegment(ALL, c + 3 * cRow + 2 * VECTOR_BYTES, ORDER);
    }

    /** 4 rows by 2 vectors: 8 rows would need more of C2's budget than it gives in every run (see the class). */
    private static void two(int last, int depth, long a, long aRow, long aDepth, long b, long bDepth, long c, long cRow,
            boolean accumulate) {
        long a1 = a + Math.min(1, last) * aRow;
        long a2 = a + Math.min(2, last) * aRow;
        long a3 = a + Math.min(3, last) * aRow;
        FloatVector zero = FloatVector.zero(SPECIES);
        FloatVector c00 = zero;
        FloatVector c01 = zero;
        FloatVector c10 = zero;
        FloatVector c11 = zero;
        FloatVector c20 = zero;
        FloatVector c21 = zero;
        FloatVector c30 = zero;
        FloatVector c31 = zero;
        if (accumulate) {
            c00 = FloatVector.fromMemorySegment(SPECIES, ALL, c, ORDER);
            c01 = FloatVector.fromMemorySegment(SPECIES, ALL, c + VECTOR_BYTES, ORDER);
            c10 = FloatVector.fromMemorySegment(SPECIES, ALL, c + cRow, ORDER);
            c11 = FloatVector.fromMemorySegment(SPECIES, ALL, c + cRow + VECTOR_BYTES, ORDER);
            c20 = FloatVector.fromMemorySegment(SPECIES, ALL, c + 2 * cRow, ORDER);
            c21 = FloatVector.fromMemorySegment(SPECIES, ALL, c + 2 * cRow + VECTOR_BYTES, ORDER);
            c30 = FloatVector.fromMemorySegment(SPECIES, ALL, c + 3 * cRow, ORDER);
            c31 = FloatVector.fromMemorySegment(SPECIES, ALL, c + 3 * cRow + VECTOR_BYTES, ORDER);
        }
        long at = 0;
        long bAt = b;
        for (int k = 0; k < depth; k++) {
            FloatVector b0 = FloatVector.fromMemorySegment(SPECIES, ALL, bAt, ORDER);
            FloatVector b1 = FloatVector.fromMemorySegment(SPECIES, ALL, bAt + VECTOR_BYTES, ORDER);
            FloatVector x = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a + at));
            c00 = x.fma(b0, c00);
            c01 = x.fma(b1, c01);
            x = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a1 + at));
            c10 = x.fma(b0, c10);
            c11 = x.fma(b1, c11);
            x = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a2 + at));
            c20 = x.fma(b0, c20);
            c21 = x.fma(b1, c21);
            x = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a3 + at));
            c30 = x.fma(b0, c30);
            c31 = x.fma(b1, c31);
            at += aDepth;
            bAt += bDepth;
        }
        c00.intoMemorySegment(ALL, c, ORDER);
        c01.intoMemorySegment(ALL, c + VECTOR_BYTES, ORDER);
        c10.intoMemorySegment(ALL, c + cRow, ORDER);
        c11.intoMemorySegment(ALL, c + cRow + VECTOR_BYTES, ORDER);
        c20.intoMemorySegment(ALL, c + 2 * cRow, ORDER);
        c21.intoMemorySegment(ALL, c + 2 * cRow + VECTOR_BYTES, ORDER);
        c30.intoMemorySegment(ALL, c + 3 * cRow, ORDER);
        c31.intoMemorySegment(ALL, c + 3 * cRow + VECTOR_BYTES, ORDER);
    }

    /** 8 rows by 1 vector, as {@link #two}. */
    private static void one(int last, int depth, long a, long aRow, long aDepth, long b, long bDepth, long c, long cRow,
            boolean accumulate) {
        long a1 = a + Math.min(1, last) * aRow;
        long a2 = a + Math.min(2, last) * aRow;
        long a3 = a + Math.min(3, last) * aRow;
        long a4 = a + Math.min(4, last) * aRow;
        long a5 = a + Math.min(5, last) * aRow;
        long a6 = a + Math.min(6, last) * aRow;
        long a7 = a + Math.min(7, last) * aRow;
        FloatVector zero = FloatVector.zero(SPECIES);
        FloatVector c0 = zero;
        FloatVector c1 = zero;
        FloatVector c2 = zero;
        FloatVector c3 = zero;
        FloatVector c4 = zero;
        FloatVector c5 = zero;
        FloatVector c6 = zero;
        FloatVector c7 = zero;
        if (accumulate) {
            c0 = FloatVector.fromMemorySegment(SPECIES, ALL, c, ORDER);
            c1 = FloatVector.fromMemorySegment(SPECIES, ALL, c + cRow, ORDER);
            c2 = FloatVector.fromMemorySegment(SPECIES, ALL, c + 2 * cRow, ORDER);
            c3 = FloatVector.fromMemorySegment(SPECIES, ALL, c + 3 * cRow, ORDER);
            c4 = FloatVector.fromMemorySegment(SPECIES, ALL, c + 4 * cRow, ORDER);
            c5 = FloatVector.fromMemorySegment(SPECIES, ALL, c + 5 * cRow, ORDER);
            c6 = FloatVector.fromMemorySegment(SPECIES, ALL, c + 6 * cRow, ORDER);
            c7 = FloatVector.fromMemorySegment(SPECIES, ALL, c + 7 * cRow, ORDER);
        }
        long at = 0;
        long bAt = b;
        for (int k = 0; k < depth; k++) {
            FloatVector b0 = FloatVector.fromMemorySegment(SPECIES, ALL, bAt, ORDER);
            c0 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a + at)).fma(b0, c0);
            c1 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a1 + at)).fma(b0, c1);
            c2 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a2 + at)).fma(b0, c2);
            c3 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a3 + at)).fma(b0, c3);
            c4 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a4 + at)).fma(b0, c4);
            c5 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a5 + at)).fma(b0, c5);
            c6 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a6 + at)).fma(b0, c6);
            c7 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a7 + at)).fma(b0, c7);
            at += aDepth;
            bAt += bDepth;
        }
        c0.intoMemorySegment(ALL, c, ORDER);
        c1.intoMemorySegment(ALL, c + cRow, ORDER);
        c2.intoMemorySegment(ALL, c + 2 * cRow, ORDER);
        c3.intoMemorySegment(ALL, c + 3 * cRow, ORDER);
        c4.intoMemorySegment(ALL, c + 4 * cRow, ORDER);
        c5.intoMemorySegment(ALL, c + 5 * cRow, ORDER);
        c6.intoMemorySegment(ALL, c + 6 * cRow, ORDER);
        c7.intoMemorySegment(ALL, c + 7 * cRow, ORDER);
    }
}
