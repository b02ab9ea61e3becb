package org.spin4j.bench;

import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.spin4j.kernels.Backends;
import org.spin4j.kernels.Kernels;

/**
 * Backends beside each other and beside PyTorch's eager mode on the same GPU: products, training steps, decoding. PyTorch comes first and
 * ends before the others begin, so that each has the whole memory of the GPU.
 */
public final class CompareDevices {
    private static final double WARM_TOLERANCE = 0.05;
    private static final Duration WARM_LIMIT = Duration.ofSeconds(20);
    private static final int PASSES = 5;
    /** Relative difference of what two backends find: sums in another order. */
    private static final double TOLERANCE = 1e-3;

    private CompareDevices() {}

    /** Measures and puts the table into the results; arguments as in {@link DeviceArguments}. */
    public static void main(String[] args) {
        int status = 0;
        try {
            DeviceArguments arguments = DeviceArguments.parse(args);
            new Report(arguments.out()).run(new Report.Section("devices",
                    "the same work on several devices" + (arguments.quick() ? ", small" : ""),
                    out -> run(out, arguments)), System.out);
        } catch (IllegalArgumentException | UnsupportedOperationException e) {
            System.err.println("bench: " + e.getMessage());
            status = 2;
        } catch (IllegalStateException e) {
            System.err.println("devices: " + e.getMessage());
            status = 1;
        }
        // Says so explicitly: a device's runtime may have threads that are alive still.
        System.exit(status);
    }

    private static void run(PrintStream out, DeviceArguments arguments) {
        List<DeviceWork> works = DeviceWork.all(arguments.quick());
        int threads = Runtime.getRuntime().availableProcessors();
        List<Kernels> backends = new ArrayList<>();
        for (String backend : arguments.backends()) {
            backends.add(Backends.choose(backend, threads));
            out.println("- " + backend + ": " + backends.getLast().describe());
        }
        Map<DeviceWork, Double> peer = new HashMap<>();
        if (!arguments.python().isEmpty()) {
            try (Eager eager = new Eager(arguments.python())) {
                out.println("- PyTorch: " + eager.describe() + ", eager; float32 products without TF32");
                for (DeviceWork work : works) {
                    System.err.println("devices: " + work.name() + ", PyTorch");
                    peer.put(work, eager.seconds(work.peer()) * work.pieces());
                }
            }
        }
        out.println(
                "- work: float32 where nothing else is said; a training step is forward, backward and AdamW; median of "
                        + PASSES + " passes after warming up until three agree");
        out.println();
        String first = arguments.backends().getFirst();
        out.println("| work | unit | " + String.join(" | ", arguments.backends()) + " | PyTorch | **" + first
                + " ÷ PyTorch** | " + first + " ÷ " + arguments.backends().getLast() + " |");
        out.println("|---|---|" + "---:|".repeat(backends.size() + 3));
        for (DeviceWork work : works) {
            row(out, work, measure(work, backends), peer.getOrDefault(work, Double.NaN));
        }
    }

    /** Seconds of the work on each backend; none where spin4j has nothing of the kind. */
    private static List<Double> measure(DeviceWork work, List<Kernels> backends) {
        List<Double> seconds = new ArrayList<>();
        double expected = Double.NaN;
        for (Kernels kernels : backends) {
            if (work.ours() == null) {
                seconds.add(Double.NaN);
                continue;
            }
            System.err.println("devices: " + work.name() + ", " + kernels.describe());
            try (DeviceWork.Opened opened = work.ours().apply(kernels)) {
                double found = opened.found();
                if (Math.abs(found - expected) > TOLERANCE * Math.max(1, Math.abs(expected))) {
                    throw new IllegalStateException("expected the same of all backends in " + work.name() + ", found "
                            + expected + " and " + found);
                }
                expected = found;
                seconds.add(opened.seconds());
            }
        }
        return seconds;
    }

    private static void row(PrintStream out, DeviceWork work, List<Double> seconds, double peer) {
        StringBuilder line = new StringBuilder("| " + work.name() + " | " + work.unit());
        seconds.forEach(s -> line.append(" | ").append(number("%.0f", work.amount() / s)));
        line.append(" | ").append(number("%.0f", work.amount() / peer));
        line.append(" | **").append(number("%.2f", peer / seconds.getFirst())).append("** | ");
        out.println(line + number("%.2f", seconds.getLast() / seconds.getFirst()) + " |");
    }

    private static String number(String format, double x) {
        return Double.isNaN(x) ? "–" : String.format(Locale.ROOT, format, x);
    }

    /** Median of a few passes after warming up. */
    static double median(Stopwatch watch) {
        watch.warmUp(WARM_TOLERANCE, WARM_LIMIT);
        for (int i = 0; i < PASSES; i++) {
            watch.pass();
        }
        return watch.median();
    }
}
