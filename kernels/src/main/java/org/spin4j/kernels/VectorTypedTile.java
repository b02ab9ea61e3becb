package org.spin4j.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * The innermost loops for a right-hand matrix packed in BF16, F16 or Q8_0 ({@link VectorTypedPanels} has the layout): as
 * {@link VectorTile}, but each vector of B is widened to F32 in registers. Widening is exact and every element of C is the
 * same chain of fused multiply-adds over k, so the bits are those of the widened matrix.
 *
 * <p>The 16 sums of four rows want more registers than 16: a machine with fewer multiplies row by row. What repeats itself
 * here does so because a vector must not cross a call ({@link VectorTile} says why).
 */
final class VectorTypedTile {
    private static final VectorSpecies<Float> SPECIES = VectorTile.SPECIES;
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    private static final int LANES = VectorTile.LANES;
    /** A byte for each lane; no vector is smaller than 64 bits, so with four lanes four bytes are read in vain. */
    static final VectorSpecies<Byte> BYTES = VectorSpecies.of(byte.class,
            VectorShape.forBitSize(Math.max(64, 8 * LANES)));
    private static final long VECTOR_BYTES = LANES * 4L;
    private static final int BLOCK = DType.Q8_0.block();
    /** Bytes from one k to the next in a panel of 16-bit numbers, and of the scales of one block. */
    static final long SHORT_ROW = VectorTypedPanels.WIDTH * 2L;
    /** Bytes from one k to the next within a block of a panel of Q8_0. */
    private static final long BYTE_ROW = VectorTypedPanels.WIDTH;
    /** The upper 16 bits of an int. */
    static final int UPPER = 0xffff0000;
    /** Sign, exponent and fraction of an F16, shifted to where an F32 has its sign and the lower end of its exponent. */
    static final int F16_BITS = 0x8fffe000;
    /** Sets an exponent right that was read with F32's bias of 127 instead of F16's of 15; exact for subnormals too. */
    static final float F16_SCALE = 0x1p112f;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final MemorySegment ALL = Memory.ALL;

    private VectorTypedTile() {}

