package org.spin4j.bench;

import com.sun.management.ThreadMXBean;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import org.spin4j.kernels.VectorKernels;

/**
 * Where the time of a training step goes: one line per kernel and shape. Arguments: number of threads (otherwise all
 * cores), number of steps (otherwise 10), model ({@code 7M} or {@code 52M}, otherwise 7M).
 *
 * <p>With one thread the clock is that thread's processor time, which other programs on the machine disturb little; with
 * more it is the time of day, since a thread that waits for another uses its processor too.
 *
 * <p>Bytes of heap are those of the calling thread. A kernel needs a few hundred for its loop over the threads; millions show
 * that the compiler left vectors as objects.
 */
public final class Profile {
    private static final int WARM_UP_STEPS = 15;
    private static final int LEAST_WARM_UP_STEPS = 3;
    /** A large model keeps the kernels busy long enough for the compiler with fewer steps. */
    private static final long WARM_UP_NANOS = 20_000_000_000L;
    private static final int MOST_THREADS = 1024;
    private static final int MOST_STEPS = 1_000_000;
    private static final Map<String, TrainSetup> MODELS = new TreeMap<>(
            Map.of("7M", TrainSetup.SEVEN_MILLION, "52M", TrainSetup.FIFTY_TWO_MILLION));

    /** What is asked for. */
    record Request(int threads, int steps, TrainSetup model) {
        /** Reads {@code [THREADS] [STEPS] [MODEL]}. */
        static Request parse(String... args) {
            if (args.length > 3) {
                throw new IllegalArgumentException(
                        "expected [THREADS] [STEPS] [MODEL], found " + args.length + " arguments");
            }
            int threads = args.length > 0
                    ? number(args[0], "threads", MOST_THREADS)
                    : Runtime.getRuntime().availableProcessors();
            int steps = args.length > 1 ? number(args[1], "steps", MOST_STEPS) : 10;
            TrainSetup model = MODELS.get(args.length > 2 ? args[2] : "7M");
            if (model == null) {
                throw new IllegalArgumentException("expected one of the models " + String.join(", ", MODELS.keySet())
                        + ", found " + args[2]);
            }
            return new Request(threads, steps, model);
        }

        private static int number(String text, String what, int most) {
            if (text.matches("[0-9]{1,7}")) {
                int n = Integer.parseInt(text);
                if (n >= 1 && n <= most) {
                    return n;
                }
            }
            throw new IllegalArgumentException(
                    "expected a number of " + what + " from 1 to " + most + ", found " + text);
        }
    }

    private Profile() {}

    /** Prints the table. */
    public static void main(String[] args) {
        try {
            run(System.out, Request.parse(args));
        } catch (IllegalArgumentException e) {
            System.err.println("bench: " + e.getMessage());
            System.exit(2);
        }
    }

    private static void run(PrintStream out, Request request) {
        Machine.describe().forEach(out::println);
        int threads = request.threads();
        LongSupplier clock = threads == 1
                ? ManagementFactory.getThreadMXBean()::getCurrentThreadCpuTime
                : System::nanoTime;
        ThreadMXBean bean = ManagementFactory.getPlatformMXBean(ThreadMXBean.class);
        TimedKernels kernels = new TimedKernels(new VectorKernels(threads), clock,
                bean::getCurrentThreadAllocatedBytes);
        out.println("spin4j: " + kernels.describe());
        out.println("clock: " + (threads == 1 ? "processor time" : "time of day"));
        out.println("work: " + request.model());
        try (TrainStep step = new TrainStep(kernels, request.model())) {
            long end = System.nanoTime() + WARM_UP_NANOS;
            for (int i = 0; i < WARM_UP_STEPS && (i < LEAST_WARM_UP_STEPS || System.nanoTime() < end); i++) {
                step.run();
            }
            kernels.reset();
            long heap = bean.getCurrentThreadAllocatedBytes();
            long start = clock.getAsLong();
            for (int i = 0; i < request.steps(); i++) {
                step.run();
            }
            long whole = clock.getAsLong() - start;
            print(out, kernels.entries(), request, whole, bean.getCurrentThreadAllocatedBytes() - heap);
        }
    }

    private static void print(PrintStream out, List<TimedKernels.Entry> entries, Request request, long whole,
            long heap) {
        out.printf(Locale.ROOT,
                "%n| %-30s | calls | ms/step | share | %-14s | heap bytes/call |%n|---|---:|---:|---:|---:|---:|%n",
                "kernel", "speed");
        int steps = request.steps();
        long nanosInKernels = 0;
        long heapInKernels = 0;
        for (TimedKernels.Entry e : entries) {
            nanosInKernels += e.nanos();
            heapInKernels += e.heap();
            row(out, e.kernel(), e.calls() / steps, e.nanos(), steps, whole, e.rate(), e.heap() / e.calls());
        }
        row(out, "between kernels", 0, whole - nanosInKernels, steps, whole, "", (heap - heapInKernels) / steps);
        double tokens = (double) request.model().tokens() * steps;
        row(out, "whole step", 1, whole, steps, whole,
                String.format(Locale.ROOT, "%.0f tokens/s", tokens / (whole / 1e9)), heap / steps);
        out.println();
        out.println(shares(entries, whole));
    }

    private static void row(PrintStream out, String name, int calls, long nanos, int steps, long whole, String rate,
            long heap) {
        out.printf(Locale.ROOT, "| %-30s | %5d | %7.2f | %4.1f%% | %14s | %15d |%n", name, calls, nanos / 1e6 / steps,
                100.0 * nanos / whole, rate, heap);
    }

    /** One line on how much of the time is matrix products, those inside other kernels counted as what they are. */
    static String shares(List<TimedKernels.Entry> entries, long whole) {
        double products = share(entries, "matmul", whole);
        double head = share(entries, "tokenLogProbs", whole);
        double attention = share(entries, "attention", whole);
        return String.format(Locale.ROOT,
                "time in matrix products: matmul %.1f %%; in kernels that are matrix products with a softmax"
                        + " between: tokenLogProbs %.1f %%, attention %.1f %%; all three %.1f %%; in everything else %.1f %%",
                products,
                head, attention, products + head + attention, 100 - products - head - attention);
    }

    private static double share(List<TimedKernels.Entry> entries, String prefix, long whole) {
        return 100.0
                * entries.stream().filter(e -> e.kernel().startsWith(prefix)).mapToLong(TimedKernels.Entry::nanos).sum()
                / whole;
    }
}
