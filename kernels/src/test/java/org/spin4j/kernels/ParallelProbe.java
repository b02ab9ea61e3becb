package org.spin4j.kernels;

import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.IntConsumer;
import org.spin4j.kernels.Kernels.Product;

/**
 * What a parallel loop costs, and what a second thread gains in small products; run it by hand after a change to {@link Parallel}:
 *
 * <pre>java --add-modules jdk.incubator.vector -cp kernels/target/classes:kernels/target/test-classes
 *     org.spin4j.kernels.ParallelProbe</pre>
 */
final class ParallelProbe {
    private static final int ROUNDS = 9;
    private static final long ROUND_NANOS = 60_000_000;
    private static final long WARM_NANOS = 2_000_000_000;

    private ParallelProbe() {}

    /** See the class. */
    public static void main(String[] args) {
        Parallel two = new Parallel(2);
        IntConsumer nothing = i -> {};
        for (int count : new int[]{2, 16}) {
            Runnable loop = () -> two.forEach(count, nothing);
            for (int i = 0; i < ROUNDS; i++) {
                micros(loop);
            }
            System.out.printf(Locale.ROOT, "empty loop of %d iterations, 2 threads: %.2f us%n", count, micros(loop));
        }
        Kernels serial = new VectorKernels(1);
        Kernels parallel = new VectorKernels(2);
        System.out.printf("%-24s %10s %10s %8s%n", "NT product", "1: us", "2: us", "ratio");
        for (int[] s : new int[][]{{64, 64, 64}, {128, 64, 64}, {128, 128, 128}, {512, 64, 64}, {512, 192, 64},
                {256, 256, 256}, {512, 128, 128}}) {
            compare(s[0] + " x " + s[1] + " x " + s[2], product(serial, s), product(parallel, s));
        }
        compare("adamW 100000", adamW(serial), adamW(parallel));
    }

    private static void compare(String name, Runnable one, Runnable two) {
        double[] a = new double[ROUNDS];
        double[] b = new double[ROUNDS];
        // C2 compiles on the same cores: nothing counts before it is done.
        for (long begin = System.nanoTime(); System.nanoTime() - begin < WARM_NANOS;) {
            micros(one);
            micros(two);
        }
        for (int i = 0; i < ROUNDS; i++) {
            // A B, B A: a drift of the machine meets both.
            if (i % 2 == 0) {
                a[i] = micros(one);
                b[i] = micros(two);
            } else {
                b[i] = micros(two);
                a[i] = micros(one);
            }
        }
        Arrays.sort(a);
        Arrays.sort(b);
        System.out.printf(Locale.ROOT, "%-24s %10.1f %10.1f %8.2f%n", name, a[ROUNDS / 2], b[ROUNDS / 2],
                a[ROUNDS / 2] / b[ROUNDS / 2]);
    }

    private static Runnable product(Kernels k, int[] s) {
        Storage a = Storage.allocate(Arena.ofAuto(), DType.F32, (long) s[0] * s[2]);
        Storage b = Storage.allocate(Arena.ofAuto(), DType.F32, (long) s[1] * s[2]);
        Storage c = Storage.allocate(Arena.ofAuto(), DType.F32, (long) s[0] * s[1]);
        return () -> k.matmul(Product.NT, s[0], s[1], s[2], a, b, null, null, c);
    }

    private static Runnable adamW(Kernels k) {
        int n = 100_000;
        Storage param = Storage.allocate(Arena.ofAuto(), DType.F32, n);
        Storage grad = Storage.allocate(Arena.ofAuto(), DType.F32, n);
        Storage m = Storage.allocate(Arena.ofAuto(), DType.F32, n);
        Storage v = Storage.allocate(Arena.ofAuto(), DType.F32, n);
        return () -> k.adamW(n, param, grad, m, v, 1e-3, 0.9, 0.95, 1e-8, 0.1, 1, 3);
    }

    private static double micros(Runnable work) {
        long begin = System.nanoTime();
        long runs = 0;
        do {
            work.run();
            runs++;
        } while (System.nanoTime() - begin < ROUND_NANOS);
        return (System.nanoTime() - begin) / 1e3 / runs;
    }
}
