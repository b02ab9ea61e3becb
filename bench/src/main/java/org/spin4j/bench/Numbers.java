package org.spin4j.bench;

import java.lang.foreign.Arena;
import org.spin4j.engine.RandomStream;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Storage;

/** Operands of benchmarks. Zeros would not do: they make exponentials and denormals unlike those of real work. */
final class Numbers {
    private Numbers() {}

    /** {@code n} normally distributed numbers, the same for the same name. */
    static Storage gaussian(Arena arena, long n, double deviation, String name) {
        RandomStream random = RandomStream.of(1, name, 0);
        Storage s = Storage.allocate(arena, DType.F32, n);
        for (long i = 0; i < n; i++) {
            s.set(i, deviation * random.nextGaussian());
        }
        return s;
    }

    /** {@code n} numbers, all zero: an output. */
    static Storage zeros(Arena arena, long n) {
        return Storage.allocate(arena, DType.F32, n);
    }
}
