package org.spin4j.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Encoding, training and loading of tokenizers beside Hugging Face's and jtokkit. The texts and the tokenizers are those of the data beside
 * the checkout; without them there is nothing to measure.
 */
final class CompareTokenizer {
    /** The comparison's section. */
    static final Report.Section SECTION = new Report.Section("tokenizer",
            "encoding, training and loading beside Hugging Face tokenizers and jtokkit", CompareTokenizer::run);

    private static final int MADE_UP = 200_000;

    private CompareTokenizer() {}

    private static void run(PrintStream out) {
        Optional<Path> shared = SharedFolder.find("data");
        if (shared.isEmpty()) {
            out.println("Left out: the texts and tokenizers of ../shared/data are not beside this checkout.");
            return;
        }
        Path data = shared.get();
        String shakespeare = read(data.resolve("datasets/tinyshakespeare/input.txt"));
        List<String> lines = shakespeare.lines().map(line -> line + "\n").toList();
        List<CompareEncoding.Work> works = List.of(
                new CompareEncoding.Work("GSM8K, questions and answers", gsm8k(data.resolve("datasets/gsm8k"))),
                new CompareEncoding.Work("Shakespeare, whole", List.of(shakespeare)),
                new CompareEncoding.Work("Shakespeare, by lines", lines),
                new CompareEncoding.Work(MADE_UP + " made-up words", MadeUpWords.texts(MADE_UP)));
        CompareEncoding.run(out, data.resolve("tokenizers/gpt2"), works);
        out.println();
        CompareBpeTraining.run(out, lines);
        out.println();
        CompareLoading.run(out, data.resolve("tokenizers/llama3"));
    }

    private static List<String> gsm8k(Path folder) {
        List<String> texts = new ArrayList<>(Texts.in(folder.resolve("train.jsonl")));
        texts.addAll(Texts.in(folder.resolve("test.jsonl")));
        return texts;
    }

    private static String read(Path file) {
        try {
            return Files.readString(file, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file, e);
        }
    }
}
