package org.spin4j.bench;

import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.Kernels.PackedMatrix;
import org.spin4j.kernels.Kernels.Product;
import org.spin4j.kernels.Storage;
import org.spin4j.kernels.VectorKernels;

/**
 * A matrix times one vector, as generating text does it for every token: the vocabulary-wide head, with weights of every
 * type, and times 16 vectors, as for 16 streams of text at once. It reads each weight once, so what limits it is memory, until
 * there are so many vectors that arithmetic does.
 */
final class CompareMatvec {
    /** The comparison's section. */
    static final Report.Section SECTION = new Report.Section("matvec",
            "a matrix times one vector beside the memory bandwidth",
            CompareMatvec::run);

    private static final int[] THREADS = {1, 2};
    private static final int N = 49_152;
    private static final int K = 576;
    private static final List<DType> TYPES = List.of(DType.F32, DType.BF16, DType.F16, DType.Q8_0);
    /** Types that are measured with {@link #STREAMS} vectors too. */
    private static final List<DType> STREAMED = List.of(DType.F32, DType.BF16);
    private static final int STREAMS = 16;
    private static final int ROUNDS = 3;
    /** Of sums of 576 terms: see {@link CompareMatmul}. */
    private static final double TOLERANCE = 3e-4;

    /**
     * A weight as a model may keep it.
     *
     * @param numbers  [n,k], of any type
     * @param expected [rows,n]: the product of some rows with the weight widened to F32
     */
    record Weight(Storage numbers, Storage expected) {
        /**
         * Rounds {@code w} to {@code type}, and finds what its products have to be.
         *
         * @param w [n,k] in F32
         * @param x [rows,k] in F32
         */
        static Weight of(Arena arena, DType type, Storage w, int rows, int n, int k, Storage x) {
            Storage numbers = Storage.allocate(arena, type, w.size());
            numbers.convertFrom(w);
            Storage expected = Numbers.zeros(arena, (long) rows * n);
            try (Arena brief = Arena.ofShared()) {
                Storage widened = Numbers.zeros(brief, w.size());
                widened.convertFrom(numbers);
                new VectorKernels(1).matmul(Product.NT, rows, n, k, x, widened, null, null, expected);
            }
            return new Weight(numbers, expected);
        }

        /** Lays the weight out for {@code kernels}. */
        PackedMatrix pack(Kernels kernels, int n, int k) {
            return kernels.pack(Product.NT, n, k, numbers);
        }

        /**
         * Finds out whether a product with the first rows of {@code x} is what it has to be.
         *
         * @throws IllegalStateException where a single bit differs
         */
        void check(Kernels kernels, PackedMatrix packed, int rows, Storage x) {
            try (Arena brief = Arena.ofShared()) {
                Storage y = Numbers.zeros(brief, (long) rows * packed.n());
                kernels.matmulPacked(rows, x, packed, null, null, y);
                long at = y.segment().mismatch(expected.slice(0, y.size()).segment());
                if (at != -1) {
                    long i = at / Float.BYTES;
                    throw new IllegalStateException(String.format(Locale.ROOT,
                            "expected the product with the weight widened to F32, bit for bit, found %s in place of %s at %d,"
                                    + " weight %s, rows %d",
                            y.get(i), expected.get(i), i, numbers, rows));
                }
            }
        }
    }

    /** A row of the table; {@code bytes} are those of the weights. */
    private record Row(String program, int rows, DType weights, double bytes, Stopwatch times) {
        double flop() {
            return 2.0 * rows * N * K;
        }
    }

    private CompareMatvec() {}

