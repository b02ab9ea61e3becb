package org.spin4j.kernels;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** Elementary functions of vectors, built from single IEEE operations so that interpreted and compiled code agree bit for bit. */
final class VectorMath {
    private static final float LOG2_E = 0x1.715476p0f;
    /** ln 2 in two parts; the first has so few bits that its product with the exponent is exact. */
    private static final float LN2_HIGH = 0x1.62e4p-1f;
    private static final float LN2_LOW = 0x1.7f7d1cp-20f;
    /** 1.5 · 2²³: a small number added to it is rounded to an integer, which then stands in the low bits. */
    private static final float ROUNDER = 0x1.8p23f;
    /** Below this, e^x rounds to 0; above {@link #HIGHEST}, to infinity. */
    private static final float LOWEST = -105f;
    private static final float HIGHEST = 90f;
    private static final int EXPONENT_BIAS = 127;
    private static final int MANTISSA_BITS = 23;

    private VectorMath() {}

    /**
     * e^x in each lane, within 1 ulp of the exact value (2 where it is subnormal); 0, infinity and NaN as {@link Math#exp}
     * gives them.
     *
     * <p>x = n · ln 2 + r with |r| ≤ ln 2 / 2, so e^x = 2ⁿ · e^r; e^r = 1 + r + r² · q(r), where the polynomial q is a minimax
     * fit (relative error of e^r: 3.1e-9). 2ⁿ is applied in two halves, each of them a normal number.
     */
    static FloatVector exp(FloatVector x) {
        FloatVector v = x.blend(LOWEST, x.compare(VectorOperators.LT, LOWEST));
        v = v.blend(HIGHEST, x.compare(VectorOperators.GT, HIGHEST));
        FloatVector shifted = v.fma(constant(x, LOG2_E), constant(x, ROUNDER));
        FloatVector n = shifted.sub(ROUNDER);
        FloatVector r = n.fma(constant(x, -LN2_HIGH), v);
        r = n.fma(constant(x, -LN2_LOW), r);
        FloatVector q = r.fma(constant(x, 0x1.6a2256p-10f), constant(x, 0x1.123b02p-7f));
        q = q.fma(r, constant(x, 0x1.5558f8p-5f));
        q = q.fma(r, constant(x, 0x1.55549p-3f));
        q = q.fma(r, constant(x, 0x1.fffffcp-2f));
        FloatVector e = q.fma(r.mul(r), r).add(1f);
        IntVector power = shifted.reinterpretAsInts().sub(Float.floatToRawIntBits(ROUNDER));
        IntVector half = power.lanewise(VectorOperators.ASHR, 1);
        return e.mul(powerOfTwo(half)).mul(powerOfTwo(power.sub(half)));
    }

    private static FloatVector powerOfTwo(IntVector n) {
        return n.add(EXPONENT_BIAS).lanewise(VectorOperators.LSHL, MANTISSA_BITS).reinterpretAsFloats();
    }

    private static FloatVector constant(FloatVector like, float value) {
        return FloatVector.broadcast(like.species(), value);
    }
}
