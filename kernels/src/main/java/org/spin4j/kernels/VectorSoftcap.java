package org.spin4j.kernels;

import static org.spin4j.kernels.Memory.ALL;
import static org.spin4j.kernels.VectorMemory.LANES;
import static org.spin4j.kernels.VectorMemory.ORDER;
import static org.spin4j.kernels.VectorMemory.SPECIES;
import static org.spin4j.kernels.VectorMemory.splat;
import static org.spin4j.kernels.VectorMemory.tail;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/** The smooth bound of Gemma 2 on scores and logits. A loop of its own: paths without a bound stay as they are. */
final class VectorSoftcap {
    private VectorSoftcap() {}

    /** x = cap · tanh(x / cap), over n numbers, on the calling thread. */
    static void apply(long n, float cap, long x) {
        FloatVector bound = splat(cap);
        FloatVector inverse = splat(1 / cap);
        long i = 0;
        for (; i + LANES <= n; i += LANES) {
            VectorMath.tanh(FloatVector.fromMemorySegment(SPECIES, ALL, x + i * 4, ORDER).mul(inverse)).mul(bound)
                    .intoMemorySegment(ALL, x + i * 4, ORDER);
        }
        if (i < n) {
            VectorMask<Float> tail = tail(n);
            VectorMath.tanh(FloatVector.fromMemorySegment(SPECIES, ALL, x + i * 4, ORDER, tail).mul(inverse))
                    .mul(bound).intoMemorySegment(ALL, x + i * 4, ORDER, tail);
        }
    }
}
