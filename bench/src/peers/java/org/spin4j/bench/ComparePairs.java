package org.spin4j.bench;

import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;
import org.spin4j.kernels.VectorKernels;

/**
 * SPIN's training step in spin4j and in libtorch, in turns A B B A in one process. Both start from the same weights of policy
 * and opponent and must find the same losses and margins, or nothing is measured.
 */
final class ComparePairs {
    /** Nats. Sums of up to 256 log-probabilities, times β, in float32: the programs differ by some 1e-5. */
    private static final double TOLERANCE = 5e-4;
    private static final Duration PATIENCE = Duration.ofSeconds(15);
    private static final Duration LIMIT = Duration.ofSeconds(15);

    /**
     * How one model is measured, with 2 threads, in turns of a single step.
     *
     * @param checked  steps whose losses are compared: the first of the warm-up
     * @param agreeing steps after them that must agree before a program counts as warm
     * @param rounds   how often A B B A at most
     */
    private record Plan(String name, PairSetup work, int checked, int agreeing, int rounds) {}

    private static final int THREADS = 2;
    private static final Plan[] PLANS = {
            new Plan("7M", PairSetup.SEVEN_MILLION, 2, 2, 2),
            // A step takes seconds, and the one that is checked has touched all memory.
            new Plan("52M", PairSetup.FIFTY_TWO_MILLION, 1, 0, 1)};

    private ComparePairs() {}

    /** Prints the table in Markdown. */
    static void run(PrintStream out) {
        out.println("SPIN's training step: logistic loss, backward, RMSProp, float32; A B B A after warming up.");
        out.println();
        out.println("- A: spin4j. Each prompt once, with two children; log-probabilities of response tokens alone; the "
                + "opponent's were computed before, once per SPIN iteration.");
        out.println("- B: " + Libtorch.describe() + ". Rows [prompt, chosen] and [prompt, rejected], padded; logits of all "
                + "tokens; the opponent's forward pass in every step.");
        for (Plan plan : PLANS) {
            describe(out, plan);
        }
        out.println("- left out, to keep the comparison short: 1 thread");
        out.println();
        out.println("| model | threads | steps of each | spin4j s | libtorch s | processor time ratio"
                + " | **libtorch ÷ spin4j** |");
        out.println("|---|---:|---:|---:|---:|---:|---:|");
        for (Plan plan : PLANS) {
            measure(out, plan);
        }
    }

    private static void describe(PrintStream out, Plan plan) {
        PairSetup work = plan.work();
        PairSetup.Rectangle padded = work.rectangle();
        out.printf(Locale.ROOT, "- %s: %d pairs, prompts of %d tokens, responses of %d to %d. A: %d tokens, %d of them "
                + "responses; B: %d × %d = %d tokens.%n", plan.name(), work.pairs(), work.prompt(), work.shortest(),
                work.longest(), work.trees().ids().length, work.trees().targets().length, padded.rows(),
                padded.length(), padded.inputs().length);
    }

    private static void measure(PrintStream out, Plan plan) {
        Libtorch.setThreads(THREADS);
        try (PairStep ours = new PairStep(new VectorKernels(THREADS), plan.work());
                LibtorchPairStep theirs = new LibtorchPairStep(plan.work(), ours.policy(), ours.opponent())) {
            for (int i = 1; i <= plan.checked(); i++) {
                check(i, ours.run(), theirs.run());
            }
            SideBySide both = new SideBySide(ours::run, theirs::run, 1);
            both.run("pair step of " + plan.name() + ", threads: " + THREADS, plan.agreeing(), PATIENCE,
                    plan.rounds(), LIMIT);
            Stopwatch a = both.a();
            Stopwatch b = both.b();
            out.printf(Locale.ROOT, "| %s | %d | %d | %.3f | %.3f | %.2f | **%.2f** |%n", plan.name(), THREADS,
                    a.count(), a.median(), b.median(), b.medianProcessorTime() / a.medianProcessorTime(),
                    both.ratio());
        }
    }

    private static void check(int step, PairStep.Result a, PairStep.Result b) {
        if (!(Math.abs(a.loss() - b.loss()) <= TOLERANCE && Math.abs(a.margin() - b.margin()) <= TOLERANCE)) {
            throw new IllegalStateException(String.format(Locale.ROOT,
                    "expected the same loss and margin of both in step %d, found %.6f and %.6f (spin4j), %.6f and %.6f"
                            + " (libtorch)",
                    step, a.loss(), a.margin(), b.loss(), b.margin()));
        }
    }
}
