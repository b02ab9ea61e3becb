package org.spin4j.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Hugging Face's BPE trainer, which only Python can call: a Python process that waits for the word to train and times itself, so that it can
 * take turns. Its python3 is that on the PATH, or the one that the environment variable SPIN4J_PYTHON names.
 */
final class HuggingFaceTrainer implements AutoCloseable {
    private static final String SCRIPT = "train_bpe.py";

    private final Path folder;
    private final Process process;
    private final BufferedReader answers;
    private final Writer orders;
    private final String version;

    private HuggingFaceTrainer(Path folder, Process process) throws IOException {
        this.folder = folder;
        this.process = process;
        answers = process.inputReader(StandardCharsets.UTF_8);
        orders = process.outputWriter(StandardCharsets.UTF_8);
        version = answers.readLine();
    }

    /** Begins a process for these texts, each of which is a line; nothing where there is no Python with tokenizers. */
    static Optional<HuggingFaceTrainer> start(List<String> lines, int vocabSize) {
        String python = Optional.ofNullable(System.getenv("SPIN4J_PYTHON")).orElse("python3");
        try (InputStream script = HuggingFaceTrainer.class.getResourceAsStream(SCRIPT)) {
            Path folder = Files.createTempDirectory("spin4j-bench");
            Files.copy(script, folder.resolve(SCRIPT));
            Files.writeString(folder.resolve("texts.txt"), String.join("", lines));
            ProcessBuilder builder = new ProcessBuilder(python, folder.resolve(SCRIPT).toString(),
                    folder.resolve("texts.txt").toString(), Integer.toString(vocabSize), saved(folder).toString())
                    .redirectError(ProcessBuilder.Redirect.DISCARD);
            // It shall use all cores, as spin4j does.
            builder.environment().remove("TOKENIZERS_PARALLELISM");
            HuggingFaceTrainer trainer = new HuggingFaceTrainer(folder, builder.start());
            if (trainer.version == null) {
                trainer.close();
                return Optional.empty();
            }
            return Optional.of(trainer);
        } catch (IOException e) {
            System.err.println("tokenizer: " + e.getMessage());
            return Optional.empty();
        }
    }

    private static Path saved(Path folder) {
        return folder.resolve("tokenizer.json");
    }

    /** The version of the library. */
    String version() {
        return version;
    }

    /** Trains once; the seconds that took. */
    double train() {
        try {
            orders.write("train\n");
            orders.flush();
            String answer = answers.readLine();
            if (answer == null) {
                throw new IllegalStateException("expected a time of Hugging Face's trainer, found that it ended");
            }
            return Double.parseDouble(answer);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The tokenizer.json of the last training. */
    Path result() {
        return saved(folder);
    }

    @Override
    public void close() {
        process.destroy();
        try {
            for (String name : List.of(SCRIPT, "texts.txt", "tokenizer.json")) {
                Files.deleteIfExists(folder.resolve(name));
            }
            Files.delete(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
