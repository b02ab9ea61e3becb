package org.spin4j.bench;

import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import org.spin4j.kernels.VectorKernels;

/**
 * Training steps of the 7M model in spin4j and in libtorch, in turns A B B A, with 1 thread and with 2. Both start from the
 * same weights and must find the same losses, or nothing is measured.
 *
 * <p>Both run in one process; an argument {@code spin4j} or {@code libtorch} measures one of them alone, which shows
 * whether the other disturbs it.
 */
final class CompareTraining {
    private static final TrainSetup WORK = TrainSetup.SEVEN_MILLION;
    private static final int[] THREADS = {1, 2};
    private static final int STEPS_OF_A_PASS = 3;
    private static final int ROUNDS = 4;
    private static final int CHECKED_STEPS = 3;
    /** Nats: two programs that sum in different orders differ by some 1e-6 after the first step. */
    private static final double LOSS_TOLERANCE = 1e-4;
    private static final double WARM_TOLERANCE = 0.05;
    private static final Duration WARM_LIMIT = Duration.ofSeconds(45);
    /** A busy machine gets fewer rounds, so that the whole comparison stays below 10 minutes. */
    private static final Duration ROUNDS_LIMIT = Duration.ofSeconds(90);

    private CompareTraining() {}

    /**
     * Prints the table in Markdown.
     *
     * @param alone {@code spin4j} or {@code libtorch} to measure one of them alone, or nothing
     */
    static void run(PrintStream out, String alone) {
        out.println("- A: spin4j, " + new VectorKernels(1).describe());
        out.println("- B: " + LibtorchTrainStep.describe() + ", float32");
        out.println("- work: forward, backward, AdamW of " + WORK);
        out.println("- order: " + (alone.isEmpty() ? "A B B A" : alone + " alone") + ", " + ROUNDS + " times, "
                + STEPS_OF_A_PASS + " steps each, after warming up until three passes agree");
        out.println();
        out.println("| threads | program | steps | median s | best s | median processor s | tokens/s |");
        out.println("|---:|---|---:|---:|---:|---:|---:|");
        for (int threads : THREADS) {
            measure(out, threads, alone);
        }
    }

    private static void measure(PrintStream out, int threads, String alone) {
        LibtorchTrainStep.setThreads(threads);
        try (TrainStep ours = new TrainStep(new VectorKernels(threads), WORK);
                LibtorchTrainStep theirs = new LibtorchTrainStep(WORK, ours.parameters())) {
            check(ours, theirs);
            Stopwatch a = new Stopwatch(ours::run, STEPS_OF_A_PASS);
            Stopwatch b = new Stopwatch(theirs::run, STEPS_OF_A_PASS);
            List<Stopwatch> turns = switch (alone) {
                case "spin4j" -> List.of(a, a, a, a);
                case "libtorch" -> List.of(b, b, b, b);
                default -> List.of(a, b, b, a);
            };
            boolean warm = turns.stream().distinct().mapToInt(s -> s.warmUp(WARM_TOLERANCE, WARM_LIMIT) ? 0 : 1)
                    .sum() == 0;
            long end = System.nanoTime() + ROUNDS_LIMIT.toNanos();
            for (int i = 0; i < ROUNDS && (i == 0 || System.nanoTime() < end); i++) {
                turns.forEach(Stopwatch::pass);
            }
            row(out, threads, "spin4j", a);
            row(out, threads, "libtorch", b);
            if (alone.isEmpty()) {
                out.printf(Locale.ROOT, "| %d | **libtorch / spin4j** | | **%.2f** | %.2f | %.2f | |%n", threads,
                        b.median() / a.median(), b.best() / a.best(),
                        b.medianProcessorTime() / a.medianProcessorTime());
            }
            if (!warm) {
                System.err.println("threads: " + threads + "; the passes of the warm-up never agreed within "
                        + Math.round(100 * WARM_TOLERANCE) + " %; measure again on a machine that does nothing else");
            }
        }
    }

    private static void row(PrintStream out, int threads, String program, Stopwatch times) {
        if (times.count() > 0) {
            out.printf(Locale.ROOT, "| %d | %s | %d | %.3f | %.3f | %.3f | %.0f |%n", threads, program, times.count(),
                    times.median(), times.best(), times.medianProcessorTime(), WORK.tokens() / times.median());
        }
    }

    private static void check(TrainStep ours, LibtorchTrainStep theirs) {
        for (int i = 1; i <= CHECKED_STEPS; i++) {
            double a = ours.run();
            double b = theirs.run();
            if (!(Math.abs(a - b) <= LOSS_TOLERANCE)) {
                throw new IllegalStateException(String.format(Locale.ROOT,
                        "expected the same loss of both in step %d, found %.6f (spin4j) and %.6f (libtorch)", i, a, b));
            }
        }
    }
}
