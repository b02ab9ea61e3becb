package org.spin4j.bench;

import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import org.spin4j.kernels.Backends;
import org.spin4j.kernels.Kernels;

/**
 * Backends beside each other and beside PyTorch's eager mode on the same GPU: products, training steps, decoding. PyTorch comes first and
 * ends before the others begin, so that each has the whole memory of the GPU. Every figure is told as soon as it is there, none keeps
 * another from being measured, and all end in time.
 */
public final class CompareDevices {
    private static final double WARM_TOLERANCE = 0.05;
    /** A figure takes as long as this at most, more or less, where more than its share of the time is left. */
    private static final Duration LONGEST = Duration.ofSeconds(30);
    private static final int PASSES = 5;
    /** The part of the time that PyTorch may take. */
    private static final int PEER_PART = 3;

    private final DeviceArguments arguments;
    private final List<DeviceWork> works;
    private final PrintStream out;
    private final Deadline deadline;
    private final Map<String, Kernels> opened = new HashMap<>();
    private final Set<String> notes = new LinkedHashSet<>();
    private final List<String> late = new ArrayList<>();
    private int figures;
    private boolean wrong;

    private CompareDevices(DeviceArguments arguments, PrintStream out) {
        this.arguments = arguments;
        this.out = out;
        works = DeviceWork.all(arguments.quick());
        deadline = new Deadline(Duration.ofMinutes(arguments.minutes()));
        figures = works.size() * arguments.backends().size();
    }

    /** Measures and puts the table into the results; arguments as in {@link DeviceArguments}. */
    public static void main(String[] args) {
        int status = 0;
        try {
            DeviceArguments arguments = DeviceArguments.parse(args);
            boolean[] wrong = new boolean[1];
            new Report(arguments.out()).run(new Report.Section("devices",
                    "the same work on several devices" + (arguments.quick() ? ", small" : ""),
                    out -> wrong[0] = new CompareDevices(arguments, out).run()), System.out);
            status = wrong[0] ? 1 : 0;
        } catch (IllegalArgumentException | UnsupportedOperationException e) {
            System.err.println("bench: " + e.getMessage());
            status = 2;
        }
        // Says so explicitly: work may have been left behind, and a device's runtime may have threads of its own.
        System.exit(status);
    }

    /** Whether something failed or two backends found different things. */
    private boolean run() {
        for (String backend : arguments.backends()) {
            out.println("- " + backend + ": " + open(backend).describe());
        }
        Map<DeviceWork, Double> peer = peer();
        out.println(
                "- work: float32 where nothing else is said; with float16 and bfloat16 it is products that are rounded,"
                        + " their sums and all else are float32; a training step is forward, backward and AdamW; median of up to "
                        + PASSES + " passes after warming up");
        out.println();
        List<String> backends = arguments.backends();
        String first = backends.getFirst();
        String last = backends.getLast();
        boolean several = backends.size() > 1;
        out.println("| work | unit | " + String.join(" | ", backends) + " | PyTorch | **" + first + " ÷ PyTorch** |"
                + (several ? " " + first + " ÷ " + last + " |" : ""));
        out.println("|---|---|" + "---:|".repeat(backends.size() + (several ? 3 : 2)));
        OptionalDouble expected = OptionalDouble.empty();
        for (DeviceWork work : works) {
            if (work.type().isEmpty()) {
                expected = OptionalDouble.empty();
            }
            List<Double> seconds = new ArrayList<>();
            for (String backend : backends) {
                double[] figure = figure(work, backend);
                seconds.add(figure[0]);
                if (Double.isNaN(figure[1])) {
                    continue;
                }
                if (expected.isPresent() && !(Math.abs(figure[1] - expected.getAsDouble()) <= work.tolerance())) {
                    fail(work.name() + " on " + backend + ": expected " + expected.getAsDouble() + " ± "
                            + work.tolerance() + " as the one before found, found " + figure[1]);
                } else if (expected.isEmpty()) {
                    expected = OptionalDouble.of(figure[1]);
                }
            }
            row(work, seconds, peer.getOrDefault(work, Double.NaN), several);
        }
        if (!late.isEmpty()) {
            note("not measured within " + arguments.minutes() + " minutes: " + String.join("; ", late));
        }
        if (!notes.isEmpty()) {
            out.println();
            notes.forEach(note -> out.println("- " + note));
        }
        return wrong;
    }

