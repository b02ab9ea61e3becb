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

    /**
     * One of the matrices that stand side by side in another.
     *
     * @param packed [rows, count · width]
     * @param which  from 0 to count - 1
     * @return [rows, width]
     */
    static float[] columns(float[] packed, int count, int which, int width) {
        float[] one = new float[packed.length / count];
        for (int row = 0; row < one.length / width; row++) {
            System.arraycopy(packed, (row * count + which) * width, one, row * width, width);
        }
        return one;
    }

    /** The largest absolute difference of two equally long arrays; NaN where one holds NaN. */
    static double distance(float[] a, float[] b) {
        if (a.length != b.length) {
            throw new IllegalArgumentException("expected equal lengths, found " + a.length + " and " + b.length);
        }
        double max = 0;
        for (int i = 0; i < a.length; i++) {
            max = Math.max(max, Math.abs((double) a[i] - b[i]));
        }
        return max;
    }
}
