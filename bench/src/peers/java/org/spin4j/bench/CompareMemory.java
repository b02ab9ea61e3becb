package org.spin4j.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Peak resident memory of training in spin4j and in libtorch, each in a JVM of its own with the same flags. A JVM that only
 * loads the program is measured too, so that the table also shows what training adds to it.
 */
final class CompareMemory {
    /** The optimiser's state is there from the first update on: the second step has everything. */
    private static final int STEPS = 2;
    private static final String HEAP = "-Xmx256m";
    private static final double MEGA = 1e6;

    private CompareMemory() {}

    /** Prints the table in Markdown, or says why it cannot. */
    static void run(PrintStream out) {
        if (!PeakMemory.isKnown()) {
            out.println("Peak memory: left out, this system has no /proc/self/status.");
            return;
        }
        out.println("Peak resident memory of " + STEPS + " training steps with 2 threads, each program in a JVM of its own,"
                + " " + HEAP + ". A: spin4j, B: " + Libtorch.describe() + ".");
        out.println();
        out.println("| model | spin4j MB | libtorch MB | **spin4j ÷ libtorch** | spin4j MB, idle | libtorch MB, idle"
                + " | ratio of what training adds |");
        out.println("|---|---:|---:|---:|---:|---:|---:|");
        double oursIdle = peak(StepAlone.SPIN4J, "7M", 0);
        double theirsIdle = peak(StepAlone.LIBTORCH, "7M", 0);
        for (String model : List.of("7M", "52M")) {
            double ours = peak(StepAlone.SPIN4J, model, STEPS);
            double theirs = peak(StepAlone.LIBTORCH, model, STEPS);
            out.printf(Locale.ROOT, "| %s | %.0f | %.0f | **%.2f** | %.0f | %.0f | %.2f |%n", model, ours / MEGA,
                    theirs / MEGA, ours / theirs, oursIdle / MEGA, theirsIdle / MEGA,
                    (ours - oursIdle) / (theirs - theirsIdle));
        }
    }

    private static long peak(String program, String model, int steps) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        flags().forEach(command::add);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), StepAlone.class.getName(), program, model,
                Integer.toString(steps)));
        try {
            Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
            List<String> lines = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines()
                    .toList();
            int status = process.waitFor();
            if (status != 0 || lines.isEmpty()) {
                throw new IllegalStateException("expected a number of bytes, found exit status " + status + " of "
                        + String.join(" ", command));
            }
            return Long.parseLong(lines.getLast());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while " + program + " ran", e);
        }
    }

    /** This JVM's own flags, but for the size of the heap and its being touched. */
    private static Stream<String> flags() {
        return Stream.concat(ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(flag -> !flag.startsWith("-Xm") && !flag.equals("-XX:+AlwaysPreTouch")
                        && !flag.startsWith("-agent")),
                Stream.of(HEAP));
    }
}
