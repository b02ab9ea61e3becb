package org.spin4j.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The time that Llama 3's tokenizer.json takes to load in a JVM that has just begun, which has compiled nothing yet. */
final class CompareLoading {
    private static final int RUNS = 3;

    private CompareLoading() {}

    /** Prints the table in Markdown. */
    static void run(PrintStream out, Path llama3) {
        System.err.println("tokenizer: loading");
        List<Double> ours = new ArrayList<>();
        List<Double> theirs = new ArrayList<>();
        for (int run = 0; run < RUNS; run++) {
            for (String program : run % 2 == 0 ? LoadAlone.PROGRAMS : LoadAlone.PROGRAMS.reversed()) {
                (program.equals(LoadAlone.SPIN4J) ? ours : theirs).add(seconds(program, llama3));
            }
        }
        out.println("Loading Llama 3's tokenizer.json, each time in a JVM of its own that has just begun, median of "
                + RUNS + ":");
        out.println();
        out.println("| spin4j s | Hugging Face s | **Hugging Face ÷ spin4j** |");
        out.println("|---:|---:|---:|");
        out.printf(Locale.ROOT, "| %.2f | %.2f | **%.2f** |%n", median(ours), median(theirs),
                median(theirs) / median(ours));
    }

    private static double median(List<Double> values) {
        return values.stream().sorted().toList().get(values.size() / 2);
    }

    private static double seconds(String program, Path file) {
        List<String> command = List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp",
                System.getProperty("java.class.path"), LoadAlone.class.getName(), program, file.toString());
        try {
            Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
            List<String> lines = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines()
                    .toList();
            if (process.waitFor() != 0 || lines.isEmpty()) {
                throw new IllegalStateException("expected a number of seconds of " + String.join(" ", command)
                        + ", found exit status " + process.exitValue());
            }
            return Double.parseDouble(lines.getLast());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while " + program + " was loading", e);
        }
    }
}
