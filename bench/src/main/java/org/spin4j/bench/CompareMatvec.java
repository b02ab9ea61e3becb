package org.spin4j.bench;

import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.spin4j.kernels.Kernels.PackedMatrix;
import org.spin4j.kernels.Kernels.Product;
import org.spin4j.kernels.Storage;
import org.spin4j.kernels.VectorKernels;

/**
 * A matrix times one vector, as generating text does it for every token: the vocabulary-wide head. It reads each weight
 * once, so what limits it is memory.
 */
final class CompareMatvec {
    /** The comparison's section. */
    static final Report.Section SECTION = new Report.Section("matvec",
            "a matrix times one vector beside the memory bandwidth",
            CompareMatvec::run);

    private static final int[] THREADS = {1, 2};
    private static final int N = 49_152;
    private static final int K = 576;
    private static final int ROUNDS = 6;
    /** Of sums of 576 terms: see {@link CompareMatmul}. */
    private static final double TOLERANCE = 3e-4;

    /**
     * A weight as a model may keep it.
     *
     * @param name   type of its numbers
     * @param matrix packed for the kernels
     * @param bytes  what a product has to read of it
     */
    private record Weight(String name, PackedMatrix matrix, double bytes) {}

    /** A row of the table. */
    private record Row(String program, String weights, double bytes, Stopwatch times) {}

    private CompareMatvec() {}

    private static void run(PrintStream out) {
        Optional<OpenBlas> blas = OpenBlas.find();
        out.println("- A: spin4j, " + Machine.vectors() + ", weights packed once");
        out.println("- B: " + blas.map(OpenBlas::describe).orElse("none"));
        out.printf(Locale.ROOT, "- work: y[%d] = W[%d,%d] · x[%d], %.0f MB of weights in float32%n", N, N, K, K,
                N * 4e-6 * K);
        out.println("- order: A B bandwidth B A, " + ROUNDS
                + " times, after warming up until three passes agree; bandwidth is a loop"
                + " that adds up as many bytes");
        out.println();
        if (blas.isEmpty()) {
            System.err.println("matvec: " + OpenBlas.REMEDY);
        }
        out.println("| threads | program | weights | ms | GB/s | bandwidth GB/s | **share of bandwidth** |");
        out.println("|---:|---|---|---:|---:|---:|---:|");
        try (Arena arena = Arena.ofShared()) {
            Storage w = Numbers.gaussian(arena, (long) N * K, 1, "w");
            Storage copy = Numbers.zeros(arena, w.size());
            copy.copyFrom(w);
            Storage x = Numbers.gaussian(arena, K, 1, "x");
            for (int threads : THREADS) {
                System.err.println("matvec: threads: " + threads);
                blas.ifPresent(b -> b.setThreads(threads));
                measure(out, threads, blas, w, copy, x, Numbers.zeros(arena, N));
            }
        }
    }

    /** The weights there are. */
    private static List<Weight> weights(VectorKernels kernels, Storage w) {
        return List.of(new Weight("F32", kernels.pack(Product.NT, N, K, w), N * 4.0 * K));
    }

    private static void measure(PrintStream out, int threads, Optional<OpenBlas> blas, Storage w, Storage copy,
            Storage x,
            Storage y) {
        VectorKernels kernels = new VectorKernels(threads);
        List<Row> rows = new ArrayList<>();
        for (Weight weight : weights(kernels, w)) {
            rows.add(new Row("spin4j", weight.name(), weight.bytes(),
                    Turns.watch(() -> kernels.matmulPacked(1, x, weight.matrix(), null, null, y))));
        }
        float[] ours = y.toFloats();
        y.zero();
        blas.ifPresent(library -> {
            rows.add(new Row("OpenBLAS", "F32", N * 4.0 * K,
                    Turns.watch(() -> library.multiplyVector(N, K, w, x, y))));
            check(ours, y);
        });
        // The same loop on the same numbers differs by 10 % with where the pages lie: two memories, and the better counts.
        ReadBandwidth reading = new ReadBandwidth(threads, w);
        ReadBandwidth readingCopy = new ReadBandwidth(threads, copy);
        Stopwatch yardstick = Turns.watch(reading);
        Stopwatch yardstickCopy = Turns.watch(readingCopy);
        List<Stopwatch> order = new ArrayList<>(rows.stream().map(Row::times).toList());
        List<Stopwatch> back = order.reversed().stream().toList();
        order.addAll(List.of(yardstick, yardstickCopy, yardstickCopy, yardstick));
        order.addAll(back);
        Turns.take(order, ROUNDS, "matvec with threads: " + threads);
        double limit = reading.bytes() / Math.min(yardstick.median(), yardstickCopy.median());
        for (Row row : rows) {
            double rate = row.bytes() / row.times().median();
            out.printf(Locale.ROOT, "| %d | %s | %s | %.2f | %.1f | %.1f | **%.2f** |%n", threads, row.program(),
                    row.weights(),
                    row.times().median() * 1e3, rate / 1e9, limit / 1e9, rate / limit);
        }
    }

    private static void check(float[] ours, Storage theirs) {
        for (int i = 0; i < ours.length; i++) {
            if (!(Math.abs(ours[i] - theirs.get(i)) <= TOLERANCE)) {
                throw new IllegalStateException(String.format(Locale.ROOT,
                        "expected the same numbers of both within %.0e, found %.6f (spin4j) and %.6f (OpenBLAS) at %d",
                        TOLERANCE, ours[i], theirs.get(i), i));
            }
        }
    }
}
