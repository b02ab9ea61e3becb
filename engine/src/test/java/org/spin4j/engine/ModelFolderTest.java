package org.spin4j.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.spin4j.engine.SafeTensors.NamedStorage;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Storage;

class ModelFolderTest {
    private static final DecoderConfig CONFIG = DecoderConfig.llama(16, 8, 1, 2, 1, 16, 32, true);
    private static final NamedStorage A = new NamedStorage("a", List.of(2L), Storage.of(DType.F32, 1, 2.25));
    private static final NamedStorage B = new NamedStorage("b", List.of(1L, 3L), Storage.of(DType.F32, 3, 4, 5));

    @TempDir
    Path temp;
    private Path dir;

    @BeforeEach
    void folder() throws IOException {
        dir = Files.createDirectory(temp.resolve("model"));
    }

    /** The shards, written again as one file, hold the same numbers; the index counts as many parameters. */
    @Test
    void shardsReadLikeOneFile() throws IOException {
        Path golden = SharedData.require("golden/models/llama-sharded");
        try (ModelFolder shards = ModelFolder.open(golden)) {
            List<NamedStorage> tensors = readAll(shards);
            long parameters = tensors.stream().mapToLong(t -> t.data().size()).sum();
            JsonNode index = CheckpointJson.Mapping.MAPPER
                    .readTree(golden.resolve("model.safetensors.index.json").toFile());
            assertThat(parameters).isEqualTo(index.at("/metadata/total_parameters").longValue());
            ModelFolder.write(dir, shards.config(), "F32", tensors, golden);
            try (ModelFolder single = ModelFolder.open(dir)) {
                assertThat(single.config()).isEqualTo(withTorchDtype(shards.config()));
                assertThat(single.names()).hasSameElementsAs(shards.names());
                for (NamedStorage t : readAll(single)) {
                    assertThat(t.shape()).isEqualTo(shards.shape(t.name()));
                    Storage from = Storage.allocate(Arena.ofAuto(), DType.F32, t.data().size());
                    shards.read(t.name(), from);
                    assertThat(t.data().toFloats()).isEqualTo(from.toFloats());
                }
            }
        }
        assertThat(dir.resolve("generation_config.json")).exists();
        assertThat(temp.toFile().list()).containsExactly("model");
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama", "llama-bf16", "llama-bias", "llama-gqa-tied", "llama3-rope", "mistral", "gpt_neo",
            "qwen2", "qwen3", "smollm3", "gemma2", "gemma3", "gpt2"})
    void goldenModelsOpen(String model) {
        try (ModelFolder folder = ModelFolder.open(SharedData.require("golden/models/" + model))) {
            DecoderConfig c = folder.config();
            String embedding = c.family().prefix()
                    + (c.family().prefix().equals("model.") ? "embed_tokens.weight" : "wte.weight");
            assertThat(folder.has(embedding)).isTrue();
            assertThat(folder.shape(embedding)).containsExactly((long) c.vocabSize(), (long) c.hiddenSize());
            assertThat(folder.type(embedding)).isEqualTo(model.endsWith("bf16") ? DType.BF16 : DType.F32);
            assertThat(folder.has("lm_head.weight")).isEqualTo(!c.tiedHead());
            assertThat(c.eosTokenIds()).containsExactly(2);
        }
    }

    /** GPT-2's own files leave out the prefix and carry masks as buffers. */
    @Test
    void namesMayLackThePrefix() throws IOException {
        Path golden = TinyModels.folder(DecoderConfig.Family.GPT2);
        Files.copy(golden.resolve("config.json"), dir.resolve("config.json"));
        try (Decoder model = Decoder.load(golden)) {
            List<NamedStorage> bare = new ArrayList<>();
            for (NamedStorage t : model.tensors()) {
                bare.add(new NamedStorage(t.name().substring("transformer.".length()), t.shape(), t.data()));
            }
            bare.add(new NamedStorage("h.0.attn.bias", List.of(1L, 1L, 2L, 2L), Storage.of(DType.F32, 1, 0, 1, 1)));
            bare.add(new NamedStorage("h.0.attn.masked_bias", List.of(1L), Storage.of(DType.F32, -10000)));
            SafeTensors.write(dir.resolve("model.safetensors"), Map.of(), "F32", bare);
            try (Decoder again = Decoder.load(dir)) {
                assertThat(again.parameters().data().toFloats()).isEqualTo(model.parameters().data().toFloats());
            }
            bare.add(new NamedStorage("h.0.attn.q_norm.weight", List.of(1L), Storage.of(DType.F32, 1)));
            SafeTensors.write(dir.resolve("model.safetensors"), Map.of(), "F32", bare);
            assertThatThrownBy(() -> Decoder.load(dir)).isInstanceOf(CheckpointException.class)
                    .hasMessageStartingWith("expected no tensor transformer.h.0.attn.q_norm.weight");
        }
    }

    @Test
    void generationConfigNamesTheEndTokens() throws IOException {
        ModelFolder.write(dir, CONFIG.withTokens(OptionalInt.of(1), List.of(2), OptionalInt.empty()), "F32", List.of(A),
                null);
        Path generation = dir.resolve("generation_config.json");
        Files.writeString(generation, "{\"eos_token_id\":[3,4]}");
        assertThat(eos()).containsExactly(3, 4);
        Files.writeString(generation, "{\"eos_token_id\":null}");
        assertThat(eos()).containsExactly(2);
        Files.writeString(generation, "{\"eos_token_id\":99}");
        assertRefused("eos_token_id");
    }

    @Test
    void writingKeepsTokenizerFilesAndSaysTheDtype() throws IOException {
        Path from = Files.createDirectory(temp.resolve("from"));
        Files.writeString(from.resolve("tokenizer.json"), "{}");
        Files.writeString(from.resolve("chat_template.jinja"), "{{ messages }}");
        Files.writeString(from.resolve("optimizer.bin"), "not for others");
        ModelFolder.write(dir, CONFIG, "BF16", List.of(B, A), from);
        assertThat(dir.toFile().list()).containsExactlyInAnyOrder("config.json", "model.safetensors", "tokenizer.json",
                "chat_template.jinja");
        try (ModelFolder folder = ModelFolder.open(dir)) {
            assertThat(folder.config().json().get("torch_dtype").textValue()).isEqualTo("bfloat16");
            assertThat(folder.type("a")).isEqualTo(DType.BF16);
            assertThat(readAll(folder).getFirst().data().toFloats()).containsExactly(1f, 2.25f);
        }
    }

    /** Cut as huggingface_hub cuts: greedily in the given order; what is too large for any file gets one of its own. */
    @Test
    void largeWeightsAreWrittenInShards() throws IOException {
        List<NamedStorage> tensors = new ArrayList<>();
        for (int size : new int[]{3, 2, 9, 1, 3, 1}) {
            double[] values = new double[size];
            values[0] = size + 0.5;
            tensors.add(new NamedStorage("t" + tensors.size(), List.of((long) size), Storage.of(DType.F32, values)));
        }
        ModelFolder.write(dir, CONFIG, "BF16", tensors, null, 10);
        JsonNode index = CheckpointJson.Mapping.MAPPER.readTree(dir.resolve("model.safetensors.index.json").toFile());
        assertThat(index.at("/metadata/total_size").longValue()).isEqualTo(2 * (3 + 2 + 9 + 1 + 3 + 1));
        List<Integer> shards = new ArrayList<>();
        index.get("weight_map").forEach(file -> shards.add(Integer.parseInt(file.textValue().substring(6, 11))));
        assertThat(shards).containsExactly(1, 1, 2, 3, 3, 3);
        assertThat(dir.toFile().list()).containsExactlyInAnyOrder("config.json", "model.safetensors.index.json",
                "model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors",
                "model-00003-of-00003.safetensors");
        try (ModelFolder folder = ModelFolder.open(dir)) {
            assertThat(readAll(folder)).hasSize(6).allSatisfy(
                    t -> assertThat(t.data().get(0)).isEqualTo(t.data().size() + 0.5));
        }
    }

    @Test
    void nothingIsOverwrittenAndLeftoversAreCleared() throws IOException {
        Files.createDirectory(temp.resolve("model.incomplete"));
        Files.writeString(temp.resolve("model.incomplete/model.safetensors"), "half");
        ModelFolder.write(dir, CONFIG, "F32", List.of(A), null);
        assertThat(temp.toFile().list()).containsExactly("model");
        assertThatThrownBy(() -> ModelFolder.write(dir, CONFIG, "F32", List.of(B), null))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("expected a new or empty folder");
        try (ModelFolder folder = ModelFolder.open(dir)) {
            assertThat(folder.names()).containsExactly("a");
        }
        ModelFolder.write(temp.resolve("deeper/still/m"), CONFIG, "F16", List.of(A), null);
        assertThat(temp.resolve("deeper/still/m/config.json")).exists();
    }

    @ParameterizedTest
    @ValueSource(strings = {"../out.safetensors", "/etc/passwd", "sub/s.safetensors", "..", "",
            "s\\\\u0000.safetensors",
            "..\\\\\\\\s.safetensors", "config.json"})
    void shardNamesCannotLeaveTheFolder(String name) throws IOException {
        config();
        SafeTensors.write(temp.resolve("out.safetensors"), Map.of(), "F32", List.of(A));
        index("{\"weight_map\":{\"a\":\"" + name.replace("\\\\", "\\") + "\"}}");
        assertRefused("plain name");
    }

    @Test
    void indexAndShardsMustAgree() throws IOException {
        config();
        SafeTensors.write(dir.resolve("s1.safetensors"), Map.of(), "F32", List.of(A, B));
        SafeTensors.write(dir.resolve("s2.safetensors"), Map.of(), "F32", List.of(B));
        index("{\"weight_map\":{\"a\":\"s1.safetensors\",\"b\":\"s2.safetensors\"}}");
        assertRefused("every tensor once");
        index("{\"weight_map\":{\"a\":\"s1.safetensors\"}}");
        assertRefused("every tensor once");
        index("{\"weight_map\":{\"a\":\"s2.safetensors\"}}");
        assertRefused("expected tensor a in s2.safetensors");
        index("{\"weight_map\":{\"a\":\"s3.safetensors\"}}");
        assertRefused("found none at");
        index("{\"weight_map\":[]}");
        assertRefused("weight_map");
        index("{\"weight_map\":{\"a\":1}}");
        assertRefused("plain name");
        index("{\"weight_map\":{\"a\":\"s1.safetensors\",\"b\":\"s1.safetensors\"}}");
        try (ModelFolder folder = ModelFolder.open(dir)) {
            assertThat(folder.names()).containsExactly("a", "b");
            assertThatThrownBy(() -> folder.shape("c")).isInstanceOf(CheckpointException.class)
                    .hasMessageContaining("expected tensor c");
        }
    }

    @Test
    void missingPartsAreNamed() throws IOException {
        assertRefused("config.json");
        config();
        assertRefused("expected model.safetensors or model.safetensors.index.json");
        assertThatThrownBy(() -> ModelFolder.open(temp.resolve("absent"))).isInstanceOf(CheckpointException.class)
                .hasMessageContaining("expected a model folder");
    }

    private void config() throws IOException {
        Files.writeString(dir.resolve("config.json"), CONFIG.toJson().toString());
    }

    private void index(String json) throws IOException {
        Files.write(dir.resolve("model.safetensors.index.json"), json.getBytes(StandardCharsets.UTF_8));
    }

    private List<Integer> eos() {
        try (ModelFolder folder = ModelFolder.open(dir)) {
            return folder.config().eosTokenIds();
        }
    }

    private void assertRefused(String told) {
        assertThatThrownBy(() -> ModelFolder.open(dir)).isInstanceOf(CheckpointException.class)
                .hasMessageContaining(told)
                .hasMessageContaining(dir.toString());
    }

    private static DecoderConfig withTorchDtype(DecoderConfig config) {
        return DecoderConfig.parse(config.toJson("F32"), "test");
    }

    private static List<NamedStorage> readAll(ModelFolder folder) {
        List<NamedStorage> out = new ArrayList<>();
        for (String name : folder.names()) {
            long elements = folder.shape(name).stream().mapToLong(Long::longValue).reduce(1, (x, y) -> x * y);
            Storage data = Storage.allocate(Arena.ofAuto(), DType.F32, elements);
            folder.read(name, data);
            out.add(new NamedStorage(name, folder.shape(name), data));
        }
        return out;
    }
}
