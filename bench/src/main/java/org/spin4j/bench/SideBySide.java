package org.spin4j.bench;

import java.time.Duration;
import java.util.List;

/**
 * Two programs that do the same work in turns, A B B A, so that a machine whose speed swings treats both alike. A is spin4j,
 * B its peer.
 */
public final class SideBySide {
    private static final double WARM_TOLERANCE = 0.05;

    private final Stopwatch a;
    private final Stopwatch b;
    private final List<Stopwatch> order;

    /**
     * Begins with no times.
     *
     * @param repetitions how often each turn does the work
     */
    public SideBySide(Runnable a, Runnable b, int repetitions) {
        this(a, b, repetitions, "");
    }

    /**
     * Begins with no times.
     *
     * @param repetitions how often each turn does the work
     * @param alone       {@code spin4j} or {@code libtorch} to run A or B alone, which shows whether the other disturbs it;
     *                    or nothing
     */
    public SideBySide(Runnable a, Runnable b, int repetitions, String alone) {
        this.a = new Stopwatch(a, repetitions);
        this.b = new Stopwatch(b, repetitions);
        order = switch (alone) {
            case "spin4j" -> List.of(this.a, this.a);
            case "libtorch" -> List.of(this.b, this.b);
            default -> List.of(this.a, this.b, this.b, this.a);
        };
    }

    /**
     * Warms both up, one after the other, then lets them take turns.
     *
     * @param name     what to call this measurement if the warm-up does not settle
     * @param agreeing how many passes must agree within 5 % before a program counts as warm
     * @param patience how long to wait for that, for each program
     * @param rounds   how often A B B A at most
     * @param limit    no new round begins after this time, but one is always run
     */
    public void run(String name, int agreeing, Duration patience, int rounds, Duration limit) {
        for (Stopwatch program : order.stream().distinct().toList()) {
            Turns.settle();
            if (!program.warmUp(agreeing, WARM_TOLERANCE, patience)) {
                System.err.println(name + ", " + (program == a ? "A" : "B") + ": " + agreeing
                        + " passes in a row never agreed within " + Math.round(100 * WARM_TOLERANCE)
                        + " %; measure again on a machine that does nothing else");
            }
        }
        long end = System.nanoTime() + limit.toNanos();
        for (int i = 0; i < rounds && (i == 0 || System.nanoTime() < end); i++) {
            for (Stopwatch program : order) {
                Turns.settle();
                program.pass();
            }
        }
    }

    /** Times of A. */
    public Stopwatch a() {
        return a;
    }

    /** Times of B. */
    public Stopwatch b() {
        return b;
    }

    /** B's median over A's: above 1 where A is faster. */
    public double ratio() {
        return b.median() / a.median();
    }
}