    private Kernels open(String backend) {
        return opened.computeIfAbsent(backend, b -> {
            try {
                return deadline.call(() -> Backends.choose(b, Runtime.getRuntime().availableProcessors()));
            } catch (IllegalStateException e) {
                throw new UnsupportedOperationException(e.getMessage(), e);
            }
        });
    }

    /** Seconds of PyTorch, where a Python has it. */
    private Map<DeviceWork, Double> peer() {
        Map<DeviceWork, Double> seconds = new HashMap<>();
        String python = arguments.python().isEmpty() ? Eager.find() : arguments.python();
        if (python.isEmpty()) {
            out.println("- PyTorch: none; python3 has no torch, name a Python that has one with --python");
            return seconds;
        }
        Deadline own = new Deadline(deadline.left().dividedBy(PEER_PART));
        try (Eager eager = own.call(() -> new Eager(python))) {
            out.println("- PyTorch: " + eager.describe() + ", eager; float32 products without TF32");
            for (DeviceWork work : works) {
                try {
                    seconds.put(work, own.call(() -> eager.seconds(work.peer())));
                    tell(work, "PyTorch", seconds.get(work));
                } catch (IllegalStateException e) {
                    fail(work.name() + " in PyTorch: " + e.getMessage());
                }
            }
        } catch (IllegalStateException e) {
            fail("PyTorch: " + e.getMessage());
        }
        return seconds;
    }

    /** Seconds of the work on a backend and what it found; not numbers where it could not be measured. */
    private double[] figure(DeviceWork work, String backend) {
        double[] none = {Double.NaN, Double.NaN};
        Duration share = min(LONGEST, deadline.left().dividedBy(figures--));
        boolean narrow = !work.type().isEmpty();
        if (narrow && !backend.startsWith("tornado")) {
            return none;
        }
        if (deadline.left().isZero()) {
            late.add(work.name() + " on " + backend);
            return none;
        }
        Kernels kernels;
        try {
            kernels = open(narrow ? backend + "," + work.type() : backend);
        } catch (UnsupportedOperationException e) {
            note(e.getMessage());
            return none;
        }
        try {
            double[] figure = deadline.call(() -> measure(work, kernels, share));
            tell(work, backend, figure[0]);
            return figure;
        } catch (IllegalStateException e) {
            if (deadline.left().isZero()) {
                late.add(work.name() + " on " + backend);
            } else {
                fail(work.name() + " on " + backend + ": " + e.getMessage());
            }
            return none;
        }
    }

    private static double[] measure(DeviceWork work, Kernels kernels, Duration share) {
        try (DeviceWork.Opened piece = work.ours().apply(kernels)) {
            long end = System.nanoTime() + share.toNanos();
            Stopwatch watch = new Stopwatch(piece::pass, 1);
            watch.warmUp(WARM_TOLERANCE, share.dividedBy(2));
            do {
                watch.pass();
            } while (watch.count() < PASSES && System.nanoTime() < end);
            return new double[]{watch.median() / piece.pieces(), piece.found()};
        }
    }

    private static Duration min(Duration a, Duration b) {
        return a.compareTo(b) < 0 ? a : b;
    }

    private static void tell(DeviceWork work, String who, double seconds) {
        System.err.println("devices: " + work.name() + ", " + who + ": " + number("%.0f", work.amount() / seconds) + " "
                + work.unit());
    }

    private void note(String note) {
        if (notes.add(note)) {
            System.err.println("devices: " + note);
        }
    }

    private void fail(String note) {
        wrong = true;
        note("**" + note + "**");
    }

    private void row(DeviceWork work, List<Double> seconds, double peer, boolean several) {
        StringBuilder line = new StringBuilder("| " + work.name() + " | " + work.unit());
        seconds.forEach(s -> line.append(" | ").append(number("%.0f", work.amount() / s)));
        line.append(" | ").append(number("%.0f", work.amount() / peer));
        line.append(" | **").append(number("%.2f", peer / seconds.getFirst())).append("** |");
        if (several) {
            line.append(' ').append(number("%.2f", seconds.getLast() / seconds.getFirst())).append(" |");
        }
        out.println(line);
    }

    private static String number(String format, double x) {
        return Double.isNaN(x) ? "–" : String.format(Locale.ROOT, format, x);
    }
}
