package org.spin4j.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.spin4j.engine.SafeTensors.NamedStorage;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Forest;
import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.Storage;

/** Adapters that PEFT 0.21 wrote for two of our models: Llama, and GPT-2 with rank-stabilised scale and [in, out] weights. */
class LoraAdapterTest {
    private static final Kernels KERNELS = TestKernels.DEFAULT;

    @TempDir
    private Path dir;

    private static Path adapter(DecoderConfig.Family family) {
        String name = family == DecoderConfig.Family.LLAMA ? "llama" : "gpt2";
        try {
            return Path.of(LoraAdapterTest.class.getResource("/lora/" + name + "/golden.json").toURI()).getParent();
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"LLAMA", "GPT2"})
    void logitsAreThoseOfPeft(DecoderConfig.Family family) {
        JsonNode golden = Golden.read(adapter(family).resolve("golden.json"));
        int[] ids = Golden.ints(golden.get("input_ids"));
        try (Decoder model = TinyModels.of(family, DType.F32)) {
            LoraAdapter.merge(adapter(family), model, KERNELS);
            float[] logits = logits(model, ids);
            for (int i = 0; i < logits.length; i++) {
                double want = golden.get("logits").get(i / model.config().vocabSize())
                        .get(i % model.config().vocabSize()).asDouble();
                // PEFT itself is 5e-6 away from its own merged model.
                assertThat((double) logits[i]).isCloseTo(want, within(2e-5));
            }
            model.save(dir.resolve("merged"), "F32", null);
            try (Decoder again = Decoder.load(dir.resolve("merged"))) {
                assertThat(logits(again, ids)).isEqualTo(logits);
            }
        }
    }

    private static float[] logits(Decoder model, int[] ids) {
        try (Workspace w = new Workspace(DType.F32)) {
            Tape tape = Tape.inference(KERNELS, w);
            return model.head().logits(tape, model.forward(tape, ids, Forest.ofSequences(ids.length))).data()
                    .toFloats();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"LLAMA", "GPT2"})
    void addsScaleTimesBTimesA(DecoderConfig.Family family) {
        boolean gpt2 = family == DecoderConfig.Family.GPT2;
        String module = gpt2 ? "transformer.h.1.mlp.c_proj" : "model.layers.1.mlp.down_proj";
        double scale = gpt2 ? 5 / Math.sqrt(3) : 6.0 / 4;
        try (Decoder model = TinyModels.of(family, DType.F32);
                Decoder before = model.copy();
                SafeTensors file = SafeTensors.open(adapter(family).resolve("adapter_model.safetensors"))) {
            LoraAdapter.merge(adapter(family), model, KERNELS);
            Storage w = model.parameters().data(module + ".weight");
            Storage was = before.parameters().data(module + ".weight");
            Storage a = read(file, module + ".lora_A.weight");
            Storage b = read(file, module + ".lora_B.weight");
            int rank = gpt2 ? 3 : 4;
            int in = (int) a.size() / rank;
            int out = (int) b.size() / rank;
            for (int o = 0; o < out; o++) {
                for (int i = 0; i < in; i++) {
                    double sum = 0;
                    for (int r = 0; r < rank; r++) {
                        sum += b.get((long) o * rank + r) * a.get((long) r * in + i);
                    }
                    long at = gpt2 ? (long) i * out + o : (long) o * in + i;
                    assertThat(w.get(at)).isCloseTo(was.get(at) + scale * sum, within(1e-6));
                }
            }
        }
    }

