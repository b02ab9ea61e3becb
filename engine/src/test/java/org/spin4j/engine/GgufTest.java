package org.spin4j.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Storage;

/** GGUF files: numbers of every type, models of llama.cpp, and what is written read again. */
class GgufTest {
    @TempDir
    Path dir;

    /** A few blocks of random bytes with scales that are subnormal, −0 and usual, widened by the Python package gguf 0.19. */
    private record Blocks(GgufType type, byte[] bytes, float[] floats) {
        @Override
        public String toString() {
            return type.name();
        }
    }

    static List<Blocks> blocks() throws IOException {
        try (var lines = new java.io.BufferedReader(new java.io.InputStreamReader(
                GgufTest.class.getResourceAsStream("/gguf/blocks.jsonl"), java.nio.charset.StandardCharsets.UTF_8))) {
            return lines.lines().map(line -> {
                JsonNode row;
                try {
                    row = CheckpointJson.Mapping.MAPPER.readTree(line);
                } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
                GgufType type = GgufType.of(row.get("number").intValue()).orElseThrow();
                assertThat(type.name()).isEqualTo(row.get("type").textValue());
                byte[] bytes = Base64.getDecoder().decode(row.get("floats").textValue());
                float[] floats = new float[bytes.length / 4];
                ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(floats);
                return new Blocks(type, Base64.getDecoder().decode(row.get("bytes").textValue()), floats);
            }).toList();
        }
    }

    @ParameterizedTest
    @MethodSource("blocks")
    void numbersAreThoseOfTheReferenceBitForBit(Blocks blocks) {
        Storage out = Storage.allocate(Arena.ofAuto(), DType.F32, blocks.floats.length);
        blocks.type.read(MemorySegment.ofArray(blocks.bytes), out);
        for (int i = 0; i < blocks.floats.length; i++) {
            assertThat(Float.floatToRawIntBits((float) out.get(i))).as(blocks.type + " " + i)
                    .isEqualTo(Float.floatToRawIntBits(blocks.floats[i]));
        }
    }

    @Test
    void everyTypeHasBlocks() throws IOException {
        assertThat(blocks()).extracting(Blocks::type).containsExactlyInAnyOrder(GgufType.values());
    }

    @Test
    void storiesHaveTheSameWeightsInEveryFormat() {
        Path folder = SharedData.require("data/models/stories260K");
        try (Checkpoint hf = Checkpoint.open(folder.resolve("hf"));
                Checkpoint gguf = Checkpoint.open(folder.resolve("stories260K-f32.gguf"));
                Checkpoint bin = Checkpoint.open(folder.resolve("stories260K.bin"))) {
            for (Checkpoint other : List.of(gguf, bin)) {
                assertThat(other.config().sameModel(hf.config())).as(other.path().toString()).isTrue();
                assertThat(other.config().bosTokenId()).isEqualTo(hf.config().bosTokenId());
                assertThat(other.names()).containsExactlyInAnyOrderElementsOf(hf.names());
                for (String name : hf.names()) {
                    assertThat(other.shape(name)).isEqualTo(hf.shape(name));
                    assertThat(floats(other, name)).as(name).isEqualTo(floats(hf, name));
                }
            }
        }
    }