    /** As {@link VectorTile#rows4Vectors4}, B in BF16. */
    static void bf16Rows4(long a, long rowBytes, int rows, long b, int k, long c,
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
            IntVector w0 = IntVector.fromMemorySegment(INTS, ALL, b, ORDER);
            IntVector w1 = IntVector.fromMemorySegment(INTS, ALL, b + VECTOR_BYTES, ORDER);
            FloatVector b0 = w0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector b1 = w0.and(UPPER).reinterpretAsFloats();
            FloatVector b2 = w1.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector b3 = w1.and(UPPER).reinterpretAsFloats();
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
            step += 4;
            b += SHORT_ROW;
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

    /**
     * As {@link VectorTile#row1Vectors4}, B in BF16. Two steps at a time make it a method of more than 325 bytecodes, which C2
     * leaves a method of its own; inlined into a loop of tasks it used up the node budget and ran at half the speed.
     */
    static void bf16Row1(long a, long b, int k, long c) {
        FloatVector c00 = FloatVector.zero(SPECIES);
        FloatVector c01 = FloatVector.zero(SPECIES);
        FloatVector c02 = FloatVector.zero(SPECIES);
        FloatVector c03 = FloatVector.zero(SPECIES);
        int p = 0;
        for (; p + 1 < k; p += 2) {
            IntVector w0 = IntVector.fromMemorySegment(INTS, ALL, b, ORDER);
            IntVector w1 = IntVector.fromMemorySegment(INTS, ALL, b + VECTOR_BYTES, ORDER);
            FloatVector x0 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a));
            c00 = x0.fma(w0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats(), c00);
            c01 = x0.fma(w0.and(UPPER).reinterpretAsFloats(), c01);
            c02 = x0.fma(w1.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats(), c02);
            c03 = x0.fma(w1.and(UPPER).reinterpretAsFloats(), c03);
            IntVector w2 = IntVector.fromMemorySegment(INTS, ALL, b + SHORT_ROW, ORDER);
            IntVector w3 = IntVector.fromMemorySegment(INTS, ALL, b + SHORT_ROW + VECTOR_BYTES, ORDER);
            FloatVector x1 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a + 4));
            c00 = x1.fma(w2.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats(), c00);
            c01 = x1.fma(w2.and(UPPER).reinterpretAsFloats(), c01);
            c02 = x1.fma(w3.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats(), c02);
            c03 = x1.fma(w3.and(UPPER).reinterpretAsFloats(), c03);
            a += 8;
            b += 2 * SHORT_ROW;
        }
        if (p < k) {
            IntVector w0 = IntVector.fromMemorySegment(INTS, ALL, b, ORDER);
            IntVector w1 = IntVector.fromMemorySegment(INTS, ALL, b + VECTOR_BYTES, ORDER);
            FloatVector x0 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a));
            c00 = x0.fma(w0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats(), c00);
            c01 = x0.fma(w0.and(UPPER).reinterpretAsFloats(), c01);
            c02 = x0.fma(w1.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats(), c02);
            c03 = x0.fma(w1.and(UPPER).reinterpretAsFloats(), c03);
        }
        c00.intoMemorySegment(ALL, c, ORDER);
        c01.intoMemorySegment(ALL, c + VECTOR_BYTES, ORDER);
        c02.intoMemorySegment(ALL, c + 2 * VECTOR_BYTES, ORDER);
        c03.intoMemorySegment(ALL, c + 3 * VECTOR_BYTES, ORDER);
    }

    /** As {@link VectorTile#rows4Vectors4}, B in F16, all of it finite. */
    static void f16Rows4(long a, long rowBytes, int rows, long b, int k, long c,
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
            IntVector w0 = IntVector.fromMemorySegment(INTS, ALL, b, ORDER);
            IntVector w1 = IntVector.fromMemorySegment(INTS, ALL, b + VECTOR_BYTES, ORDER);
            FloatVector b0 = w0.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 3).and(F16_BITS)
                    .reinterpretAsFloats().mul(F16_SCALE);
            FloatVector b1 = w0.lanewise(VectorOperators.ASHR, 3).and(F16_BITS).reinterpretAsFloats().mul(F16_SCALE);
            FloatVector b2 = w1.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 3).and(F16_BITS)
                    .reinterpretAsFloats().mul(F16_SCALE);
            FloatVector b3 = w1.lanewise(VectorOperators.ASHR, 3).and(F16_BITS).reinterpretAsFloats().mul(F16_SCALE);
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
            step += 4;
            b += SHORT_ROW;
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

    /** As {@link VectorTile#row1Vectors4}, B in F16, all of it finite. */
    static void f16Row1(long a, long stepBytes, long b, long bStepBytes, int k, long c) {
        FloatVector c00 = FloatVector.zero(SPECIES);
        FloatVector c01 = FloatVector.zero(SPECIES);
        FloatVector c02 = FloatVector.zero(SPECIES);
        FloatVector c03 = FloatVector.zero(SPECIES);
        for (int p = 0; p < k; p++) {
            IntVector w0 = IntVector.fromMemorySegment(INTS, ALL, b, ORDER);
            IntVector w1 = IntVector.fromMemorySegment(INTS, ALL, b + VECTOR_BYTES, ORDER);
            FloatVector b0 = w0.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 3).and(F16_BITS)
                    .reinterpretAsFloats().mul(F16_SCALE);
            FloatVector b1 = w0.lanewise(VectorOperators.ASHR, 3).and(F16_BITS).reinterpretAsFloats().mul(F16_SCALE);
            FloatVector b2 = w1.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 3).and(F16_BITS)
                    .reinterpretAsFloats().mul(F16_SCALE);
            FloatVector b3 = w1.lanewise(VectorOperators.ASHR, 3).and(F16_BITS).reinterpretAsFloats().mul(F16_SCALE);
            FloatVector x0 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a));
            c00 = x0.fma(b0, c00);
            c01 = x0.fma(b1, c01);
            c02 = x0.fma(b2, c02);
            c03 = x0.fma(b3, c03);
            a += stepBytes;
            b += bStepBytes;
        }
        c00.intoMemorySegment(ALL, c, ORDER);
        c01.intoMemorySegment(ALL, c + VECTOR_BYTES, ORDER);
        c02.intoMemorySegment(ALL, c + 2 * VECTOR_BYTES, ORDER);
        c03.intoMemorySegment(ALL, c + 3 * VECTOR_BYTES, ORDER);
    }

    /**
     * As {@link VectorTile#rows4Vectors4}, B in Q8_0, all scales finite.
     *
     * @param b    address of the block that holds the first step
     * @param skip steps of that block before the first
     */
    static void q8Rows4(long a, long rowBytes, int rows, long b, int skip, int k, long c,
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
        for (int p = -skip; p < k; p += BLOCK) {
            IntVector w0 = IntVector.fromMemorySegment(INTS, ALL, b, ORDER);
            IntVector w1 = IntVector.fromMemorySegment(INTS, ALL, b + VECTOR_BYTES, ORDER);
            FloatVector d0 = w0.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 3).and(F16_BITS)
                    .reinterpretAsFloats().mul(F16_SCALE);
            FloatVector d1 = w0.lanewise(VectorOperators.ASHR, 3).and(F16_BITS).reinterpretAsFloats().mul(F16_SCALE);
            FloatVector d2 = w1.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 3).and(F16_BITS)
                    .reinterpretAsFloats().mul(F16_SCALE);
            FloatVector d3 = w1.lanewise(VectorOperators.ASHR, 3).and(F16_BITS).reinterpretAsFloats().mul(F16_SCALE);
            int first = Math.max(p, 0);
            int count = Math.min(p + BLOCK, k) - first;
            long q = b + SHORT_ROW + (first - p) * BYTE_ROW;
            for (int i = 0; i < count; i++) {
                FloatVector b0 = ((FloatVector) ByteVector.fromMemorySegment(BYTES, ALL, q, ORDER)
                        .convertShape(VectorOperators.B2F, SPECIES, 0)).mul(d0);
                FloatVector b1 = ((FloatVector) ByteVector.fromMemorySegment(BYTES, ALL, q + LANES, ORDER)
                        .convertShape(VectorOperators.B2F, SPECIES, 0)).mul(d1);
                FloatVector b2 = ((FloatVector) ByteVector.fromMemorySegment(BYTES, ALL, q + 2L * LANES, ORDER)
                        .convertShape(VectorOperators.B2F, SPECIES, 0)).mul(d2);
                FloatVector b3 = ((FloatVector) ByteVector.fromMemorySegment(BYTES, ALL, q + 3L * LANES, ORDER)
                        .convertShape(VectorOperators.B2F, SPECIES, 0)).mul(d3);
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
                step += 4;
                q += BYTE_ROW;
            }
            b += SHORT_ROW + BLOCK * BYTE_ROW;
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

    /** As {@link VectorTile#row1Vectors4}, B as {@link #q8Rows4} has it. */
    static void q8Row1(long a, long b, int skip, int k, long c) {
        FloatVector c00 = FloatVector.zero(SPECIES);
        FloatVector c01 = FloatVector.zero(SPECIES);
        FloatVector c02 = FloatVector.zero(SPECIES);
        FloatVector c03 = FloatVector.zero(SPECIES);
        for (int p = -skip; p < k; p += BLOCK) {
            IntVector w0 = IntVector.fromMemorySegment(INTS, ALL, b, ORDER);
            IntVector w1 = IntVector.fromMemorySegment(INTS, ALL, b + VECTOR_BYTES, ORDER);
            FloatVector d0 = w0.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 3).and(F16_BITS)
                    .reinterpretAsFloats().mul(F16_SCALE);
            FloatVector d1 = w0.lanewise(VectorOperators.ASHR, 3).and(F16_BITS).reinterpretAsFloats().mul(F16_SCALE);
            FloatVector d2 = w1.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 3).and(F16_BITS)
                    .reinterpretAsFloats().mul(F16_SCALE);
            FloatVector d3 = w1.lanewise(VectorOperators.ASHR, 3).and(F16_BITS).reinterpretAsFloats().mul(F16_SCALE);
            int first = Math.max(p, 0);
            int count = Math.min(p + BLOCK, k) - first;
            long q = b + SHORT_ROW + (first - p) * BYTE_ROW;
            for (int i = 0; i < count; i++) {
                FloatVector b0 = ((FloatVector) ByteVector.fromMemorySegment(BYTES, ALL, q, ORDER)
                        .convertShape(VectorOperators.B2F, SPECIES, 0)).mul(d0);
                FloatVector b1 = ((FloatVector) ByteVector.fromMemorySegment(BYTES, ALL, q + LANES, ORDER)
                        .convertShape(VectorOperators.B2F, SPECIES, 0)).mul(d1);
                FloatVector b2 = ((FloatVector) ByteVector.fromMemorySegment(BYTES, ALL, q + 2L * LANES, ORDER)
                        .convertShape(VectorOperators.B2F, SPECIES, 0)).mul(d2);
                FloatVector b3 = ((FloatVector) ByteVector.fromMemorySegment(BYTES, ALL, q + 3L * LANES, ORDER)
                        .convertShape(VectorOperators.B2F, SPECIES, 0)).mul(d3);
                FloatVector x0 = FloatVector.broadcast(SPECIES, ALL.get(FLOAT, a));
                c00 = x0.fma(b0, c00);
                c01 = x0.fma(b1, c01);
                c02 = x0.fma(b2, c02);
                c03 = x0.fma(b3, c03);
                a += 4;
                q += BYTE_ROW;
            }
            b += SHORT_ROW + BLOCK * BYTE_ROW;
        }
        c00.intoMemorySegment(ALL, c, ORDER);
        c01.intoMemorySegment(ALL, c + VECTOR_BYTES, ORDER);
        c02.intoMemorySegment(ALL, c + 2 * VECTOR_BYTES, ORDER);
        c03.intoMemorySegment(ALL, c + 3 * VECTOR_BYTES, ORDER);
    }
}
