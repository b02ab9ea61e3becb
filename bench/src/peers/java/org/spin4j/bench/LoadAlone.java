package org.spin4j.bench;

import java.nio.file.Path;
import java.util.List;
import org.spin4j.tokenizer.Tokenizer;

/** Loads a tokenizer in a process of its own, whose last line is the seconds that took. */
final class LoadAlone {
    static final String SPIN4J = "spin4j";
    static final String HUGGING_FACE = "huggingface";
    static final List<String> PROGRAMS = List.of(SPIN4J, HUGGING_FACE);

    private LoadAlone() {}

    /** Arguments: the program, and the tokenizer's file or folder. */
    public static void main(String[] args) {
        Path file = Path.of(args[1]);
        if (args[0].equals(HUGGING_FACE)) {
            // Unpacking the native library from its jar is not loading a tokenizer.
            HuggingFace.describe();
        }
        long start = System.nanoTime();
        boolean loaded;
        if (args[0].equals(SPIN4J)) {
            loaded = Tokenizer.load(file).encode("a").length > 0;
        } else {
            try (HuggingFace tokenizer = new HuggingFace(file)) {
                loaded = tokenizer.encode("a", true).length > 0;
            }
        }
        System.out.println(loaded ? (System.nanoTime() - start) / 1e9 : "no ids");
    }
}