    @Test
    void storiesGoOnAlikeFromEveryFormat() {
        Path folder = SharedData.require("data/models/stories260K");
        int[] want = Golden.ints(Golden.read(folder.resolve("hf/golden.json")).get("greedy_from_bos"));
        List<Integer> hf = greedy(folder.resolve("hf"), 200);
        assertThat(hf.subList(0, want.length - 1))
                .isEqualTo(java.util.Arrays.stream(want).skip(1).boxed().toList());
        assertThat(greedy(folder.resolve("stories260K-f32.gguf"), 200)).isEqualTo(hf);
        assertThat(greedy(folder.resolve("stories260K.bin"), 200)).isEqualTo(hf);
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama", "llama-gqa-tied", "llama3-rope", "llama-bias", "mistral", "llama-bf16",
            "qwen2", "qwen3", "gpt2"})
    void whatIsWrittenReadsAsItWas(String model) {
        Path golden = SharedData.require("golden/models/" + model);
        Path file = dir.resolve(model + ".gguf");
        try (Decoder d = Decoder.load(golden)) {
            d.saveGguf(file, null, Map.of());
            try (Checkpoint back = Checkpoint.open(file)) {
                assertThat(back.config().sameModel(d.config())).isTrue();
                assertThat(back.config().eosTokenIds()).isEqualTo(d.config().eosTokenIds());
                assertThat(back.config().bosTokenId()).isEqualTo(d.config().bosTokenId());
                for (String name : d.parameters().names()) {
                    assertThat(floats(back, name)).as(name).isEqualTo(d.parameters().data(name).toFloats());
                }
            }
        }
        assertThat(greedy(file, 24)).isEqualTo(greedy(golden, 24));
    }

    @ParameterizedTest
    @EnumSource(value = DType.class, names = "F64", mode = EnumSource.Mode.EXCLUDE)
    void matricesAreRoundedAndVectorsKept(DType type) {
        DecoderConfig config = DecoderConfig.llama(64, 64, 1, 4, 2, 40, 32, true)
                .withTokens(OptionalInt.of(1), List.of(2, 3), OptionalInt.of(0));
        Path file = dir.resolve("model.gguf");
        try (Decoder d = Decoder.random(config, DType.F32, 5)) {
            d.saveGguf(file, type, Map.of("a.text", "é", "a.list", List.of("x", ""), "a.flag", true, "an.int", -3,
                    "a.long", 1L << 40, "a.double", 0.1, "ints", new int[]{1, -2}, "floats", new float[]{1, 2},
                    "bytes", new byte[]{1, 2}));
            try (Gguf raw = Gguf.open(file); Checkpoint back = Checkpoint.open(file)) {
                Map<String, Object> metadata = new LinkedHashMap<>(raw.metadata());
                assertThat(metadata).containsEntry("a.text", "é").containsEntry("a.list", List.of("x", ""))
                        .containsEntry("a.flag", true).containsEntry("an.int", -3).containsEntry("a.long", 1L << 40)
                        .containsEntry("a.double", 0.1).containsEntry("general.architecture", "llama");
                assertThat((int[]) metadata.get("ints")).containsExactly(1, -2);
                assertThat((float[]) metadata.get("floats")).containsExactly(1, 2);
                assertThat((byte[]) metadata.get("bytes")).containsExactly(1, 2);
                assertThat(back.config().eosTokenIds()).containsExactly(2, 3);
                assertThat(back.config().padTokenId()).hasValue(0);
                for (String name : d.parameters().names()) {
                    Storage want = d.parameters().data(name);
                    boolean vector = back.shape(name).size() == 1;
                    // Rows of 40 numbers are no whole blocks.
                    DType stored = vector
                            ? DType.F32
                            : type == DType.Q8_0 && name.contains("down_proj") ? DType.F16 : type;
                    assertThat(back.type(name)).as(name).isEqualTo(stored);
                    Storage rounded = Storage.allocate(Arena.ofAuto(), stored, want.size());
                    rounded.convertFrom(want);
                    assertThat(floats(back, name)).as(name).isEqualTo(rounded.toFloats());
                    boolean paired = name.contains("q_proj") || name.contains("k_proj");
                    assertThat(back.inPlace(name) == null).as(name).isEqualTo(paired);
                }
            }
        }
        assertThat(dir.toFile().list()).containsExactly("model.gguf");
    }

    /** The fourth layer turns no positions: nothing in the file says so. */
    @Test
    void smolLm3KeepsItsRule() {
        ObjectNode json = DecoderConfig.llamaKeys(64, 64, 5, 4, 2, 40, 32, true).put("model_type", "smollm3");
        DecoderConfig config = DecoderConfig.parse(json, "test").withTokens(OptionalInt.of(1), List.of(2, 3, 4),
                OptionalInt.empty());
        Path file = dir.resolve("model.gguf");
        try (Decoder d = Decoder.random(config, DType.F32, 5)) {
            d.saveGguf(file, null, Map.of("tokenizer.ggml.eos_token_id", 3));
        }
        try (Checkpoint back = Checkpoint.open(file)) {
            assertThat(back.config().sameModel(config)).isTrue();
            assertThat(back.config().ropes().get(3)).isEqualTo(new RopeScaling.None());
            assertThat(back.config().eosTokenIds()).containsExactly(3, 2, 4);
        }
    }

    @Test
    void whatGgufHasNoKeyForIsNotWritten() {
        notWritten("smollm3", "all layers but every fourth turn alike");
        notWritten("gemma2", "'gemma2'");
    }

    private void notWritten(String model, String told) {
        try (Decoder d = Decoder.load(SharedData.require("golden/models/" + model))) {
            assertThatThrownBy(() -> d.saveGguf(dir.resolve("m.gguf"), null, Map.of()))
                    .isInstanceOf(CheckpointException.class).hasMessageContaining(told);
        }
        assertThat(dir).isEmptyDirectory();
    }

    @Test
    void gptNeoIsNotWritten() {
        try (Decoder d = TinyModels.of(DecoderConfig.Family.GPT_NEO, DType.F32)) {
            assertThatThrownBy(() -> d.saveGguf(dir.resolve("m.gguf"), null, Map.of()))
                    .isInstanceOf(CheckpointException.class).hasMessageContaining("gpt_neo");
        }
        assertThat(dir).isEmptyDirectory();
    }

    /** What llama.cpp knows and this engine does not is named. */
    @Test
    void whatIsLackingIsNamed() {
        refused(Map.of("general.architecture", "mamba"), "mamba");
        refused(Map.of("general.type", "adapter"), "adapter");
        refused(Map.of("split.count", 3), "llama-gguf-split");
        refused(Map.of("llama.expert_count", 8), "llama.expert_count");
        refused(Map.of("llama.rope.scaling.type", "yarn", "llama.rope.scaling.factor", 2f), "yarn");
        refused(Map.of("llama.rope.dimension_count", 4), "llama.rope.dimension_count");
        refused(Map.of("llama.vocab_size", 17), "llama.vocab_size");
        refused(Map.of("tokenizer.ggml.bos_token_id", 64), "tokenizer.ggml.bos_token_id");
        refused(Map.of("llama.block_count", 2), "blk.1.attn_norm.weight".replace("blk.1.attn_norm", "model.layers.1"
                + ".input_layernorm"));
        refused(Map.of("llama.attention.head_count", new int[]{4, 4}), "llama.attention.head_count");
    }

    private void refused(Map<String, Object> metadata, String told) {
        Path file = dir.resolve("bad.gguf");
        try (Decoder d = Decoder.random(DecoderConfig.llama(64, 64, 1, 4, 2, 40, 32, true), DType.F32, 5)) {
            d.saveGguf(file, null, metadata);
        }
        assertThatThrownBy(() -> Decoder.load(file).close()).isInstanceOf(CheckpointException.class)
                .hasMessageContaining(told).hasMessageContaining(file.toString());
    }

    @Test
    void otherFilesAreNotModels() throws IOException {
        Path text = Files.writeString(dir.resolve("notes.txt"), "no model");
        assertThatThrownBy(() -> Decoder.load(text)).hasMessageContaining("expected a model");
        Path empty = Files.createFile(dir.resolve("empty.gguf"));
        assertThatThrownBy(() -> Decoder.load(empty)).isInstanceOf(CheckpointException.class);
        assertThatThrownBy(() -> Decoder.load(dir.resolve("absent.gguf"))).isInstanceOf(CheckpointException.class)
                .hasMessageContaining("absent.gguf");
    }

    static List<Integer> greedy(Path path, int tokens) {
        try (Decoder model = Decoder.loadFrozen(path)) {
            Sample sample = new Generator(model, TestKernels.DEFAULT).generate(List.of(new int[]{1}),
                    Sampling.greedy(tokens, Set.of(), 1), 0, n -> {}).getFirst();
            return java.util.Arrays.stream(sample.ids()).boxed().toList();
        }
    }

    private static float[] floats(Checkpoint from, String name) {
        long size = from.shape(name).stream().reduce(1L, (a, b) -> a * b);
        Storage out = Storage.allocate(Arena.ofAuto(), DType.F32, size);
        from.read(name, out);
        return out.toFloats();
    }
}
