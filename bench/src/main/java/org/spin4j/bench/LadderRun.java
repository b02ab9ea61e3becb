package org.spin4j.bench;

import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import org.spin4j.kernels.Kernels.Product;
import org.spin4j.kernels.Storage;
import org.spin4j.kernels.VectorKernels;

/** Measures the rungs of {@link Ladder}, and spin4j's own product as the last of them, on one thread. */
public final class LadderRun {
    private static final int SIZE = 768;
    private static final int ROUNDS = 3;
    /** Of sums of 768 terms of deviation 1: rungs that add in another order differ by some 1e-4. */
    private static final double TOLERANCE = 2e-3;
    private static final String LAST = "spin4j";
    private static final String LAST_IDEA = "The kernels' own product: the same tile, for every shape, transposition and number of "
            + "threads, which copies A only where it is stored transposed, and with sums of shorter chains, which are more exact.";

    /** The comparison's section. */
    static final Report.Section SECTION = new Report.Section("ladder", "why the product is fast, rung by rung",
            LadderRun::run);

    private LadderRun() {}

    /** Measures the ladder alone and puts it into the results: {@code [--out FILE]}. */
    public static void main(String[] args) {
        try {
            Arguments arguments = Arguments.parse(args, List.of(SECTION.name()), Report.STANDARD);
            new Report(arguments.out()).run(SECTION, System.out);
        } catch (IllegalArgumentException e) {
            System.err.println("bench: " + e.getMessage());
            System.exit(2);
        } catch (IllegalStateException e) {
            System.err.println("ladder: " + e.getMessage());
            System.exit(1);
        }
    }

    private static void run(PrintStream out) {
        double flop = 2.0 * SIZE * SIZE * SIZE;
        VectorKernels kernels = new VectorKernels(1);
        out.println("- spin4j: " + Machine.vectors());
        out.printf(Locale.ROOT, "- work: C[%d,%d] = A[%d,%d] · B[%d,%d] in float32, 1 thread%n", SIZE, SIZE, SIZE, SIZE,
                SIZE,
                SIZE);
        out.printf(Locale.ROOT, "- order: up and down the ladder, %d times, after warming up%n%n", ROUNDS);
        try (Arena arena = Arena.ofShared()) {
            Storage a = Numbers.gaussian(arena, SIZE * SIZE, 1, "a");
            Storage b = Numbers.gaussian(arena, SIZE * SIZE, 1, "b");
            Storage c = Numbers.zeros(arena, SIZE * SIZE);
            kernels.matmul(Product.NN, SIZE, SIZE, SIZE, a, b, null, null, c);
            float[] expected = c.toFloats();
            float[] left = a.toFloats();
            float[] right = b.toFloats();
            float[] result = new float[expected.length];
            List<Stopwatch> watches = new ArrayList<>();
            List<String> titles = new ArrayList<>();
            List<String> ideas = new ArrayList<>();
            for (Ladder rung : Ladder.values()) {
                System.err.println("ladder: " + rung.title());
                watches.add(Turns.watch(() -> rung.multiply(SIZE, SIZE, SIZE, left, right, result)));
                titles.add(rung.title());
                ideas.add(rung.idea());
                check(rung, expected, result);
            }
            watches.add(Turns.watch(() -> kernels.matmul(Product.NN, SIZE, SIZE, SIZE, a, b, null, null, c)));
            titles.add(LAST);
            ideas.add(LAST_IDEA);
            FmaPeak peak = new FmaPeak(1);
            Stopwatch yardstick = Turns.watch(peak);
            List<Stopwatch> order = new ArrayList<>(watches);
            order.add(yardstick);
            List<Stopwatch> down = new ArrayList<>(watches);
            Collections.reverse(down);
            order.addAll(down);
            Turns.take(order, ROUNDS, "ladder");
            double limit = peak.flop() / yardstick.median();
            out.println("| rung | GFLOP/s | share of FMA peak | times the rung before | why |");
            out.println("|---|---:|---:|---:|---|");
            double before = 0;
            for (int i = 0; i < watches.size(); i++) {
                double rate = flop / watches.get(i).median();
                out.printf(Locale.ROOT, "| %s | %.1f | %.1f %% | %s | %s |%n", titles.get(i), rate / 1e9,
                        100 * rate / limit, i == 0 ? "" : String.format(Locale.ROOT, "%.1f", rate / before),
                        ideas.get(i));
                before = rate;
            }
            out.printf(Locale.ROOT, "| FMA peak | %.1f | 100 %% | | Multiply-adds on registers alone. |%n",
                    limit / 1e9);
        }
    }

    private static void check(Ladder rung, float[] expected, float[] found) {
        for (int i = 0; i < expected.length; i++) {
            if (!(Math.abs(found[i] - expected[i]) <= TOLERANCE)) {
                throw new IllegalStateException(String.format(Locale.ROOT,
                        "expected %f at index %d of the rung %s, found %f", expected[i], i, rung.title(), found[i]));
            }
        }
    }
}
