package org.spin4j.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/** The time that Llama 3's tokenizer.json takes to load, in a JVM that has compiled nothing yet and in one that has. */
final class CompareLoading {
    private static final int RUNS = 3;

    private CompareLoading() {}

    /** Prints the table in Markdown. */
    static void run(PrintStream out, Path llama3) {
        System.err.println("tokenizer: loading");
        List<Times> ours = new ArrayList<>();
        List<Times> theirs = new ArrayList<>();
        for (int run = 0; run < RUNS; run++) {
            for (String program : run % 2 == 0 ? LoadAlone.PROGRAMS : LoadAlone.PROGRAMS.reversed()) {
                (program.equals(LoadAlone.SPIN4J) ? ours : theirs).add(times(program, llama3));
            }
        }
        out.println("Loading Llama 3's tokenizer.json in a JVM of its own, medians of " + RUNS
                + ": the first thing that the JVM does, and after it has done so before.");
        out.println();
        out.println("| | spin4j s | Hugging Face s | **Hugging Face ÷ spin4j** |");
        out.println("|---|---:|---:|---:|");
        row(out, "first", median(ours, Times::first), median(theirs, Times::first));
        row(out, "later", median(ours, Times::later), median(theirs, Times::later));
    }

    /** Seconds that loading took. */
    private record Times(double first, double later) {}

    private static void row(PrintStream out, String when, double ours, double theirs) {
        out.printf(Locale.ROOT, "| %s | %.2f | %.2f | **%.2f** |%n", when, ours, theirs, theirs / ours);
    }

    private static double median(List<Times> times, ToDoubleFunction<Times> which) {
        return times.stream().mapToDouble(which).sorted().toArray()[times.size() / 2];
    }

    private static Times times(String program, Path file) {
        List<String> command = List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp",
                System.getProperty("java.class.path"), LoadAlone.class.getName(), program, file.toString());
        try {
            Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
            List<String> lines = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines()
                    .toList();
            if (process.waitFor() != 0 || lines.isEmpty()) {
                throw new IllegalStateException("expected two numbers of seconds of " + String.join(" ", command)
                        + ", found exit status " + process.exitValue());
            }
            String[] seconds = lines.getLast().split(" ");
            return new Times(Double.parseDouble(seconds[0]), Double.parseDouble(seconds[1]));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while " + program + " was loading", e);
        }
    }
}
