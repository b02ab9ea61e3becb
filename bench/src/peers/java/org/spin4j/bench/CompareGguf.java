package org.spin4j.bench;

import de.kherud.llama.InferenceParameters;
import de.kherud.llama.LlamaModel;
import de.kherud.llama.LlamaOutput;
import de.kherud.llama.ModelParameters;
import de.kherud.llama.args.CacheType;
import de.kherud.llama.args.LogFormat;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.spin4j.engine.Decoder;
import org.spin4j.engine.DecoderConfig;
import org.spin4j.engine.Generator;
import org.spin4j.engine.Sampling;
import org.spin4j.kernels.Backends;
import org.spin4j.kernels.DType;
import org.spin4j.tokenizer.EncodeOptions;
import org.spin4j.tokenizer.Tokenizer;

/**
 * GGUF files that spin4j writes, loaded by llama.cpp: how many greedy ids agree. Arguments: model folders; a random
 * model of SmolLM2's shape, narrower, comes with them. Exits with 1 where an F32 model differs.
 */
public final class CompareGguf {
    private static final int TOKENS = 200;
    /** Each is a text of one character, so that what llama.cpp prints tells which token it was. */
    static final int FIRST_CHARACTER = 0x20000;
    private static final int NAMED = 3;

    private CompareGguf() {}

    /** Prints the table in Markdown. */
    public static void main(String[] args) throws IOException {
        LlamaModel.setLogger(LogFormat.TEXT, (level, text) -> {});
        Path dir = Files.createTempDirectory("gguf");
        boolean equal = true;
        PrintStream out = System.out;
        out.println("GGUF files written by spin4j, loaded by llama.cpp (de.kherud:llama 4.2.0); greedy continuations.");
        out.println();
        out.println("| model | type | tokens | **equal to spin4j on the same file** | first difference |");
        out.println("|---|---|---:|---:|---:|");
        for (String folder : args) {
            Path path = Path.of(folder);
            try (Decoder model = Decoder.loadFrozen(path)) {
                equal &= rows(path.toAbsolutePath().getParent().getFileName() + "/" + path.getFileName(), model,
                        Tokenizer.find(path), dir, out);
            }
        }
        try (Decoder model = Decoder.random(smol(dir), DType.F32, 1)) {
            equal &= rows("random, SmolLM2's shape", model, Optional.empty(), dir, out);
        }
        // Says so explicitly: threads of llama.cpp may be alive still.
        System.exit(equal ? 0 : 1);
    }

    private static boolean rows(String name, Decoder model, Optional<Tokenizer> tokenizer, Path dir, PrintStream out)
            throws IOException {
        int vocab = model.config().vocabSize();
        Map<String, Object> metadata = tokenizer.map(own -> own.toGguf(Optional.empty(), vocab))
                .orElseGet(() -> characters(vocab));
        String prompt = tokenizer.isPresent()
                ? "Once upon a time"
                : Character.toString(FIRST_CHARACTER) + Character.toString(FIRST_CHARACTER + 5);
        boolean equal = true;
        for (DType type : List.of(DType.F32, DType.F16, DType.BF16, DType.Q8_0)) {
            equal &= row(name, model, type, metadata, prompt, dir.resolve("model.gguf"), out);
        }
        return equal;
    }

    /** Whether all tokens are equal, or the type is one that the two multiply in different ways. */
    private static boolean row(String name, Decoder model, DType type, Map<String, Object> tokenizer, String prompt,
            Path file, PrintStream out) throws IOException {
        model.saveGguf(file, type, tokenizer);
        Tokenizer reader = Tokenizer.ofGguf(tokenizer, name).orElseThrow();
        int[] ids = reader.encode(prompt, EncodeOptions.DEFAULT);
        int tokens = Math.min(TOKENS, model.config().maxPositions() - ids.length);
        List<Integer> theirs = theirs(file, prompt, reader, tokens);
        List<Integer> ours = ours(file, ids, tokens);
        // What llama.cpp prints of a special token is nothing, so that the comparison ends there.
        tokens = (int) ours.stream().takeWhile(id -> id >= NAMED).count();
        int equal = 0;
        int first = -1;
        for (int i = 0; i < tokens; i++) {
            boolean same = i < theirs.size() && theirs.get(i).equals(ours.get(i));
            equal += same ? 1 : 0;
            first = !same && first < 0 ? i : first;
        }
        out.printf(Locale.ROOT, "| %s | %s | %d | **%d** | %s |%n", name, type, tokens, equal,
                first < 0 ? "–" : Integer.toString(first));
        Files.delete(file);
        return first < 0 || type != DType.F32;
    }

