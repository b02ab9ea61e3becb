package org.spin4j.bench;

import de.kherud.llama.InferenceParameters;
import de.kherud.llama.LlamaModel;
import de.kherud.llama.ModelParameters;
import de.kherud.llama.args.LogFormat;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.spin4j.engine.Decoder;
import org.spin4j.engine.DecoderConfig;
import org.spin4j.engine.Generator;
import org.spin4j.engine.Sampling;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.VectorKernels;
import org.spin4j.tokenizer.EncodeOptions;
import org.spin4j.tokenizer.Tokenizer;

/**
 * Greedy generation beside llama.cpp, on the same GGUF file with random weights. What is timed is a difference: a run with many tokens less
 * a run with few, so that neither what happens once per call nor what happens once per prompt counts.
 */
public final class CompareGeneration {
    private static final Report.Section SECTION = new Report.Section("generation", "generating text beside llama.cpp",
            CompareGeneration::run);

    private static final int THREADS = 2;
    private static final int ROUNDS = 2;
    private static final List<DType> TYPES = List.of(DType.BF16, DType.Q8_0);
    private static final int STREAMS = 16;
    private static final int SHORT_PROMPT = 4;
    private static final int LONG_PROMPT = 512;
    private static final int POSITIONS = 1024;
    /** The shape of SmolLM2-135M. */
    private static final DecoderConfig SHAPE = DecoderConfig.llama(49_152, 576, 30, 9, 3, 1536, POSITIONS, true)
            .withTokens(OptionalInt.of(1), List.of(2), OptionalInt.empty());

    /**
     * What is generated.
     *
     * @param prompt tokens of each prompt in the longer run; in the shorter it has {@link #SHORT_PROMPT}
     * @param tokens new tokens of each stream in the longer run; in the shorter there is one
     */
    private record Work(String name, int streams, int prompt, int tokens) {
        /** Tokens by which the runs differ. */
        int difference() {
            return streams * (prompt - SHORT_PROMPT + tokens - 1);
        }
    }

    private static final List<Work> WORKS = List.of(new Work("decode, 1 stream", 1, SHORT_PROMPT, 65),
            new Work("decode, 16 streams", STREAMS, SHORT_PROMPT, 33),
            new Work("prefill of 512 tokens", 1, LONG_PROMPT, 1));

    private CompareGeneration() {}

    /** Measures and puts the table into the results: {@code [--out FILE]}. */
    public static void main(String[] args) {
        int status = 0;
        try {
            Arguments arguments = Arguments.parse(args, List.of(SECTION.name()), Report.STANDARD);
            new Report(arguments.out()).run(SECTION, System.out);
        } catch (IllegalArgumentException e) {
            System.err.println("bench: " + e.getMessage());
            status = 2;
        } catch (IllegalStateException e) {
            System.err.println("generation: " + e.getMessage());
            status = 1;
        }
        // Says so explicitly: threads of llama.cpp may be alive still.
        System.exit(status);
    }

