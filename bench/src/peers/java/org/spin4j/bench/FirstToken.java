package org.spin4j.bench;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.spin4j.engine.Decoder;
import org.spin4j.engine.DecoderConfig;
import org.spin4j.kernels.DType;
import org.spin4j.tokenizer.BpeTrainer;

/**
 * How long somebody who starts {@code ./spin4j chat} waits for the first token: from the start of the process to the first byte of an answer
 * that is written to a pipe. The folder has weights in BF16 and a tokenizer.json with as many tokens as the model. What starting any
 * JVM takes is measured in turns with it.
 */
final class FirstToken {
    private static final int RUNS = 9;
    /** The first runs build the project, and write the archive of class data that later ones read. */
    private static final int UNTIMED = 2;
    private static final String PROMPT = "Hello, how are you today?\n";
    /** So many words have enough pairs of letters for a vocabulary of 49,152. */
    private static final int WORDS = 80_000;

    private FirstToken() {}

    /** Prints what was found, in a line. */
    static void run(PrintStream out, DecoderConfig shape) throws IOException {
        Path root = Path.of("").toAbsolutePath();
        if (!Files.isExecutable(root.resolve("spin4j"))) {
            throw new IllegalStateException("expected the project's folder as working folder, found " + root);
        }
        Path model = Files.createTempDirectory("first-token");
        try {
            Path tokenizer = Files.createDirectory(model.resolve("tokenizer"));
            BpeTrainer.train(MadeUpWords.texts(WORDS), new BpeTrainer.Config(shape.vocabSize(), 1, List.of()))
                    .save(tokenizer.resolve("tokenizer.json"));
            try (Decoder random = Decoder.random(shape, DType.F32, 1)) {
                random.save(model.resolve("model"), "BF16", tokenizer);
            }
            List<String> chat = List.of(root.resolve("spin4j").toString(), "chat", "--model",
                    model.resolve("model").toString(), "--chat-template", "chatml", "--max-new-tokens", "1",
                    "--temperature", "0");
            List<String> empty = List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "--version");
            double[] ours = new double[RUNS];
            double[] jvm = new double[RUNS];
            for (int run = -UNTIMED; run < RUNS; run++) {
                double a = seconds(chat);
                double b = seconds(empty);
                if (run >= 0) {
                    ours[run] = a;
                    jvm[run] = b;
                }
            }
            Arrays.sort(ours);
            Arrays.sort(jvm);
            out.printf(Locale.ROOT, "%nFirst token of `./spin4j chat` after the start of its process, weights in BF16,"
                    + " a tokenizer.json of %d tokens, a prompt of %d words: **%.2f s** (median of %d; %.2f to %.2f)."
                    + " `java --version` in turns with it: %.2f s.%n", shape.vocabSize(), PROMPT.split(" ").length,
                    ours[RUNS / 2], RUNS, ours[0], ours[RUNS - 1], jvm[RUNS / 2]);
        } finally {
            try (Stream<Path> files = Files.walk(model)) {
                files.sorted((a, b) -> b.compareTo(a)).forEach(FirstToken::delete);
            }
        }
    }

    /** From the start of a process to the first byte that it prints. */
    private static double seconds(List<String> command) throws IOException {
        Turns.settle();
        long start = System.nanoTime();
        Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
        try (InputStream in = process.getInputStream()) {
            process.getOutputStream().write(PROMPT.getBytes(StandardCharsets.UTF_8));
            process.getOutputStream().close();
            if (in.read() < 0) {
                throw new IllegalStateException("expected an answer, found none of " + String.join(" ", command));
            }
            double seconds = (System.nanoTime() - start) / 1e9;
            in.transferTo(OutputStream.nullOutputStream());
            return seconds;
        }
    }

    private static void delete(Path file) {
        try {
            Files.delete(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
