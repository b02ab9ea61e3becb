package org.spin4j.bench;

import java.time.Duration;
import java.util.List;
import java.util.Locale;

/**
 * Programs that take turns, A B B A: a core whose clock swings, or a host that is busy for a while, then hits all of them
 * alike, and the ratio of their medians holds.
 */
final class Turns {
    private static final double WARM_TOLERANCE = 0.05;
    private static final Duration WARM_LIMIT = Duration.ofMillis(1500);
    /** A pass is long beside the clock's resolution and beside what the program before left in the caches. */
    private static final double PASS_SECONDS = 0.05;
    /** Threads that wait for more work of the program before, spinning, have given up by then (OpenBLAS: 2²⁶ cycles). */
    private static final Duration SETTLE = Duration.ofMillis(30);

    private Turns() {}

    /** A stopwatch whose passes take at least 50 ms. Runs {@code work} a few times to see how long it takes. */
    static Stopwatch watch(Runnable work) {
        work.run();
        Stopwatch once = new Stopwatch(work, 1);
        once.pass();
        once.pass();
        return new Stopwatch(work, (int) Math.max(1, Math.ceil(PASS_SECONDS / once.best())));
    }

    /**
     * Warms every program until three passes agree, then lets them take turns.
     *
     * @param order  who comes when in a round; the same forwards and backwards, so that no one profits from a drift
     * @param rounds how often
     * @param name   what is measured, for the line on standard error where a program's passes never agree
     */
    static void take(List<Stopwatch> order, int rounds, String name) {
        long restless = order.stream().distinct().filter(s -> !s.warmUp(WARM_TOLERANCE, WARM_LIMIT)).count();
        if (restless > 0) {
            System.err.printf(Locale.ROOT,
                    "%s: %d of %d programs never took the same time three times (within %.0f %%)%n",
                    name, restless, order.stream().distinct().count(), 100 * WARM_TOLERANCE);
        }
        Stopwatch before = null;
        for (int round = 0; round < rounds; round++) {
            for (Stopwatch next : order) {
                if (next != before) {
                    settle();
                }
                next.pass();
                before = next;
            }
        }
    }

    private static void settle() {
        try {
            Thread.sleep(SETTLE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while measuring", e);
        }
    }
}
