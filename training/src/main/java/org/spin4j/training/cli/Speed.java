package org.spin4j.training.cli;

import java.lang.foreign.Arena;
import java.util.Arrays;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.Storage;
import org.spin4j.kernels.VectorKernels;

/**
 * How fast a backend is when the just-in-time compiler is done with it.
 *
 * @param backend         the backend's description of itself
 * @param bits            bits of its vectors, 0 for plain loops
 * @param threads         all threads
 * @param gigaFlopsOne    GFLOP/s of a large product with one thread
 * @param gigaFlopsAll    the same with all threads
 * @param gigaBytes       GB/s that a long y += αx reads and writes, all threads
 */
record Speed(String backend, int bits, int threads, double gigaFlopsOne, double gigaFlopsAll, double gigaBytes) {
    private static final int SIZE = 768;
    /** What an interpreted product still does in a fraction of a second. */
    private static final int SMALL_SIZE = 64;
    private static final int ROW = 1 << 24;
    private static final int SMALL_ROW = 1 << 14;
    /** A product slower than this is not compiled by C2, and a large one would take too long. */
    private static final double SLOW = 0.5;
    private static final double SECONDS = 0.35;
    private static final int FEWEST_WARM = 4;
    private static final int MOST_WARM = 6;

    /** Measures for about 3 seconds. */
    static Speed measure(Kernels one, Kernels all, int threads) {
        try (Arena arena = Arena.ofShared()) {
            Storage a = filled(arena);
            Storage b = filled(arena);
            Storage c = Storage.allocate(arena, DType.F32, (long) SIZE * SIZE);
            boolean slow = warm(one, a, b, c) < SLOW;
            int size = slow ? SMALL_SIZE : SIZE;
            flops(one, size, a, b, c, slow ? 0 : SECONDS);
            double gigaFlopsOne = flops(one, size, a, b, c, SECONDS);
            double gigaFlopsAll = threads == 1 ? gigaFlopsOne : flops(all, size, a, b, c, SECONDS);
            int row = slow ? SMALL_ROW : ROW;
            Storage x = Storage.allocate(arena, DType.F32, row);
            Storage y = Storage.allocate(arena, DType.F32, row);
            // Memory never written to is one page of zeros in the cache.
            all.axpy(row, 1, x, x);
            Runnable axpy = () -> {
                all.axpy(row, 1e-3, x, y);
                finish(y);
            };
            perSecond(axpy, SECONDS);
            // Two numbers read and one written, four bytes each.
            double gigaBytes = 12.0 * row * perSecond(axpy, SECONDS) / 1e9;
            return new Speed(all.describe(), all instanceof VectorKernels v ? v.bits() : 0, threads, gigaFlopsOne,
                    gigaFlopsAll, gigaBytes);
        }
    }

    /** Small products, which call each method often, for one to two seconds, until they get no faster; GFLOP/s. */
    private static double warm(Kernels kernels, Storage a, Storage b, Storage c) {
        double best = 0;
        for (int i = 0; i < MOST_WARM; i++) {
            double rate = flops(kernels, SMALL_SIZE, a, b, c, SECONDS);
            if (i >= FEWEST_WARM && rate < 1.1 * best) {
                break;
            }
            best = Math.max(best, rate);
        }
        return best;
    }

    private static double flops(Kernels kernels, int size, Storage a, Storage b, Storage c, double seconds) {
        return 2e-9 * size * size * size
                * perSecond(() -> {
                    kernels.matmul(Kernels.Product.NT, size, size, size, a, b, null, null, c);
                    finish(c);
                }, seconds);
    }

    /** A device computes when somebody looks. */
    private static void finish(Storage s) {
        s.slice(0, 1).get(0);
    }

    private static Storage filled(Arena arena) {
        Storage s = Storage.allocate(arena, DType.F32, (long) SIZE * SIZE);
        for (long i = 0; i < s.size(); i++) {
            s.set(i, (i % 13 - 6) / 7.0);
        }
        return s;
    }

    /** Runs per second: the median of the faster half of the runs, as nothing but disturbance makes a run slower. */
    private static double perSecond(Runnable work, double seconds) {
        long[] nanos = new long[1024];
        int runs = 0;
        long begin = System.nanoTime();
        do {
            long start = System.nanoTime();
            work.run();
            nanos[runs++ % nanos.length] = System.nanoTime() - start;
        } while (System.nanoTime() - begin < seconds * 1e9);
        int kept = Math.min(runs, nanos.length);
        Arrays.sort(nanos, 0, kept);
        return 1e9 / nanos[kept / 4];
    }
}