    private static void run(PrintStream out) {
        LlamaModel.setLogger(LogFormat.TEXT, (level, text) -> {});
        out.println("- A: spin4j, " + Machine.vectors());
        out.println("- B: llama.cpp (de.kherud:llama 4.2.0), " + THREADS + " threads, its usual cache in F16");
        out.println("- model: random weights in the shape of SmolLM2-135M: 576 wide, 30 layers, 9 heads, 3 of keys and"
                + " values, hidden 1536, vocabulary 49152; the same GGUF file for both");
        out.println("- work: greedy, past end tokens; a run with many tokens less one with few, A A B B B B A A, " + ROUNDS
                + " times after warming up");
        out.println();
        out.println("| weights | work | tokens | spin4j tokens/s | llama.cpp tokens/s | **spin4j ÷ llama.cpp** |");
        out.println("|---|---|---:|---:|---:|---:|");
        try {
            Path dir = Files.createTempDirectory("generation");
            Path file = dir.resolve("model.gguf");
            Map<String, Object> characters = CompareGguf.characters(SHAPE.vocabSize());
            Tokenizer tokenizer = Tokenizer.ofGguf(characters, "characters").orElseThrow();
            for (DType type : TYPES) {
                try (Decoder random = Decoder.random(SHAPE, DType.F32, 1)) {
                    random.saveGguf(file, type, characters);
                }
                measure(out, type, file, tokenizer);
                Files.delete(file);
            }
            Files.delete(dir);
            System.err.println("generation: first token");
            FirstToken.run(out, SHAPE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void measure(PrintStream out, DType type, Path file, Tokenizer tokenizer) {
        ModelParameters parameters = new ModelParameters().setModel(file.toString())
                .setCtxSize(STREAMS * POSITIONS).setParallel(STREAMS).setThreads(THREADS).setThreadsBatch(THREADS)
                .setBatchSize(LONG_PROMPT).setUbatchSize(LONG_PROMPT).setGpuLayers(0);
        try (Decoder ours = Decoder.loadFrozen(file);
                LlamaModel theirs = new LlamaModel(parameters);
                ExecutorService pool = Executors.newFixedThreadPool(STREAMS)) {
            Generator generator = new Generator(ours, new VectorKernels(THREADS));
            for (Work work : WORKS) {
                System.err.println("generation: " + type + ", " + work.name());
                Stopwatch ourLong = ours(generator, tokenizer, work, work.prompt(), work.tokens());
                Stopwatch ourShort = ours(generator, tokenizer, work, SHORT_PROMPT, 1);
                Stopwatch theirLong = theirs(theirs, pool, work, work.prompt(), work.tokens());
                Stopwatch theirShort = theirs(theirs, pool, work, SHORT_PROMPT, 1);
                Turns.take(List.of(ourLong, ourShort, theirLong, theirShort, theirShort, theirLong, ourShort, ourLong),
                        ROUNDS, "generation in " + type + ", " + work.name());
                double a = work.difference() / (ourLong.median() - ourShort.median());
                double b = work.difference() / (theirLong.median() - theirShort.median());
                out.printf(Locale.ROOT, "| %s | %s | %d | %.0f | %.0f | **%.2f** |%n", type, work.name(),
                        work.difference(), a, b, a / b);
            }
        }
    }

    private static Stopwatch ours(Generator generator, Tokenizer tokenizer, Work work, int prompt, int tokens) {
        List<int[]> prompts = new ArrayList<>();
        for (int i = 0; i < work.streams(); i++) {
            prompts.add(tokenizer.encode(prompt(i, prompt), EncodeOptions.DEFAULT));
        }
        Sampling greedy = Sampling.greedy(tokens, Set.of(), work.streams());
        return new Stopwatch(() -> generator.generate(prompts, greedy, 0, n -> {}), 1);
    }

    private static Stopwatch theirs(LlamaModel model, ExecutorService pool, Work work, int prompt, int tokens) {
        List<Callable<String>> calls = new ArrayList<>();
        for (int i = 0; i < work.streams(); i++) {
            InferenceParameters one = new InferenceParameters(prompt(i, prompt)).setNPredict(tokens).setTemperature(0)
                    .setTopK(1).setRepeatPenalty(1).setIgnoreEos(true).setCachePrompt(false);
            calls.add(() -> model.complete(one));
        }
        return new Stopwatch(() -> {
            try {
                for (Future<String> call : pool.invokeAll(calls)) {
                    call.get();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while llama.cpp generated", e);
            } catch (ExecutionException e) {
                throw new IllegalStateException("llama.cpp failed", e);
            }
        }, 1);
    }

    /** A prompt of so many tokens, the one that begins every text included. */
    private static String prompt(int number, int tokens) {
        return String.join("", Collections.nCopies(tokens - 1, Character.toString(CompareGguf.FIRST_CHARACTER + number)));
    }
}
