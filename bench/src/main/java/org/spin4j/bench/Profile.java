package org.spin4j.bench;

import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.util.Locale;
import java.util.function.LongSupplier;
import org.spin4j.kernels.VectorKernels;

/**
 * Where the time of a training step of the 7M model goes: one line per kernel and shape. Arguments: number of threads
 * (otherwise all cores), number of steps (otherwise 10).
 *
 * <p>With one thread the clock is that thread's processor time, which other programs on the machine disturb little; with
 * more it is the time of day, since a thread that waits for another uses its processor too.
 */
public final class Profile {
    private static final int WARM_UP_STEPS = 15;

    private Profile() {}

    /** Prints the table. */
    public static void main(String[] args) {
        int threads = args.length > 0 ? Integer.parseInt(args[0]) : Runtime.getRuntime().availableProcessors();
        int steps = args.length > 1 ? Integer.parseInt(args[1]) : 10;
        PrintStream out = System.out;
        Machine.describe().forEach(out::println);
        LongSupplier clock = threads == 1
                ? ManagementFactory.getThreadMXBean()::getCurrentThreadCpuTime
                : System::nanoTime;
        TimedKernels kernels = new TimedKernels(new VectorKernels(threads), clock);
        out.println("spin4j: " + kernels.describe());
        out.println("clock: " + (threads == 1 ? "processor time" : "time of day"));
        try (TrainStep step = new TrainStep(kernels, TrainSetup.SEVEN_MILLION)) {
            for (int i = 0; i < WARM_UP_STEPS; i++) {
                step.run();
            }
            kernels.reset();
            long start = clock.getAsLong();
            for (int i = 0; i < steps; i++) {
                step.run();
            }
            print(out, kernels, steps, clock.getAsLong() - start);
        }
    }

    private static void print(PrintStream out, TimedKernels kernels, int steps, long whole) {
        out.printf(Locale.ROOT, "%n| %-30s | calls | ms/step | share | %-14s |%n|---|---:|---:|---:|---:|%n", "kernel",
                "speed");
        long inKernels = 0;
        for (TimedKernels.Entry e : kernels.entries()) {
            inKernels += e.nanos();
            row(out, e.kernel(), e.calls() / steps, e.nanos(), steps, whole, e.rate());
        }
        row(out, "between kernels", 0, whole - inKernels, steps, whole, "");
        double tokens = (double) TrainSetup.SEVEN_MILLION.tokens() * steps;
        row(out, "whole step", 1, whole, steps, whole,
                String.format(Locale.ROOT, "%.0f tokens/s", tokens / (whole / 1e9)));
    }

    private static void row(PrintStream out, String name, int calls, long nanos, int steps, long whole, String rate) {
        out.printf(Locale.ROOT, "| %-30s | %5d | %7.2f | %4.1f%% | %14s |%n", name, calls, nanos / 1e6 / steps,
                100.0 * nanos / whole, rate);
    }
}
