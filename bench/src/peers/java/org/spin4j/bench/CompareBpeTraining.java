package org.spin4j.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.spin4j.tokenizer.BpeTrainer;
import org.spin4j.tokenizer.Tokenizer;

/** Learning a byte-level BPE vocabulary of 4096 tokens from Shakespeare, in turns. Both must learn the same merges. */
final class CompareBpeTraining {
    private static final int VOCAB_SIZE = 4096;
    private static final int ROUNDS = 3;
    private static final Duration PATIENCE = Duration.ofSeconds(4);

    private CompareBpeTraining() {}

    /** Prints the table in Markdown, or says why there is none. */
    static void run(PrintStream out, List<String> lines) {
        System.err.println("tokenizer: training");
        BpeTrainer.Config config = new BpeTrainer.Config(VOCAB_SIZE, 2, List.of("<|endoftext|>"));
        Optional<HuggingFaceTrainer> peer = HuggingFaceTrainer.start(lines, VOCAB_SIZE);
        if (peer.isEmpty()) {
            out.println("Training beside Hugging Face: left out, no Python with the package `tokenizers` was found; set"
                    + " SPIN4J_PYTHON to one.");
            return;
        }
        try (HuggingFaceTrainer theirs = peer.get()) {
            long start = System.nanoTime();
            Tokenizer trained = BpeTrainer.train(lines, config);
            double first = (System.nanoTime() - start) / 1e9;
            double theirFirst = theirs.train();
            int merges = check(trained, theirs.result());
            Stopwatch ours = new Stopwatch(() -> BpeTrainer.train(lines, config), 2);
            ours.warmUp(0.05, PATIENCE);
            List<Double> theirTimes = new ArrayList<>();
            for (int round = 0; round < ROUNDS; round++) {
                Turns.settle();
                ours.pass();
                Turns.settle();
                theirTimes.add(theirs.train());
                theirTimes.add(theirs.train());
                Turns.settle();
                ours.pass();
            }
            double median = theirTimes.stream().sorted().toList().get(theirTimes.size() / 2);
            out.printf(Locale.ROOT, "Training on Shakespeare, %d lines, to %d tokens, all cores. Peer: Hugging Face"
                    + " tokenizers %s in Python, which times itself. All %d merges are equal.%n%n", lines.size(),
                    VOCAB_SIZE, theirs.version(), merges);
            out.println("| spin4j ms | Hugging Face ms | **Hugging Face ÷ spin4j** | spin4j ms, first time in the process"
                    + " | Hugging Face ms, first time |");
            out.println("|---:|---:|---:|---:|---:|");
            out.printf(Locale.ROOT, "| %.0f | %.0f | **%.2f** | %.0f | %.0f |%n", 1e3 * ours.median(), 1e3 * median,
                    median / ours.median(), 1e3 * first, 1e3 * theirFirst);
        }
    }

    /** The number of merges, which must be the same. */
    private static int check(Tokenizer trained, Path theirs) {
        try {
            Path file = Files.createTempFile("spin4j-bench", ".json");
            trained.save(file);
            JsonMapper json = new JsonMapper();
            JsonNode expected = json.readTree(theirs.toFile()).get("model").get("merges");
            JsonNode found = json.readTree(file.toFile()).get("model").get("merges");
            Files.delete(file);
            for (int i = 0; i < Math.max(expected.size(), found.size()); i++) {
                if (i >= expected.size() || i >= found.size()
                        || !merge(expected.get(i)).equals(merge(found.get(i)))) {
                    throw new IllegalStateException("expected the merges of Hugging Face, found another at " + i);
                }
            }
            return found.size();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String merge(JsonNode merge) {
        return merge.isTextual() ? merge.textValue() : merge.get(0).textValue() + " " + merge.get(1).textValue();
    }
}