    private static void run(PrintStream out) {
        Optional<OpenBlas> blas = OpenBlas.find();
        out.println("- A: spin4j, " + Machine.vectors()
                + ", weights packed once in their own type; each product was found to"
                + " be, bit for bit, that with the weights widened to F32");
        out.println("- B: " + blas.map(OpenBlas::describe).orElse("none") + "; it has weights in F32 alone");
        out.printf(Locale.ROOT, "- work: y[m,%d] = x[m,%d] · W[%d,%d]ᵀ in sums of float32%n", N, K, N, K);
        out.println("- order: all rows of the table, bandwidth, all rows backwards, " + ROUNDS
                + " times, after warming up until three passes agree; bandwidth is the better of two loops that add up as"
                + " many bytes as the weights have in F32, read at one place or at four at a time");
        out.println();
        if (blas.isEmpty()) {
            System.err.println("matvec: " + OpenBlas.REMEDY);
        }
        out.println("| threads | program | m | weights | MB | ms | GFLOP/s | GB/s | bandwidth GB/s"
                + " | **share of bandwidth** |");
        out.println("|---:|---|---:|---|---:|---:|---:|---:|---:|---:|");
        try (Arena arena = Arena.ofShared()) {
            Storage w = Numbers.gaussian(arena, (long) N * K, 1, "w");
            Storage copy = Numbers.zeros(arena, w.size());
            copy.copyFrom(w);
            Storage x = Numbers.gaussian(arena, (long) STREAMS * K, 1, "x");
            List<Weight> weights = TYPES.stream().map(type -> Weight.of(arena, type, w, STREAMS, N, K, x)).toList();
            for (int threads : THREADS) {
                System.err.println("matvec: threads: " + threads);
                List<Row> rows = new ArrayList<>(ours(threads, weights, x, Numbers.zeros(arena, (long) STREAMS * N)));
                blas.ifPresent(library -> {
                    library.setThreads(threads);
                    rows.addAll(theirs(library, w, x, Numbers.zeros(arena, (long) STREAMS * N),
                            weights.getFirst().expected()));
                });
                measure(out, threads, rows, w, copy);
            }
        }
    }

    private static List<Row> ours(int threads, List<Weight> weights, Storage x, Storage y) {
        VectorKernels kernels = new VectorKernels(threads);
        List<Row> rows = new ArrayList<>();
        for (Weight weight : weights) {
            DType type = weight.numbers().type();
            PackedMatrix packed = weight.pack(kernels, N, K);
            for (int m : STREAMED.contains(type) ? List.of(1, STREAMS) : List.of(1)) {
                weight.check(kernels, packed, m, x);
                rows.add(new Row("spin4j", m, type, packed.bytes(),
                        Turns.watch(() -> kernels.matmulPacked(m, x, packed, null, null, y))));
            }
        }
        return rows;
    }

    private static List<Row> theirs(OpenBlas library, Storage w, Storage x, Storage y, Storage expected) {
        Stopwatch one = Turns.watch(() -> library.multiplyVector(N, K, w, x, y));
        check(expected, y, N);
        Stopwatch many = Turns.watch(() -> library.matmul(Product.NT, STREAMS, N, K, x, w, y));
        check(expected, y, STREAMS * N);
        double bytes = DType.F32.bytes(w.size());
        return List.of(new Row("OpenBLAS", 1, DType.F32, bytes, one),
                new Row("OpenBLAS", STREAMS, DType.F32, bytes, many));
    }

    private static void measure(PrintStream out, int threads, List<Row> rows, Storage w, Storage copy) {
        // Which loop reads fastest differs by processor, and by 10 % with where the pages lie: the best of all counts.
        List<ReadBandwidth> loops = List.of(new ReadBandwidth(threads, w, 1), new ReadBandwidth(threads, copy, 1),
                new ReadBandwidth(threads, w, 4), new ReadBandwidth(threads, copy, 4));
        List<Stopwatch> yardsticks = loops.stream().map(Turns::watch).toList();
        List<Stopwatch> order = new ArrayList<>(rows.stream().map(Row::times).toList());
        List<Stopwatch> back = List.copyOf(order.reversed());
        order.addAll(yardsticks);
        order.addAll(yardsticks.reversed());
        order.addAll(back);
        Turns.take(order, ROUNDS, "matvec with threads: " + threads);
        double limit = loops.getFirst().bytes()
                / yardsticks.stream().mapToDouble(Stopwatch::median).min().orElseThrow();
        for (Row row : rows) {
            double seconds = row.times().median();
            double rate = row.bytes() / seconds;
            out.printf(Locale.ROOT, "| %d | %s | %d | %s | %.1f | %.2f | %.1f | %.1f | %.1f | **%.2f** |%n", threads,
                    row.program(), row.rows(), row.weights(), row.bytes() / 1e6, seconds * 1e3,
                    row.flop() / seconds / 1e9, rate / 1e9, limit / 1e9, rate / limit);
        }
    }

    private static void check(Storage ours, Storage theirs, int n) {
        for (int i = 0; i < n; i++) {
            if (!(Math.abs(ours.get(i) - theirs.get(i)) <= TOLERANCE)) {
                throw new IllegalStateException(String.format(Locale.ROOT,
                        "expected the same numbers of both within %.0e, found %.6f (spin4j) and %.6f (OpenBLAS) at %d",
                        TOLERANCE, ours.get(i), theirs.get(i), i));
            }
        }
    }
}
