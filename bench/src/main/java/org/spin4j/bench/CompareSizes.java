package org.spin4j.bench;

import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.spin4j.kernels.Kernels.PackedMatrix;
import org.spin4j.kernels.Kernels.Product;
import org.spin4j.kernels.Storage;
import org.spin4j.kernels.VectorKernels;

/**
 * Looks for cliffs: sizes at which a product falls far below the rate it has at the sizes beside them. All sizes are gone
 * through again and again, so that neighbours are measured within the same moments; a share is the median of the sweeps'.
 */
final class CompareSizes {
    /** The comparison's section. */
    static final Report.Section SECTION = new Report.Section("sizes", "rates beside those of the neighbouring sizes",
            CompareSizes::run);

    private static final int[] THREADS = {1, 2};
    private static final int[] ROWS = {1, 2, 3, 4, 8, 15, 16, 31, 32, 33, 64, 100, 128, 256, 512};
    /** Up to here a model is generating, with weights packed once; above, it is trained. */
    private static final int MOST_STREAMS = 16;
    private static final int[][] WIDTHS = {{576, 576}, {1536, 576}, {577, 131}, {1024, 1024}};
    private static final int[] SQUARES = {500, 511, 512, 513, 528, 1000, 1023, 1024, 1025, 1040, 2000, 2047, 2048,
            2049};
    private static final int WARM_SWEEPS = 2;
    private static final int SWEEPS = 5;
    /** Seconds that one visit takes at least. */
    private static final double VISIT = 0.004;
    private static final double CLIFF = 0.5;

    /** Products that differ in size alone, in order of size; {@code sizes} is m, or all three where n is 0. */
    private record Series(Product product, boolean packed, int n, int k, int[] sizes) {
        Shape shape(int i) {
            return n == 0
                    ? new Shape(product, packed, sizes[i], sizes[i], sizes[i])
                    : new Shape(product, packed, sizes[i], n, k);
        }

        String title() {
            return product + (packed ? " packed " : " ") + (n == 0 ? "squares" : "m×" + n + "×" + k);
        }
    }

    private record Shape(Product product, boolean packed, int m, int n, int k) {
        double flop() {
            return 2.0 * m * n * k;
        }
    }

    /** Rate in FLOP/s and share of the better neighbour's, medians of the sweeps. */
    private record Cell(double rate, double share) {
        @Override
        public String toString() {
            return String.format(Locale.ROOT, "%.1f (%.2f)", rate / 1e9, share);
        }
    }

    private CompareSizes() {}

    private static void run(PrintStream out) {
        out.println("- spin4j: " + Machine.vectors());
        out.println("- order: all sizes up and down, " + SWEEPS + " sweeps after " + WARM_SWEEPS + " to warm up");
        out.println("- cells: GFLOP/s (share of the better of the two neighbouring rates in the column); up to "
                + MOST_STREAMS
                + " rows with weights packed before, above without");
        List<String> cliffs = new ArrayList<>();
        Map<String, Cell> cells = new HashMap<>();
        for (int threads : THREADS) {
            for (int[] width : widths()) {
                System.err.println(
                        "sizes: " + (width[0] == 0 ? "squares" : width[0] + "×" + width[1]) + ", threads: " + threads);
                measure(threads, series(width[0], width[1]), cells, cliffs);
            }
        }
        for (int[] width : widths()) {
            print(out, series(width[0], width[1]), cells);
        }
        out.println();
        out.println(cliffs.isEmpty()
                ? "No size falls below half of its better neighbour's rate."
                : "Below half of the better neighbour's rate: " + String.join("; ", cliffs) + ".");
    }

    private static List<int[]> widths() {
        List<int[]> widths = new ArrayList<>(Arrays.asList(WIDTHS));
        widths.add(new int[]{0, 0});
        return widths;
    }

    private static List<Series> series(int n, int k) {
        List<Series> list = new ArrayList<>();
        if (n > 0) {
            list.add(new Series(Product.NT, true, n, k, Arrays.stream(ROWS).filter(m -> m <= MOST_STREAMS).toArray()));
        }
        int[] sizes = n == 0 ? SQUARES : Arrays.stream(ROWS).filter(m -> m > MOST_STREAMS).toArray();
        for (Product product : List.of(Product.NT, Product.NN, Product.TN)) {
            list.add(new Series(product, false, n, k, sizes));
        }
        return list;
    }

