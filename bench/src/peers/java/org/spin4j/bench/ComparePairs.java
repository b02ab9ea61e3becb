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
    private static final int CHECKED_STEPS = 2;
    private static final Duration PATIENCE = Duration.ofSeconds(15);
    private static final Duration LIMIT = Duration.ofSeconds(15);

    /** How one model is measured; turns of a single step. */
    private record Plan(String name, PairSetup work, int threads, int agreeing, int rounds) {}

    private static final Plan[] PLANS = {
            new Plan("7M", PairSetup.SEVEN_MILLION, 1, 2, 2),
            new Plan("7M", PairSetup.SEVEN_MILLION, 2, 2, 4),
            new Plan("52M", PairSetup.FIFTY_TWO_MILLION, 2, 2, 1)};

    private ComparePairs() {}

    /** Prints the table in Markdown. */
    static void run(PrintStream out) {
        PairSetup work = PairSetup.SEVEN_MILLION;
        PairSetup.Rectangle rectangle = work.rectangle();
        out.printf(Locale.ROOT, "SPIN step: %d pairs, prompts of %d tokens, responses of %d to %d, float32; logistic loss, "
                + "backward, RMSProp.%n%n", work.pairs(), work.prompt(), work.shortest(), work.longest());
        out.printf(Locale.ROOT, "- A: spin4j. Each prompt once with two children, %d tokens; log-probabilities of %d "
                + "response tokens; the opponent's were computed before, once per SPIN iteration.%n",
                work.trees().ids().length, work.trees().targets().length);
        out.printf(Locale.ROOT, "- B: %s. Rows [prompt, chosen] and [prompt, rejected] padded to %d × %d = %d tokens; "
                + "logits of all; the opponent's forward pass in every step.%n%n", Libtorch.describe(), rectangle.rows(),
                rectangle.length(), rectangle.inputs().length);
        out.println("| model | threads | steps of each | spin4j s | libtorch s | processor time ratio"
                + " | **libtorch ÷ spin4j** |");
        out.println("|---|---:|---:|---:|---:|---:|---:|");
        for (Plan plan : PLANS) {
            measure(out, plan);
        }
    }

    private static void measure(PrintStream out, Plan plan) {
        Libtorch.setThreads(plan.threads());
        try (PairStep ours = new PairStep(new VectorKernels(plan.threads()), plan.work());
                LibtorchPairStep theirs = new LibtorchPairStep(plan.work(), ours.policy(), ours.opponent())) {
            for (int i = 1; i <= CHECKED_STEPS; i++) {
                check(i, ours.run(), theirs.run());
            }
            Turns turns = new Turns(ours::run, theirs::run, 1);
            turns.run("pair step of " + plan.name() + ", threads: " + plan.threads(), plan.agreeing(), PATIENCE,
                    plan.rounds(), LIMIT);
            Stopwatch a = turns.a();
            Stopwatch b = turns.b();
            out.printf(Locale.ROOT, "| %s | %d | %d | %.3f | %.3f | %.2f | **%.2f** |%n", plan.name(), plan.threads(),
                    a.count(), a.median(), b.median(), b.medianProcessorTime() / a.medianProcessorTime(),
                    turns.ratio());
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