    private static List<Integer> ours(Path file, int[] prompt, int tokens) {
        try (Decoder model = Decoder.loadFrozen(file)) {
            int[] ids = new Generator(model, Backends.choose("auto", 2)).generate(List.of(prompt),
                    Sampling.greedy(tokens, Set.of(), 1), 0, n -> {}).getFirst().ids();
            return Arrays.stream(ids).boxed().toList();
        }
    }

    private static List<Integer> theirs(Path file, String prompt, Tokenizer tokenizer, int tokens) {
        Map<String, Integer> byText = new HashMap<>();
        for (int id = tokenizer.vocabSize() - 1; id >= NAMED; id--) {
            String token = tokenizer.isToken(id) ? tokenizer.token(id).replace('▁', ' ') : "";
            // A character that is a token need not be spelled as a byte.
            byText.putIfAbsent(token.matches("<0x[0-9A-F]{2}>")
                    ? Character.toString(Integer.parseInt(token.substring(3, 5), 16))
                    : token, id);
        }
        List<Integer> ids = new ArrayList<>();
        ModelParameters parameters = new ModelParameters().setModel(file.toString()).setCtxSize(512).setThreads(2)
                .setGpuLayers(0).setCacheTypeK(CacheType.F32).setCacheTypeV(CacheType.F32);
        try (LlamaModel model = new LlamaModel(parameters)) {
            for (LlamaOutput piece : model.generate(new InferenceParameters(prompt).setNPredict(tokens)
                    .setTemperature(0).setTopK(1).setRepeatPenalty(1).setIgnoreEos(true).setCachePrompt(false))) {
                if (!piece.text.isEmpty()) {
                    ids.add(byText.getOrDefault(piece.text, -1));
                }
            }
        }
        return ids;
    }

    private static DecoderConfig smol(Path dir) throws IOException {
        DecoderConfig made = DecoderConfig.llama(2048, 96, 6, 6, 2, 256, 512, true)
                .withTokens(OptionalInt.of(1), List.of(2), OptionalInt.empty());
        // Weights far apart: near 0.02 many tokens are about as likely, and rounding would decide.
        Path json = Files.writeString(dir.resolve("config.json"),
                made.toJson().put("initializer_range", 0.2).toString());
        DecoderConfig config = DecoderConfig.read(json);
        Files.delete(json);
        return config;
    }

    /** Metadata of a tokenizer of {@code size} tokens that are one character each. */
    static Map<String, Object> characters(int size) {
        String[] tokens = new String[size];
        int[] types = new int[size];
        for (int id = 0; id < size; id++) {
            tokens[id] = id < NAMED
                    ? List.of("<unk>", "<s>", "</s>").get(id)
                    : Character.toString(FIRST_CHARACTER + id - NAMED);
            types[id] = id == 0 ? 2 : id < NAMED ? 3 : 1;
        }
        Map<String, Object> out = new HashMap<>();
        out.put("tokenizer.ggml.model", "llama");
        out.put("tokenizer.ggml.tokens", List.of(tokens));
        out.put("tokenizer.ggml.scores", new float[size]);
        out.put("tokenizer.ggml.token_type", types);
        out.put("tokenizer.ggml.bos_token_id", 1);
        out.put("tokenizer.ggml.eos_token_id", 2);
        out.put("tokenizer.ggml.unknown_token_id", 0);
        out.put("tokenizer.ggml.add_space_prefix", false);
        return out;
    }
}
