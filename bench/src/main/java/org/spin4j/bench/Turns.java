package org.spin4j.bench;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
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
    /** Long enough for the compiler to see what is to be compiled. */
    private static final Duration FIRST_WARM_LIMIT = Duration.ofMillis(500);
    /** A pass is long beside the clock's resolution and beside what the program before left in the caches. */
    private static final double PASS_SECONDS = 0.05;
    private static final OperatingSystemMXBean PROCESS = ManagementFactory
            .getPlatformMXBean(OperatingSystemMXBean.class);
    private static final Duration GLANCE = Duration.ofMillis(10);
    /** Share of a core that a process at rest may use. */
    private static final double AT_REST = 0.2;
    /** After two seconds something else is wrong, and the medians will show it. */
    private static final int MOST_GLANCES = 200;

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
        long restless = order.stream().distinct().filter(s -> !warm(s)).count();
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

    private static boolean warm(Stopwatch program) {
        settle();
        long start = System.nanoTime();
        boolean agree = program.warmUp(WARM_TOLERANCE, FIRST_WARM_LIMIT);
        // What agreed soon may have been slow together, while the compiler was at work.
        if (agree && System.nanoTime() - start > WARM_LIMIT.toNanos()) {
            return true;
        }
        settle();
        return program.warmUp(WARM_TOLERANCE, WARM_LIMIT);
    }

    /**
     * Waits until this process uses no processor: until threads that spin, waiting for more work of the program before,
     * have given up, and the compiler has done what the program before gave it to do. Either would take a core from the next.
     */
    static void settle() {
        try {
            for (int i = 0; i < MOST_GLANCES; i++) {
                long processor = PROCESS.getProcessCpuTime();
                long start = System.nanoTime();
                Thread.sleep(GLANCE);
                if (PROCESS.getProcessCpuTime() - processor < AT_REST * (System.nanoTime() - start)) {
                    return;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while measuring", e);
        }
    }
}
