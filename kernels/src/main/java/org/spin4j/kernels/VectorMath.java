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
}