    private static void measure(int threads, List<Series> list, Map<String, Cell> cells, List<String> cliffs) {
        VectorKernels kernels = new VectorKernels(threads);
        int most = list.stream().flatMapToInt(s -> Arrays.stream(s.sizes)).max().orElseThrow();
        int widest = list.stream().mapToInt(s -> s.n == 0 ? most : Math.max(s.n, s.k)).max().orElseThrow();
        try (Arena arena = Arena.ofShared()) {
            Storage a = Numbers.gaussian(arena, (long) most * widest, 1, "a");
            Storage b = Numbers.gaussian(arena, (long) widest * widest, 1, "b");
            Storage c = Numbers.zeros(arena, (long) most * widest);
            List<Runnable> calls = new ArrayList<>();
            List<Shape> shapes = new ArrayList<>();
            for (Series s : list) {
                PackedMatrix packed = s.packed ? kernels.pack(s.product, s.n, s.k, b) : null;
                for (int i = 0; i < s.sizes.length; i++) {
                    Shape at = s.shape(i);
                    shapes.add(at);
                    calls.add(s.packed
                            ? () -> kernels.matmulPacked(at.m, a, packed, null, null, c)
                            : () -> kernels.matmul(at.product, at.m, at.n, at.k, a, b, null, null, c));
                }
            }
            double[][] rates = sweeps(shapes, calls);
            int from = 0;
            for (Series s : list) {
                for (int i = 0; i < s.sizes.length; i++) {
                    Cell cell = cell(rates, from, from + s.sizes.length, i);
                    cells.put(key(s, s.sizes[i], threads), cell);
                    if (cell.share < CLIFF) {
                        cliffs.add(key(s, s.sizes[i], threads) + " at " + cell);
                    }
                }
                from += s.sizes.length;
            }
        }
    }

    /** Rates of all shapes in each sweep: {@code [SWEEPS, shapes]}. */
    private static double[][] sweeps(List<Shape> shapes, List<Runnable> calls) {
        int[] repetitions = new int[calls.size()];
        Arrays.fill(repetitions, 1);
        double[][] rates = new double[SWEEPS][calls.size()];
        for (int sweep = -WARM_SWEEPS; sweep < SWEEPS; sweep++) {
            Turns.settle();
            for (int j = 0; j < repetitions.length; j++) {
                int i = sweep % 2 == 0 ? j : repetitions.length - 1 - j;
                if (sweep < 0) {
                    repetitions[i] = warmed(calls.get(i), repetitions[i]);
                } else {
                    rates[sweep][i] = shapes.get(i).flop() / seconds(calls.get(i), repetitions[i]);
                }
            }
        }
        return rates;
    }

    /** Repeats a call more and more often until that takes long enough to be measured. */
    private static int warmed(Runnable call, int repetitions) {
        int enough = repetitions;
        for (double s = seconds(call, enough); s * enough < VISIT; s = seconds(call, enough)) {
            enough = (int) Math.ceil(Math.min(2 * enough, enough * 1.1 * VISIT / (s * enough)));
        }
        return enough;
    }

    /** Seconds per call. */
    private static double seconds(Runnable call, int repetitions) {
        long start = System.nanoTime();
        for (int i = 0; i < repetitions; i++) {
            call.run();
        }
        return (System.nanoTime() - start) / 1e9 / repetitions;
    }

    private static Cell cell(double[][] rates, int from, int to, int i) {
        double[] own = new double[rates.length];
        double[] share = new double[rates.length];
        for (int sweep = 0; sweep < rates.length; sweep++) {
            own[sweep] = rates[sweep][from + i];
            share[sweep] = Neighbours.shares(Arrays.copyOfRange(rates[sweep], from, to))[i];
        }
        return new Cell(median(own), median(share));
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    private static String key(Series s, int size, int threads) {
        return s.title() + " with " + (s.n == 0 ? "" : "m=") + size + ", threads: " + threads;
    }

    /** One table: a line per size, a column per product and number of threads. */
    private static void print(PrintStream out, List<Series> list, Map<String, Cell> cells) {
        int n = list.getFirst().n;
        out.println();
        out.print(n == 0 ? "| m=n=k" : "| m (n=" + n + ", k=" + list.getFirst().k + ")");
        for (int threads : THREADS) {
            for (Product product : List.of(Product.NT, Product.NN, Product.TN)) {
                out.print(" | " + product + ", threads: " + threads);
            }
        }
        out.println(" |");
        out.println("|---:" + "|---:".repeat(THREADS.length * 3) + "|");
        List<Integer> sizes = list.stream().flatMap(s -> Arrays.stream(s.sizes).boxed()).distinct().toList();
        for (int size : sizes) {
            out.print("| " + size + " | ");
            List<String> line = new ArrayList<>();
            for (int threads : THREADS) {
                for (Product product : List.of(Product.NT, Product.NN, Product.TN)) {
                    line.add(list.stream().filter(s -> s.product == product)
                            .map(s -> cells.get(key(s, size, threads))).filter(cell -> cell != null).map(Cell::toString)
                            .collect(Collectors.joining()));
                }
            }
            out.println(String.join(" | ", line) + " |");
        }
    }
}
