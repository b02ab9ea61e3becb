package org.spin4j.kernels;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** Elementary functions of vectors, built from single IEEE operations so that interpreted and compiled code agree bit for bit. */
final class VectorMath {
    private static final int EXPONENT_BIAS = 127;
    private static final int MANTISSA_BITS = 23;
    // Constants are whole vectors: a broadcast in the code costs C2 many nodes of its inlining budget, and behind the end of
    // that budget a vector is an object on the heap.
    private static final FloatVector LOG2_E = constant(0x1.715476p0f);
    /** -ln 2 in two parts; the first has so few bits that its product with the exponent is exact. */
    private static final FloatVector MINUS_LN2_HIGH = constant(-0x1.62e4p-1f);
    private static final FloatVector MINUS_LN2_LOW = constant(-0x1.7f7d1cp-20f);
    /** 1.5 · 2²³: a small number added to it is rounded to an integer, which then stands in the low bits. */
    private static final FloatVector ROUNDER = constant(0x1.8p23f);
    private static final IntVector ROUNDER_BITS = ROUNDER.reinterpretAsInts();
    private static final IntVector BIAS = IntVector.broadcast(IntVector.SPECIES_PREFERRED, EXPONENT_BIAS);
    /** Below this, e^x rounds to 0; above {@link #HIGHEST}, to infinity. */
    private static final FloatVector LOWEST = constant(-105f);
    private static final FloatVector HIGHEST = constant(90f);
    private static final FloatVector ONE = constant(1);
    private static final FloatVector Q5 = constant(0x1.6a2256p-10f);
    private static final FloatVector Q4 = constant(0x1.123b02p-7f);
    private static final FloatVector Q3 = constant(0x1.5558f8p-5f);
    private static final FloatVector Q2 = constant(0x1.55549p-3f);
    private static final FloatVector Q1 = constant(0x1.fffffcp-2f);

    /** As {@link #ROUNDER}, for a number that is to stand in the low bits with the exponent's bias already added. */
    private static final FloatVector BIASED_ROUNDER = constant(0x1.8p23f + EXPONENT_BIAS);
    /** The exponent whose bits are all 0: 2 to this power and below is 0. */
    private static final FloatVector NO_POWER = constant(-EXPONENT_BIAS);
    private static final FloatVector P6 = constant(0x1.41fbbap-13f);
    private static final FloatVector P5 = constant(0x1.5f3e54p-10f);
    private static final FloatVector P4 = constant(0x1.3b2d4cp-7f);
    private static final FloatVector P3 = constant(0x1.c6aee8p-5f);
    private static final FloatVector P2 = constant(0x1.ebfbdcp-3f);
    private static final FloatVector P1 = constant(0x1.62e430p-1f);

    private static final FloatVector TWO = constant(2);
    /** Square of 0.6: below that, tanh is a polynomial. */
    private static final FloatVector TANH_BORDER = constant(0.36f);
    private static final FloatVector T5 = constant(-0x1.825852p-8f);
    private static final FloatVector T4 = constant(0x1.54b8ap-6f);
    private static final FloatVector T3 = constant(-0x1.b898dep-5f);
    private static final FloatVector T2 = constant(0x1.1109aep-3f);
    private static final FloatVector T1 = constant(-0x1.55553ep-2f);

    private VectorMath() {}

    private static FloatVector constant(float value) {
        return FloatVector.broadcast(FloatVector.SPECIES_PREFERRED, value);
    }

    /**
     * e^x in each lane of a vector of the preferred width, within 1 ulp of the exact value (2 where it is subnormal); 0,
     * infinity and NaN as {@link Math#exp} gives them.
     *
     * <p>x = n · ln 2 + r with |r| ≤ ln 2 / 2, so e^x = 2ⁿ · e^r; e^r = 1 + r + r² · q(r), where the polynomial q is a minimax
     * fit (relative error of e^r: 3.1e-9). 2ⁿ is applied in two halves, each of them a normal number.
     */
    static FloatVector exp(FloatVector x) {
        FloatVector v = x.blend(LOWEST, x.lt(LOWEST)).blend(HIGHEST, HIGHEST.lt(x));
        FloatVector shifted = v.fma(LOG2_E, ROUNDER);
        FloatVector n = shifted.sub(ROUNDER);
        FloatVector r = n.fma(MINUS_LN2_LOW, n.fma(MINUS_LN2_HIGH, v));
        FloatVector q = Q5.fma(r, Q4).fma(r, Q3).fma(r, Q2).fma(r, Q1);
        FloatVector e = q.fma(r.mul(r), r).add(ONE);
        IntVector power = shifted.reinterpretAsInts().sub(ROUNDER_BITS);
        IntVector half = power.lanewise(VectorOperators.ASHR, 1);
        IntVector rest = power.sub(half);
        FloatVector first = half.add(BIAS).lanewise(VectorOperators.LSHL, MANTISSA_BITS).reinterpretAsFloats();
        FloatVector second = rest.add(BIAS).lanewise(VectorOperators.LSHL, MANTISSA_BITS).reinterpretAsFloats();
        return e.mul(first).mul(second);
    }

    /**
     * 2^x for x below 127.5, within 1 ulp, in half the operations of {@link #exp}: what would be smaller than 2^-126.5 is 0, and the
     * argument of a softmax never is large. 2^0 is exactly 1; NaN stays NaN.
     *
     * <p>x = n + r with |r| ≤ 1/2; 2^r = 1 + r · p(r), a minimax fit (relative error 1.6e-8). The bits of n are shifted to the place
     * of an exponent in one step, because the rounding added the bias; n = -127 gives the bits of 0.
     */
    static FloatVector exp2(FloatVector x) {
        FloatVector v = x.blend(NO_POWER, x.lt(NO_POWER));
        FloatVector shifted = v.add(BIASED_ROUNDER);
        FloatVector r = v.sub(shifted.sub(BIASED_ROUNDER));
        FloatVector p = P6.fma(r, P5).fma(r, P4).fma(r, P3).fma(r, P2).fma(r, P1).fma(r, ONE);
        return p.mul(shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, MANTISSA_BITS).reinterpretAsFloats());
    }

    /**
     * tanh x within 3 ulp; odd, ±1 at the ends, NaN stays NaN. Below 0.6 tanh x = x + x³ · t(x²), a minimax fit (relative error
     * 2.8e-9), because 1 - 2 / (e^2x + 1) loses digits there.
     */
    static FloatVector tanh(FloatVector x) {
        FloatVector z = x.mul(x);
        FloatVector t = T5.fma(z, T4).fma(z, T3).fma(z, T2).fma(z, T1);
        FloatVector large = ONE.sub(TWO.div(exp(x.mul(TWO)).add(ONE)));
        return large.blend(t.mul(z).fma(x, x), z.lt(TANH_BORDER));
    }
}
