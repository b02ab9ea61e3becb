package org.spin4j.bench;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Arrays;

/**
 * Times of one program's repeated work, taken pass by pass so that it can alternate with another's. A pass is a few
 * repetitions back to back.
 */
public final class Stopwatch {
    /** Passes that must agree before a program counts as warm, where its caller names no number. */
    private static final int AGREEING = 3;

    private static final OperatingSystemMXBean PROCESS = ManagementFactory
            .getPlatformMXBean(OperatingSystemMXBean.class);

    private final Runnable work;
    private final int repetitions;
    private double[] seconds = {};
    private double[] processorSeconds = {};

    /**
     * Begins with no times.
     *
     * @param work        what is timed
     * @param repetitions how often a pass does it
     */
    public Stopwatch(Runnable work, int repetitions) {
        this.work = work;
        this.repetitions = repetitions;
    }

    /**
     * Runs passes until the medians of the last three lie within {@code tolerance} of each other, and forgets their times.
     *
     * @see #warmUp(int, double, Duration)
     */
    public boolean warmUp(double tolerance, Duration limit) {
        return warmUp(AGREEING, tolerance, limit);
    }

    /**
     * Runs passes until the medians of the last few lie within {@code tolerance} of each other, and forgets their times.
     *
     * @param agreeing  how many passes must agree; 0 for no warm-up
     * @param tolerance largest difference, relative to the smallest
     * @param limit     how long to try
     * @return whether they came to agree
     */
    public boolean warmUp(int agreeing, double tolerance, Duration limit) {
        long end = System.nanoTime() + limit.toNanos();
        double[] medians = new double[agreeing];
        boolean agree = agreeing == 0;
        for (int pass = 0; !agree && (pass < agreeing || System.nanoTime() < end); pass++) {
            forget();
            pass();
            medians[pass % agreeing] = median();
            double min = Arrays.stream(medians).min().orElseThrow();
            double max = Arrays.stream(medians).max().orElseThrow();
            agree = pass + 1 >= agreeing && max <= min * (1 + tolerance);
        }
        forget();
        return agree;
    }

    /** Runs and times one pass. */
    public void pass() {
        int from = seconds.length;
        seconds = Arrays.copyOf(seconds, from + repetitions);
        processorSeconds = Arrays.copyOf(processorSeconds, from + repetitions);
        for (int i = from; i < seconds.length; i++) {
            long processor = PROCESS.getProcessCpuTime();
            long start = System.nanoTime();
            work.run();
            seconds[i] = (System.nanoTime() - start) / 1e9;
            processorSeconds[i] = (PROCESS.getProcessCpuTime() - processor) / 1e9;
        }
    }

    private void forget() {
        seconds = new double[0];
        processorSeconds = new double[0];
    }

    /** Number of times since the warm-up. */
    public int count() {
        return seconds.length;
    }

    /** Median of all times since the warm-up, in seconds. */
    public double median() {
        return median(seconds);
    }

    /**
     * Median of the processor time of the whole process, in seconds. With one thread it shows what the work costs even where
     * other programs take turns on the core; with more it includes threads that wait for each other.
     */
    public double medianProcessorTime() {
        return median(processorSeconds);
    }

    /** Shortest time since the warm-up, in seconds. */
    public double best() {
        return sorted(seconds)[0];
    }

    private static double median(double[] values) {
        double[] sorted = sorted(values);
        return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
    }

    private static double[] sorted(double[] values) {
        if (values.length == 0) {
            throw new IllegalStateException("expected at least one pass, found none");
        }
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted;
    }
}
