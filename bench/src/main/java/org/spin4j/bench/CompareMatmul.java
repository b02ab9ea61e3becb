package org.spin4j.bench;

import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.spin4j.kernels.Kernels.Product;
import org.spin4j.kernels.Storage;
import org.spin4j.kernels.VectorKernels;

/** Matrix products beside those of OpenBLAS, and beside the most that the cores can multiply and add. */
final class CompareMatmul {
    /** The comparison's section. */
    static final Report.Section SECTION = new Report.Section("matmul", "matrix products beside OpenBLAS",
            CompareMatmul::run);

    private static final int[] THREADS = {1, 2};
    private static final int ROUNDS = 3;
    /** Of the head, whose passes are long. */
    private static final int FEW_ROUNDS = 2;
    private static final long LONG_WORK = 10_000_000_000L;
    /** Numbers of C that are compared. */
    private static final int SAMPLES = 1 << 16;
    /**
     * How far two programs may differ in a sum of k products of numbers of deviation 1, in units of float rounding times k:
     * such a sum is of size √k, and its relative error grows with √k when terms are added one by one.
     */
    private static final double TOLERANCE = 8;

    private record Shape(Product product, int m, int n, int k) {
        double flop() {
            return 2.0 * m * n * k;
        }

        int rounds() {
            return (long) m * n * k > LONG_WORK ? FEW_ROUNDS : ROUNDS;
        }

        @Override
        public String toString() {
            return product + " " + m + "×" + n + "×" + k;
        }
    }

    private CompareMatmul() {}

    private static void run(PrintStream out) {
        Optional<OpenBlas> blas = OpenBlas.find();
        out.println("- A: spin4j, " + Machine.vectors());
        out.println("- B: " + blas.map(OpenBlas::describe).orElse("none"));
        out.println(
                "- work: C[m,n] = op(A) · op(B) with sums of k terms in float32; NT is a layer's forward step, NN the gradient"
                        + " of its input, TN that of its weights");
        out.println("- order: A B peak B A, " + ROUNDS + " times (" + FEW_ROUNDS
                + " for the head), after warming up until three"
                + " passes agree");
        out.println();
        if (blas.isEmpty()) {
            System.err.println("matmul: " + OpenBlas.REMEDY);
        }
        out.println(
                "| threads | product | m×n×k | spin4j GFLOP/s | OpenBLAS GFLOP/s | **spin4j / OpenBLAS** | FMA peak GFLOP/s"
                        + " | spin4j / peak |");
        out.println("|---:|---|---|---:|---:|---:|---:|---:|");
        for (int threads : THREADS) {
            VectorKernels kernels = new VectorKernels(threads);
            FmaPeak peak = new FmaPeak(threads);
            blas.ifPresent(b -> b.setThreads(threads));
            for (Shape shape : shapes()) {
                measure(out, shape, threads, kernels, blas, peak);
            }
        }
    }

    private static List<Shape> shapes() {
        List<Shape> shapes = new ArrayList<>();
        for (Product product : List.of(Product.NN, Product.NT, Product.TN)) {
            shapes.add(new Shape(product, 768, 768, 768));
            shapes.add(new Shape(product, 1536, 1536, 1536));
            shapes.add(new Shape(product, 2048, 576, 1536));
        }
        shapes.add(new Shape(Product.NT, 2048, 49_152, 576));
        return shapes;
    }

    private static void measure(PrintStream out, Shape s, int threads, VectorKernels kernels, Optional<OpenBlas> blas,
            FmaPeak peak) {
        System.err.println("matmul: " + s + ", threads: " + threads);
        try (Arena arena = Arena.ofShared()) {
            Storage a = Numbers.gaussian(arena, (long) s.m * s.k, 1, "a");
            Storage b = Numbers.gaussian(arena, (long) s.n * s.k, 1, "b");
            Storage c = Numbers.zeros(arena, (long) s.m * s.n);
            Runnable ours = () -> kernels.matmul(s.product, s.m, s.n, s.k, a, b, null, null, c);
            Runnable theirs = () -> blas.ifPresent(library -> library.matmul(s.product, s.m, s.n, s.k, a, b, c));
            ours.run();
            if (blas.isPresent()) {
                float[] found = sample(c);
                c.zero();
                theirs.run();
                check(s, found, sample(c));
            }
            Stopwatch mine = Turns.watch(ours);
            Stopwatch other = Turns.watch(theirs);
            Stopwatch yardstick = Turns.watch(peak);
            Turns.take(blas.isPresent()
                    ? List.of(mine, other, yardstick, other, mine)
                    : List.of(mine, yardstick, mine), s.rounds(), "matmul " + s);
            double rate = s.flop() / mine.median();
            double limit = peak.flop() / yardstick.median();
            String beside = blas.isEmpty()
                    ? "– | –"
                    : String.format(Locale.ROOT, "%.1f | **%.2f**", s.flop() / other.median() / 1e9,
                            other.median() / mine.median());
            out.printf(Locale.ROOT, "| %d | %s | %d×%d×%d | %.1f | %s | %.1f | %.2f |%n", threads, s.product, s.m, s.n,
                    s.k,
                    rate / 1e9, beside, limit / 1e9, rate / limit);
        }
    }

    /** Numbers from all over C. */
    private static float[] sample(Storage c) {
        float[] sample = new float[(int) Math.min(SAMPLES, c.size())];
        for (int i = 0; i < sample.length; i++) {
            sample[i] = (float) c.get(c.size() / sample.length * i);
        }
        return sample;
    }

    private static void check(Shape shape, float[] ours, float[] theirs) {
        double bound = TOLERANCE * Math.ulp(1f) / 2 * shape.k;
        for (int i = 0; i < ours.length; i++) {
            if (!(Math.abs(ours[i] - theirs[i]) <= bound)) {
                throw new IllegalStateException(String.format(Locale.ROOT,
                        "expected the same numbers of both within %.1e in %s, found %.6f (spin4j) and %.6f (OpenBLAS)",
                        bound,
                        shape, ours[i], theirs[i]));
            }
        }
    }
}
