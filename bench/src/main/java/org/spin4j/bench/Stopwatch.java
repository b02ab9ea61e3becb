package org.spin4j.bench;

import java.time.Duration;
import java.util.Arrays;

/**
 * Times of one program's repeated work, taken pass by pass so that it can alternate with another's. A pass is a few
 * repetitions back to back.
 */
public final class Stopwatch {
    /** Passes that must agree before a program counts as warm. */
    private static final int AGREEING = 3;

    private final Runnable work;
    private final int repetitions;
    private double[] seconds = {};

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
     * @param tolerance largest difference, relative to the smallest
     * @param limit     how long to try
     * @return whether they came to agree
     */
    public boolean warmUp(double tolerance, Duration limit) {
        long end = System.nanoTime() + limit.toNanos();
        double[] medians = new double[AGREEING];
        boolean agree = false;
        for (int pass = 0; !agree && (pass < AGREEING || System.nanoTime() < end); pass++) {
            seconds = new double[0];
            pass();
            medians[pass % AGREEING] = median();
            double min = Arrays.stream(medians).min().orElseThrow();
            double max = Arrays.stream(medians).max().orElseThrow();
            agree = pass + 1 >= AGREEING && max <= min * (1 + tolerance);
        }
        seconds = new double[0];
        return agree;
    }

    /** Runs and times one pass. */
    public void pass() {
        double[] more = Arrays.copyOf(seconds, seconds.length + repetitions);
        for (int i = seconds.length; i < more.length; i++) {
            long start = System.nanoTime();
            work.run();
            more[i] = (System.nanoTime() - start) / 1e9;
        }
        seconds = more;
    }

    /** Number of times since the warm-up. */
    public int count() {
        return seconds.length;
    }

    /** Median of all times since the warm-up, in seconds. */
    public double median() {
        double[] sorted = sorted();
        return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
    }

    /** Shortest time since the warm-up, in seconds. */
    public double best() {
        return sorted()[0];
    }

    private double[] sorted() {
        if (seconds.length == 0) {
            throw new IllegalStateException("expected at least one pass, found none");
        }
        double[] sorted = seconds.clone();
        Arrays.sort(sorted);
        return sorted;
    }
}
