package org.spin4j.bench;

import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;
import org.spin4j.kernels.VectorKernels;

/**
 * Training steps of two models in spin4j and in libtorch, in turns A B B A in one process, with 1 thread and with 2. Both
 * start from the same weights and must find the same losses, or nothing is measured; the steps that are checked are the
 * first of the warm-up.
 */
final class CompareTraining {
    /** Nats: two programs that sum in different orders differ by some 1e-6 after the first step. */
    private static final double LOSS_TOLERANCE = 1e-4;

    /**
     * How one model is measured.
     *
     * @param threads  threads of both
     * @param checked  steps whose losses are compared
     * @param steps    steps of a turn
     * @param agreeing turns that must agree before a program counts as warm
     * @param rounds   how often A B B A
     */
    private record Plan(String name, TrainSetup work, int threads, int checked, int steps, int agreeing, int rounds) {}

    private static final Plan[] PLANS = {
            new Plan("7M", TrainSetup.SEVEN_MILLION, 1, 3, 1, 2, 2),
            new Plan("7M", TrainSetup.SEVEN_MILLION, 2, 3, 1, 2, 2),
            // A step takes seconds: it is a pass of its own, warm after the one that is checked and another. The second
            // loss shows the first update; as results do not depend on threads, seeing it once is enough.
            new Plan("52M", TrainSetup.FIFTY_TWO_MILLION, 1, 1, 1, 0, 1),
            new Plan("52M", TrainSetup.FIFTY_TWO_MILLION, 2, 2, 1, 0, 1)};

    private static final Duration PATIENCE = Duration.ofSeconds(8);
    private static final Duration LIMIT = Duration.ofSeconds(40);

    private CompareTraining() {}

    /**
     * Prints the table in Markdown.
     *
     * @param alone {@code spin4j} or {@code libtorch} to measure one of them alone, or nothing
     */
    static void run(PrintStream out, String alone) {
        out.println("Training step: forward, backward, AdamW, float32. A: spin4j, B: " + Libtorch.describe()
                + "; A B B A after warming up.");
        out.println();
        for (Plan plan : PLANS) {
            if (plan.threads() == 1) {
                out.println("- " + plan.name() + ": " + plan.work());
            }
        }
        out.println();
        if (alone.isEmpty()) {
            header(out);
        }
        for (Plan plan : PLANS) {
            measure(out, plan, alone);
        }
    }

    private static void header(PrintStream out) {
        out.println("| model | threads | steps of each | spin4j s | libtorch s | spin4j tokens/s | processor time ratio"
                + " | **libtorch ÷ spin4j** |");
        out.println("|---|---:|---:|---:|---:|---:|---:|---:|");
    }

    private static void measure(PrintStream out, Plan plan, String alone) {
        int threads = plan.threads();
        Libtorch.setThreads(threads);
        try (TrainStep ours = new TrainStep(new VectorKernels(threads), plan.work());
                LibtorchTrainStep theirs = new LibtorchTrainStep(plan.work(), ours.parameters())) {
            check(ours, theirs, plan.checked());
            if (plan.agreeing() == 0) {
                // The compiler is at work during the first step of a new shape; libtorch has none.
                ours.run();
            }
            SideBySide both = new SideBySide(ours::run, theirs::run, plan.steps(), alone);
            both.run("training step of " + plan.name() + ", threads: " + threads, plan.agreeing(), PATIENCE,
                    plan.rounds(), LIMIT);
            if (!alone.isEmpty()) {
                Stopwatch one = alone.equals("spin4j") ? both.a() : both.b();
                out.printf(Locale.ROOT, "- %s alone, %s, threads: %d, median of %d steps: %.3f s%n", alone, plan.name(),
                        threads, one.count(), one.median());
                return;
            }
            Stopwatch a = both.a();
            Stopwatch b = both.b();
            out.printf(Locale.ROOT, "| %s | %d | %d | %.3f | %.3f | %.0f | %.2f | **%.2f** |%n", plan.name(), threads,
                    a.count(), a.median(), b.median(), plan.work().tokens() / a.median(),
                    b.medianProcessorTime() / a.medianProcessorTime(), both.ratio());
        }
    }

    private static void check(TrainStep ours, LibtorchTrainStep theirs, int steps) {
        for (int i = 1; i <= steps; i++) {
            double a = ours.run();
            double b = theirs.run();
            if (!(Math.abs(a - b) <= LOSS_TOLERANCE)) {
                throw new IllegalStateException(String.format(Locale.ROOT,
                        "expected the same loss of both in step %d, found %.6f (spin4j) and %.6f (libtorch)", i, a, b));
            }
        }
    }
}
