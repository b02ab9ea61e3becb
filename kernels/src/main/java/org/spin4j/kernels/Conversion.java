package org.spin4j.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * From one storage type to another, element by element. Widening to F32 is exact for every type of fewer bits; narrowing
 * rounds once. Plain loops, which the just-in-time compiler turns into vectors: every backend has them.
 */
final class Conversion {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;
    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
    private static final int BLOCK = DType.Q8_0.block();
    private static final int BLOCK_BYTES = DType.Q8_0.blockBytes();
    /** Bytes of a block's scale, which stands before its numbers. */
    static final int SCALE_BYTES = 2;
    private static final int F16_BITS = 0x7fff;
    private static final int F16_INFINITY = 0x7c00;
    /** The largest q. */
    private static final float LARGEST = 127;

    private Conversion() {}

    /** Fills {@code to} with the numbers of {@code from}, of the same size. */
    static void convert(Storage from, Storage to) {
        MemorySegment in = from.readOnlySegment();
        MemorySegment out = to.segment();
        long n = from.size();
        if (from.type() == to.type()) {
            out.copyFrom(in);
        } else if (to.type() == DType.F32 && from.type() != DType.F64) {
            widen(from.type(), n, in, 0, out, 0);
        } else if (to.type() == DType.BF16 && from.type() == DType.F32) {
            for (long i = 0; i < n; i++) {
                out.set(SHORT, 2 * i, Rounding.toBfloat16(in.get(FLOAT, 4 * i)));
            }
        } else if (to.type() == DType.F16) {
            boolean floats = from.type() == DType.F32;
            for (long i = 0; i < n; i++) {
                float x = floats ? in.get(FLOAT, 4 * i) : (float) from.get(i);
                short half = Float.floatToFloat16(x);
                if ((half & F16_BITS) == F16_INFINITY && Float.isFinite(x)) {
                    throw new IllegalArgumentException("expected numbers up to 65504 to store as F16, found " + x
                            + "; store this weight as BF16 or in its own type");
                }
                out.set(SHORT, 2 * i, half);
            }
        } else if (to.type() == DType.Q8_0) {
            float[] block = new float[BLOCK];
            for (long b = 0; b < n / BLOCK; b++) {
                for (int i = 0; i < BLOCK; i++) {
                    block[i] = (float) from.get(b * BLOCK + i);
                }
                quantise(block, out, b * BLOCK_BYTES);
            }
        } else {
            for (long i = 0; i < n; i++) {
                to.set(i, from.get(i));
            }
        }
    }

    /**
     * Widens numbers to F32, exactly.
     *
     * @param type BF16, F16 or Q8_0, or F32, which is copied
     * @param n    how many: whole blocks
     * @param at   offset of the first within {@code in}
     * @param to   offset of the first float within {@code out}
     */
    static void widen(DType type, long n, MemorySegment in, long at, MemorySegment out, long to) {
        switch (type) {
            case BF16 -> {
                for (long i = 0; i < n; i++) {
                    out.set(INT, to + 4 * i, in.get(SHORT, at + 2 * i) << 16);
                }
            }
            case F16 -> {
                for (long i = 0; i < n; i++) {
                    out.set(FLOAT, to + 4 * i, Float.float16ToFloat(in.get(SHORT, at + 2 * i)));
                }
            }
            case Q8_0 -> {
                for (long b = 0; b < n / BLOCK; b++) {
                    long block = at + b * BLOCK_BYTES;
                    float d = Float.float16ToFloat(in.get(SHORT, block));
                    for (int i = 0; i < BLOCK; i++) {
                        out.set(FLOAT, to + 4 * (b * BLOCK + i), d * in.get(BYTE, block + SCALE_BYTES + i));
                    }
                }
            }
            case F32 -> MemorySegment.copy(in, at, out, to, 4 * n);
            case F64 -> throw new IllegalArgumentException("expected a type of no more bits than F32, found F64");
        }
    }

    /** Element {@code i} of Q8_0 blocks. */
    static double getQ8(MemorySegment blocks, long i) {
        long at = i / BLOCK * BLOCK_BYTES;
        return Float.float16ToFloat(blocks.get(SHORT, at)) * blocks.get(BYTE, at + SCALE_BYTES + i % BLOCK);
    }

    /**
     * Stores one block as GGUF's reference does, bit for bit: d = max|x| / 127 in F32, q = x · (1/d) rounded to nearest, ties
     * away from zero, then d rounded to F16.
     */
    private static void quantise(float[] x, MemorySegment out, long at) {
        float most = 0;
        for (float v : x) {
            if (!Float.isFinite(v)) {
                throw new IllegalArgumentException("expected finite numbers to store as Q8_0, found " + v
                        + "; keep this weight in its own type");
            }
            most = Math.max(most, Math.abs(v));
        }
        float d = most / LARGEST;
        short scale = Float.floatToFloat16(d);
        if (Float.isInfinite(Float.float16ToFloat(scale))) {
            throw new IllegalArgumentException("expected numbers up to 127 · 65504 to store as Q8_0, found " + most
                    + "; keep this weight in its own type");
        }
        // Below the smallest normal number the inverse would be infinite; the scale is 0 in F16 long before.
        float inverse = d < Float.MIN_NORMAL ? 0 : 1 / d;
        out.set(SHORT, at, scale);
        for (int i = 0; i < BLOCK; i++) {
            float q = x[i] * inverse;
            out.set(BYTE, at + SCALE_BYTES + i, (byte) (Math.floor(Math.abs(q) + 0.5) * Math.signum(q)));
        }
    }
}
