package org.spin4j.kernels;

import static org.spin4j.kernels.VectorTypedTile.BYTES;
import static org.spin4j.kernels.VectorTypedTile.F16_BITS;
import static org.spin4j.kernels.VectorTypedTile.F16_SCALE;
import static org.spin4j.kernels.VectorTypedTile.UPPER;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * A weight [n, k] packed for {@link VectorTypedTile} in its own type, so that a product reads no more bytes than the weight
 * has: panels of {@link #WIDTH} of its rows, which are the product's columns, k by k; missing columns are zeros.
 *
 * <p>16-bit numbers lie as vectors of ints, one for each two vectors of columns: lane l holds column l in its lower half and
 * column LANES + l in its upper, so that a shift or a mask widens it. In Q8_0 the scales of a block's columns come first in that same order, then
 * the bytes, k by k, the panel's columns side by side.
 *
 * @param type    BF16, F16 or Q8_0
 * @param n       columns of the product
 * @param k       length of each sum; in Q8_0 whole blocks
 * @param address of the first panel
 */
record VectorTypedPanels(DType type, int n, int k, long address) implements VectorGemm.Right {
    private static final int LANES = VectorTile.LANES;
    /** Columns of a panel: four vectors. */
    static final int WIDTH = 4 * LANES;
    /** Columns of a vector of ints. */
    static final int PAIR = 2 * LANES;

    private static final VectorSpecies<Float> SPECIES = VectorTile.SPECIES;
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    private static final int BLOCK = DType.Q8_0.block();
    private static final int BLOCK_BYTES = DType.Q8_0.blockBytes();
    /** The exponent of an F16 that is infinite or no number. */
    private static final int F16_NOT_FINITE = 0x7c00;
    /** The same in both halves of an int, the least significant bits of both exponents, and both signs. */
    private static final int F16_EXPONENTS = 0x7c007c00;
    private static final int F16_LOWEST_EXPONENTS = 0x04000400;
    private static final int F16_SIGNS = 0x80008000;
    /** The lower 16 bits of an int. */
    private static final int LOWER = 0xffff;
    private static final long VECTOR_BYTES = LANES * 4L;
    /** Floats that {@link #pack} works in: two squares. */
    static final int SCRATCH = 2 * VectorTranspose.SQUARE;
    /** Steps of k that are transposed at a time: what is written stays in the first-level cache. */
    private static final int STEPS = BLOCK;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;
    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
    private static final MemorySegment ALL = Memory.ALL;

    @Override
    public int count() {
        return count(n);
    }

    private static int count(int n) {
        return Math.ceilDiv(n, WIDTH);
    }

    /** Bytes that the packed weight takes; the last vector of bytes may be read beyond its panel. */
    static long packedBytes(DType type, int n, int k) {
        return count(n) * (long) WIDTH * type.bytes(k) + Long.BYTES;
    }

    /** Address of panel {@code p}. */
    long panel(int p) {
        return address + p * (long) WIDTH * type.bytes(k);
    }

    /** Address of step {@code first} of panel {@code p}, or of the block that holds it. */
    long row(int p, int first) {
        return panel(p) + first / type.block() * ((long) type.blockBytes() * WIDTH);
    }

    /**
     * Packs panel {@code p} of a weight into memory that is all zeros where the panel has fewer than {@link #WIDTH} columns.
     *
     * @param b        address of the weight, whose rows may be longer than {@link #k}
     * @param rowBytes from one of its rows to the next
     * @param scratch  room for {@link #SCRATCH} floats
     * @return whether all numbers (in Q8_0 all scales) are finite, which {@link VectorTypedTile} relies on
     */
    boolean pack(long b, long rowBytes, int p, long scratch) {
        int j = p * WIDTH;
        int cols = Math.min(WIDTH, n - j);
        return type == DType.Q8_0
                ? packBytes(b + j * rowBytes, rowBytes, cols, panel(p))
                : packShorts(b + j * rowBytes, rowBytes, cols, panel(p), scratch) || type == DType.BF16;
    }

    /** Returns whether all numbers are finite if they are F16. */
    private boolean packShorts(long from, long rowBytes, int cols, long to, long scratch) {
        int wholeCols = cols / PAIR * PAIR;
        int wholeK = k / PAIR * PAIR;
        boolean finite = true;
        for (int c = 0; c < wholeCols; c += PAIR) {
            for (int p = 0; p < wholeK; p += PAIR) {
                finite &= packSquare(from + c * rowBytes + p * 2L, rowBytes, to + p * (2L * WIDTH) + place(c), scratch);
            }
        }
        finite &= packSingly(from, rowBytes, wholeK, k, 0, wholeCols, to);
        finite &= packSingly(from, rowBytes, 0, k, wholeCols, cols, to);
        return finite;
    }

    /**
     * Packs {@link #PAIR} columns of as many steps. Read as ints, two steps of a column lie together; transposed, they are two vectors of
     * columns in the lower halves of ints and two in the upper, which change places with those of the other columns.
     */
    private static boolean packSquare(long from, long rowBytes, long to, long scratch) {
        long second = scratch + LANES * VECTOR_BYTES;
        VectorTranspose.square(from, rowBytes, scratch, VECTOR_BYTES);
        VectorTranspose.square(from + LANES * rowBytes, rowBytes, second, VECTOR_BYTES);
        IntVector carries = IntVector.zero(INTS);
        for (int i = 0; i < LANES; i++) {
            IntVector a = IntVector.fromMemorySegment(INTS, ALL, scratch + i * VECTOR_BYTES, ORDER);
            IntVector b = IntVector.fromMemorySegment(INTS, ALL, second + i * VECTOR_BYTES, ORDER);
            IntVector even = a.and(LOWER).or(b.lanewise(VectorOperators.LSHL, 16));
            IntVector odd = a.lanewise(VectorOperators.LSHR, 16).or(b.and(UPPER));
            even.intoMemorySegment(ALL, to, ORDER);
            odd.intoMemorySegment(ALL, to + 2L * WIDTH, ORDER);
            // An exponent of all ones carries into the sign that was masked off. What goes round the loop is an argument: of what class
            // it is C2 knows by a profile only, and where there is none yet, a call on it is virtual and its vectors are objects.
            carries = even.and(F16_EXPONENTS).add(F16_LOWEST_EXPONENTS).or(carries)
                    .or(odd.and(F16_EXPONENTS).add(F16_LOWEST_EXPONENTS));
            to += 4L * WIDTH;
        }
        return IntVector.broadcast(INTS, F16_SIGNS).and(carries).eq(0).allTrue();
    }

    private static boolean packSingly(long from, long rowBytes, int startK, int endK, int startCol, int endCol,
            long to) {
        int exponent = 0;
        for (int p = startK; p < endK; p += STEPS) {
            int steps = Math.min(STEPS, endK - p);
            for (int c = startCol; c < endCol; c++) {
                long in = from + c * rowBytes + p * 2L;
                long out = to + p * (2L * WIDTH) + place(c);
                for (int i = 0; i < steps; i++) {
                    short h = ALL.get(SHORT, in + i * 2L);
                    exponent = Math.max(exponent, h & F16_NOT_FINITE);
                    ALL.set(SHORT, out + i * (2L * WIDTH), h);
                }
            }
        }
        return exponent < F16_NOT_FINITE;
    }

    private boolean packBytes(long from, long rowBytes, int cols, long to) {
        int exponent = 0;
        for (int block = 0; block < k / BLOCK; block++) {
            for (int c = 0; c < cols; c++) {
                long in = from + c * rowBytes + (long) block * BLOCK_BYTES;
                short d = ALL.get(SHORT, in);
                exponent = Math.max(exponent, d & F16_NOT_FINITE);
                ALL.set(SHORT, to + place(c), d);
                long out = to + 2L * WIDTH + c;
                for (int i = 0; i < BLOCK; i++) {
                    ALL.set(BYTE, out + (long) i * WIDTH, ALL.get(BYTE, in + Conversion.SCALE_BYTES + i));
                }
            }
            to += (long) BLOCK_BYTES * WIDTH;
        }
        return exponent < F16_NOT_FINITE;
    }

    /** Offset of column c of a panel in a row of 16-bit numbers. */
    private static long place(int c) {
        return c / PAIR * (2L * PAIR) + c % LANES * 4L + c / LANES % 2 * 2L;
    }

    /**
     * Widens two vectors of columns of a panel to rows of F32.
     *
     * @param pair which two: 0 or 1
     * @param to   where the first row goes, {@link #PAIR} floats
     * @param row  bytes from there to the next
     */
    void widen(int p, int pair, long to, long row) {
        switch (type) {
            case BF16 -> widenBfloat16(panel(p) + pair * (2L * PAIR), k, to, row);
            case F16 -> widenFloat16(panel(p) + pair * (2L * PAIR), k, to, row);
            default -> widenBytes(panel(p), pair, k, to, row);
        }
    }

    private static void widenBfloat16(long from, int k, long to, long row) {
        for (int i = 0; i < k; i++) {
            IntVector w = IntVector.fromMemorySegment(INTS, ALL, from, ORDER);
            w.lanewise(VectorOperators.LSHL, 16).intoMemorySegment(ALL, to, ORDER);
            w.and(UPPER).intoMemorySegment(ALL, to + LANES * 4L, ORDER);
            from += 2L * WIDTH;
            to += row;
        }
    }

    private static void widenFloat16(long from, int k, long to, long row) {
        for (int i = 0; i < k; i++) {
            IntVector w = IntVector.fromMemorySegment(INTS, ALL, from, ORDER);
            w.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 3).and(F16_BITS).reinterpretAsFloats()
                    .mul(F16_SCALE).intoMemorySegment(ALL, to, ORDER);
            w.lanewise(VectorOperators.ASHR, 3).and(F16_BITS).reinterpretAsFloats().mul(F16_SCALE)
                    .intoMemorySegment(ALL, to + LANES * 4L, ORDER);
            from += 2L * WIDTH;
            to += row;
        }
    }

    private static void widenBytes(long block, int pair, int k, long to, long row) {
        for (int p = 0; p < k; p += BLOCK) {
            IntVector w = IntVector.fromMemorySegment(INTS, ALL, block + pair * (2L * PAIR), ORDER);
            FloatVector d0 = w.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 3).and(F16_BITS)
                    .reinterpretAsFloats().mul(F16_SCALE);
            FloatVector d1 = w.lanewise(VectorOperators.ASHR, 3).and(F16_BITS).reinterpretAsFloats().mul(F16_SCALE);
            long q = block + 2L * WIDTH + (long) pair * PAIR;
            for (int i = 0; i < BLOCK; i++) {
                ((FloatVector) ByteVector.fromMemorySegment(BYTES, ALL, q, ORDER)
                        .convertShape(VectorOperators.B2F, SPECIES, 0)).mul(d0).intoMemorySegment(ALL, to, ORDER);
                ((FloatVector) ByteVector.fromMemorySegment(BYTES, ALL, q + LANES, ORDER)
                        .convertShape(VectorOperators.B2F, SPECIES, 0)).mul(d1)
                        .intoMemorySegment(ALL, to + LANES * 4L, ORDER);
                q += WIDTH;
                to += row;
            }
            block += (long) BLOCK_BYTES * WIDTH;
        }
    }
}
