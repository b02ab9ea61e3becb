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
     * Packs panel {@code p} of the weight at {@code b} into memory that is all zeros.
     *
     * @return whether all numbers (in Q8_0 all scales) are finite, which {@link VectorTypedTile} relies on
     */
    boolean pack(long b, int p) {
        int j = p * WIDTH;
        int cols = Math.min(WIDTH, n - j);
        return type == DType.Q8_0
                ? packBytes(b + j * type.bytes(k), cols, panel(p))
                : packShorts(b + j * type.bytes(k), cols, panel(p));
    }

    private boolean packShorts(long from, int cols, long to) {
        int exponent = 0;
        for (int p = 0; p < k; p += STEPS) {
            int steps = Math.min(STEPS, k - p);
            for (int c = 0; c < cols; c++) {
                long in = from + ((long) c * k + p) * 2;
                long out = to + p * (2L * WIDTH) + place(c);
                for (int i = 0; i < steps; i++) {
                    short h = ALL.get(SHORT, in + i * 2L);
                    exponent = Math.max(exponent, h & F16_NOT_FINITE);
                    ALL.set(SHORT, out + i * (2L * WIDTH), h);
                }
            }
        }
        return type == DType.BF16 || exponent < F16_NOT_FINITE;
    }

    private boolean packBytes(long from, int cols, long to) {
        int exponent = 0;
        for (int block = 0; block < k / BLOCK; block++) {
            for (int c = 0; c < cols; c++) {
                long in = from + ((long) c * (k / BLOCK) + block) * BLOCK_BYTES;
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