    private static Storage read(SafeTensors file, String name) {
        Storage s = Storage.of(DType.F32,
                new double[(int) file.entries().get("base_model.model." + name).elements()]);
        file.read("base_model.model." + name, s);
        return s;
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            "use_dora":true                          | null or false, all that is supported, as 'use_dora', found true
            "bias":"all"                             | 'none', the only one supported, as 'bias'
            "rank_pattern":{"q_proj":8}              | as 'rank_pattern'
            "alpha_pattern":{"q_proj":8}             | as 'alpha_pattern'
            "modules_to_save":["lm_head"]            | as 'modules_to_save'
            "layer_replication":[[0,1]]              | as 'layer_replication'
            "lora_bias":true                         | as 'lora_bias'
            "a_later_idea":0.5                       | as 'a_later_idea', found 0.5
            "init_lora_weights":"pissa"              | as 'init_lora_weights', found "pissa"
            "peft_type":"IA3"                        | 'LORA', the only one supported, as 'peft_type'
            "r":0                                    | as 'r', found 0
            "r":3                                    | expected shape [3, 24]
            "lora_alpha":"x"                         | as 'lora_alpha'
            "target_modules":[]                      | names of modules
            "target_modules":["q_proj"]              | of target_modules alone, found one of model.layers.0.mlp.down_proj
            "target_modules":["q_proj","v_proj","down_proj","k_proj"] | found none of k_proj
            """)
    void whatIsNotSupportedIsNamed(String keys, String told) throws IOException {
        Path copy = copy(DecoderConfig.Family.LLAMA);
        ObjectNode json = (ObjectNode) Golden.read(copy.resolve("adapter_config.json"));
        json.setAll((ObjectNode) CheckpointJson.Mapping.MAPPER.readTree("{" + keys + "}"));
        Files.writeString(copy.resolve("adapter_config.json"), json.toString());
        refused(copy, told);
    }

    @Test
    void tensorsMustBeWholeAndOfThisModel() throws IOException {
        Path copy = copy(DecoderConfig.Family.LLAMA);
        change(copy, t -> t.name().endsWith("1.mlp.down_proj.lora_B.weight") ? null : t);
        refused(copy, "lora_B.weight, found none");
        change(copy(DecoderConfig.Family.LLAMA), t -> new NamedStorage(t.name().replace("lora_A", "lora_embedding_A"),
                t.shape(), t.data()));
        refused(copy, "lora_embedding_A");
        change(copy(DecoderConfig.Family.LLAMA), t -> new NamedStorage(t.name().replace("layers.1", "layers.7"),
                t.shape(), t.data()));
        refused(copy, "layers.7");
        change(copy(DecoderConfig.Family.LLAMA), t -> new NamedStorage(
                t.name().replace("mlp.down_proj", "input_layernorm"), t.shape(), t.data()));
        refused(copy, "of this model's matrices");
        change(copy(DecoderConfig.Family.LLAMA), t -> null);
        refused(copy, "found none");
        refused(adapter(DecoderConfig.Family.GPT2), "was the adapter trained on this model?");
        refused(dir.resolve("absent"), "found none at");
    }

    @Test
    void aFrozenModelKeepsItsWeights() {
        try (Decoder model = Decoder.loadFrozen(TinyModels.folder(DecoderConfig.Family.LLAMA))) {
            assertThatThrownBy(() -> LoraAdapter.merge(adapter(DecoderConfig.Family.LLAMA), model, KERNELS))
                    .isInstanceOf(IllegalStateException.class).hasMessageContaining("frozen");
        }
    }

    private static void refused(Path adapter, String told) {
        try (Decoder model = TinyModels.of(DecoderConfig.Family.LLAMA, DType.F32); Decoder before = model.copy()) {
            assertThatThrownBy(() -> LoraAdapter.merge(adapter, model, KERNELS))
                    .isInstanceOf(CheckpointException.class).hasMessageContaining(told)
                    .hasMessageContaining(adapter.toString());
            assertThat(model.parameters().data().toFloats()).isEqualTo(before.parameters().data().toFloats());
        }
    }

    private Path copy(DecoderConfig.Family family) throws IOException {
        Path copy = Files.createDirectories(dir.resolve("adapter"));
        for (String name : List.of("adapter_config.json", "adapter_model.safetensors")) {
            Files.write(copy.resolve(name), Files.readAllBytes(adapter(family).resolve(name)));
        }
        return copy;
    }

    private static void change(Path adapter, UnaryOperator<NamedStorage> change) {
        Path path = adapter.resolve("adapter_model.safetensors");
        List<NamedStorage> tensors = new ArrayList<>();
        try (SafeTensors file = SafeTensors.open(path)) {
            file.entries().values().forEach(e -> {
                Storage s = Storage.of(DType.F32, new double[(int) e.elements()]);
                file.read(e.name(), s);
                NamedStorage changed = change.apply(new NamedStorage(e.name(), e.shape(), s));
                if (changed != null) {
                    tensors.add(changed);
                }
            });
        }
        SafeTensors.write(path, Map.of(), "F32", tensors);
    }
}
