package org.spin4j.kernels;

/** Narrowing of numbers to 16 bits: once, to nearest, ties to even. */
public final class Rounding {
    private Rounding() {}

    /** The bits of {@code value} as F16. */
    public static short toFloat16(double value) {
        return Float.floatToFloat16(toOdd(value));
    }

    /** The bits of {@code value} as BF16. */
    public static short toBfloat16(double value) {
        return toBfloat16(toOdd(value));
    }

    /** The bits of {@code value} as BF16. */
    public static short toBfloat16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            // The quiet bit keeps a NaN whose payload lies in the lost half from turning into an infinity.
            return (short) ((bits >>> 16) | 0x40);
        }
        int halfMinusTie = 0x7fff + ((bits >>> 16) & 1);
        return (short) ((bits + halfMinusTie) >>> 16);
    }

    /**
     * The float next to {@code value} that still knows it was rounded: exact values stay, all others go to the neighbour with
     * an odd last bit. Rounding that float to a format of 22 bits or fewer then gives what rounding {@code value} directly
     * would have given, so no value is rounded twice (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums:
     * proved algorithms using rounding to odd").
     */
    static float toOdd(double value) {
        float f = (float) value;
        if (f == value || Double.isNaN(value)) {
            return f;
        }
        int bits = Float.floatToRawIntBits(f);
        if (Math.abs((double) f) > Math.abs(value)) {
            bits--; // towards zero: sign and magnitude are apart
        }
        return Float.intBitsToFloat(bits | 1);
    }
}
