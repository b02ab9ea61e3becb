package org.spin4j.bench;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.spin4j.tokenizer.Tokenizer;

/** Loads a tokenizer in a process of its own, whose last line is the seconds that took: the first time, and the median of later times. */
final class LoadAlone {
    static final String SPIN4J = "spin4j";
    static final String HUGGING_FACE = "huggingface";
    static final List<String> PROGRAMS = List.of(SPIN4J, HUGGING_FACE);

    private static final int LATER = 3;

    private LoadAlone() {}

    /** Arguments: the program, and the tokenizer's file or folder. */
    public static void main(String[] args) {
        Path file = Path.of(args[1]);
        if (args[0].equals(HUGGING_FACE)) {
            // Unpacking the native library from its jar is not loading a tokenizer.
            HuggingFace.describe();
        }
        double first = seconds(args[0], file);
        double[] later = IntStream.range(0, LATER).mapToDouble(i -> seconds(args[0], file)).sorted().toArray();
        System.out.println(first + " " + later[LATER / 2]);
    }

    private static double seconds(String program, Path file) {
        long start = System.nanoTime();
        boolean loaded;
        if (program.equals(SPIN4J)) {
            loaded = Tokenizer.load(file).encode("a").length > 0;
        } else {
            try (HuggingFace tokenizer = new HuggingFace(file)) {
                loaded = tokenizer.encode("a", true).length > 0;
            }
        }
        if (!loaded) {
            throw new IllegalStateException("expected ids, found none");
        }
        return (System.nanoTime() - start) / 1e9;
    }
}
