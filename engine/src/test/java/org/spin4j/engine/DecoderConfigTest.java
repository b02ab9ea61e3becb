package org.spin4j.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.spin4j.engine.DecoderConfig.Family;

class DecoderConfigTest {
    private static final String LLAMA = """
            {"model_type":"llama","vocab_size":256,"hidden_size":48,"intermediate_size":96,"num_hidden_layers":2,
             "num_attention_heads":4,"num_key_value_heads":2,"max_position_embeddings":128}""";
    private static final String NEO = """
            {"model_type":"gpt_neo","vocab_size":256,"hidden_size":48,"num_layers":3,"num_heads":4,"window_size":6,
             "attention_types":[[["global","local"],1],[["local"],1]]}""";

    @TempDir
    Path dir;

    @ParameterizedTest
    @ValueSource(strings = {"llama", "llama-bf16", "llama-bias", "llama-gqa-tied", "llama-sharded", "llama3-rope",
            "mistral", "qwen2", "qwen3", "smollm3", "gemma2", "gemma3"})
    void bothSpellingsMeanTheSame(String model) {
        DecoderConfig now = DecoderConfig.read(SharedData.require("golden/models/" + model + "/config.json"));
        DecoderConfig legacy = DecoderConfig.read(SharedData.require("golden/models/" + model + "/config_legacy.json"));
        assertThat(legacy).usingRecursiveComparison().ignoringFields("json").isEqualTo(now);
        assertThat(legacy.sameModel(now)).isTrue();
    }

    @Test
    void llamaWithEveryExtra() {
        DecoderConfig c = DecoderConfig.read(SharedData.require("golden/models/llama-bias/config.json"));
        assertThat(c.family()).isEqualTo(Family.LLAMA);
        assertThat(c.headDim()).isEqualTo(8);
        assertThat(c.kvHeads()).isEqualTo(2);
        assertThat(c.qkvBias()).isTrue();
        assertThat(c.outBias()).isTrue();
        assertThat(c.mlpBias()).isTrue();
        assertThat(c.ropes()).containsOnly(new RopeScaling.Linear(10000, 4));
        assertThat(c.windows()).containsExactly(0, 0);
        assertThat(c.eosTokenIds()).containsExactly(2);
        assertThat(c.bosTokenId()).hasValue(1);
        assertThat(c.padTokenId()).hasValue(0);
        DecoderConfig rope = DecoderConfig.read(SharedData.require("golden/models/llama3-rope/config_legacy.json"));
        assertThat(rope.ropes()).containsOnly(new RopeScaling.Llama3(10000, 8, 1, 4, 32));
        assertThat(rope.tiedHead()).isTrue();
    }

    @Test
    void windowsPerLayer() {
        assertThat(DecoderConfig.read(SharedData.require("golden/models/mistral/config.json")).windows())
                .containsExactly(8, 8, 8);
        DecoderConfig neo = DecoderConfig.read(SharedData.require("golden/models/gpt_neo/config.json"));
        assertThat(neo.family()).isEqualTo(Family.GPT_NEO);
        assertThat(neo.windows()).containsExactly(0, 6, 6);
        assertThat(neo.intermediateSize()).isEqualTo(144);
        assertThat(neo.tiedHead()).isTrue();
        assertThat(neo.ropes()).containsOnly(new RopeScaling.None());
    }

    @Test
    void absentKeysTakeTheDefaultsOfTransformers() {
        DecoderConfig llama = parse(LLAMA);
        assertThat(llama.headDim()).isEqualTo(12);
        assertThat(llama.normEps()).isEqualTo(1e-6);
        assertThat(llama.ropes()).containsOnly(new RopeScaling.Plain(10000));
        assertThat(llama.tiedHead()).isFalse();
        assertThat(llama.eosTokenIds()).containsExactly(2);
        assertThat(llama.bosTokenId()).hasValue(1);
        assertThat(llama.padTokenId()).isEmpty();
        DecoderConfig neo = parse(NEO);
        assertThat(neo.intermediateSize()).isEqualTo(4 * 48);
        assertThat(neo.tiedHead()).isTrue();
        assertThat(neo.eosTokenIds()).as("50256 is no token of 256").isEmpty();
        DecoderConfig mistral = parse(LLAMA.replace("llama", "mistral"));
        assertThat(mistral.windows()).containsExactly(4096, 4096);
        assertThat(parse(LLAMA.replace("llama\"", "mistral\",\"sliding_window\":null")).windows()).containsExactly(0,
                0);
    }

    @Test
    void tokenIdsInAllTheirSpellings() {
        DecoderConfig c = parse(with(LLAMA, "\"eos_token_id\":[5,6,5],\"bos_token_id\":null,\"pad_token_id\":-1"));
        assertThat(c.eosTokenIds()).containsExactly(5, 6);
        assertThat(c.bosTokenId()).isEmpty();
        assertThat(c.padTokenId()).isEmpty();
        assertThat(parse(with(LLAMA, "\"eos_token_id\":null")).eosTokenIds()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            "model_type":"gpt_bigcode"                                   | 'model_type', found "gpt_bigcode"
            "hidden_act":"gelu"                                          | 'hidden_act', found "gelu"
            "quantization_config":{"bits":4}                             | 'quantization_config', found {"bits":4}
            "rope_scaling":{"type":"yarn","factor":2}                    | 'type', found "yarn" in 'rope_scaling'
            "rope_parameters":{"rope_type":"dynamic"}                    | 'rope_type', found "dynamic" in 'rope_parameters'
            "rope_parameters":{"full_attention":{"rope_theta":1}}        | one set of parameters
            "rope_parameters":{"partial_rotary_factor":0.5}              | 'partial_rotary_factor', found 0.5
            "rope_scaling":{"type":"linear"}                             | the key 'factor'
            "rope_scaling":{"type":"linear","factor":0}                  | 'factor', found 0
            "rope_scaling":[1]                                           | an object
            "rope_scaling":{"type":"llama3","factor":8,"low_freq_factor":4,"high_freq_factor":4} | 'high_freq_factor', found 4
            "rope_theta":-1                                              | 'rope_theta', found -1
            "rope_theta":1e400                                           | 'rope_theta'
            "rope_interleaved":true                                      | 'rope_interleaved'
            "sliding_window":8                                           | 'sliding_window', found 8
            "layer_types":["full_attention","sliding_attention"]         | 'layer_types'
            "is_encoder_decoder":true                                    | 'is_encoder_decoder'
            "vocab_size":0                                               | 'vocab_size', found 0
            "vocab_size":"256"                                           | 'vocab_size', found "256"
            "vocab_size":2147483648                                      | 'vocab_size', found 2147483648
            "vocab_size":2000000000                                      | vocab_size x hidden_size below 2^31
            "num_key_value_heads":3                                      | a divisor of the 4 attention heads
            "num_attention_heads":5,"num_key_value_heads":5              | a divisor of hidden_size 48
            "head_dim":7                                                 | an even number
            "num_hidden_layers":1000000000                               | at most 4096
            "tie_word_embeddings":"yes"                                  | 'tie_word_embeddings', found "yes"
            "eos_token_id":256                                           | below 256
            "eos_token_id":[1,"2"]                                       | token ids
            "bos_token_id":300                                           | below vocab_size 256
            "max_position_embeddings":2147483647                         | max_position_embeddings x head_dim
            """)
    void whatIsNotSupportedIsNamed(String keys, String told) throws IOException {
        ObjectNode json = (ObjectNode) CheckpointJson.Mapping.MAPPER.readTree(LLAMA);
        json.setAll((ObjectNode) CheckpointJson.Mapping.MAPPER.readTree("{" + keys + "}"));
        assertThatThrownBy(() -> parse(json.toString())).isInstanceOf(CheckpointException.class)
                .hasMessageContaining(told)
                .hasMessageContaining("config.json");
    }

    @Test
    void qwen() {
        DecoderConfig two = parse(LLAMA.replace("llama", "qwen2"));
        assertThat(two.qkvBias()).isTrue();
        assertThat(two.outBias()).isFalse();
        assertThat(two.headDim()).isEqualTo(12);
        assertThat(two.eosTokenIds()).isEmpty();
        assertThat(two.windows()).containsExactly(0, 0);
        DecoderConfig three = parse(LLAMA.replace("llama", "qwen3"));
        assertThat(three.qkvBias()).isFalse();
        assertThat(three.headNorms()).isTrue();
        assertThat(three.headDim()).isEqualTo(128);
        String window = "\"use_sliding_window\":true,\"sliding_window\":16,\"max_window_layers\":1";
        assertThat(parse(with(LLAMA.replace("llama", "qwen2"), window)).windows()).containsExactly(0, 16);
    }

    @Test
    void smolLm3TurnsNoPositionsInSomeLayers() {
        String config = LLAMA.replace("llama", "smollm3").replace("\"num_hidden_layers\":2",
                "\"num_hidden_layers\":5");
        RopeScaling plain = new RopeScaling.Plain(2_000_000);
        RopeScaling none = new RopeScaling.None();
        assertThat(parse(config).ropes()).containsExactly(plain, plain, plain, none, plain);
        assertThat(parse(with(config, "\"no_rope_layers\":[0,1,1,1,0,1]")).ropes()).containsExactly(none, plain,
                plain, plain, none);
        for (String bad : List.of("[1,1]", "[1,1,1,1,\"x\"]", "7")) {
            assertThatThrownBy(() -> parse(with(config, "\"no_rope_layers\":" + bad))).as(bad)
                    .isInstanceOf(CheckpointException.class).hasMessageContaining("no_rope_layers");
        }
    }

    @Test
    void gemma() {
        DecoderConfig two = parse(LLAMA.replace("llama", "gemma2"));
        assertThat(two.family()).isEqualTo(Family.GEMMA);
        assertThat(two.headDim()).isEqualTo(256);
        assertThat(two.attentionScale()).isEqualTo(1 / 16.0);
        assertThat(two.scoreSoftcap()).isEqualTo(50);
        assertThat(two.logitSoftcap()).isEqualTo(30);
        assertThat(two.tiedHead()).isTrue();
        assertThat(two.windows()).containsExactly(4096, 0);
        DecoderConfig plain = parse(with(LLAMA.replace("llama", "gemma2"),
                "\"attn_logit_softcapping\":null,\"final_logit_softcapping\":null"));
        assertThat(plain.scoreSoftcap()).isZero();
        assertThat(plain.logitSoftcap()).isZero();
        DecoderConfig three = parse(with(LLAMA.replace("llama", "gemma3_text"),
                "\"sliding_window\":16,\"sliding_window_pattern\":2,\"rope_scaling\":"
                        + "{\"rope_type\":\"linear\",\"factor\":8}"));
        assertThat(three.windows()).containsExactly(16, 0);
        assertThat(three.ropes()).containsExactly(new RopeScaling.Plain(10000), new RopeScaling.Linear(1e6, 8));
        assertThat(three.headNorms()).isTrue();
        assertThat(three.logitSoftcap()).isZero();
    }

    @Test
    void gpt2() {
        String config = "{\"model_type\":\"gpt2\",\"vocab_size\":300,\"n_embd\":48,\"n_layer\":2,\"n_head\":4"
                + ",\"n_positions\":64}";
        DecoderConfig c = parse(config);
        assertThat(c.family()).isEqualTo(Family.GPT2);
        assertThat(c.intermediateSize()).isEqualTo(192);
        assertThat(c.attentionScale()).isEqualTo(1 / Math.sqrt(12));
        assertThat(c.tiedHead()).isTrue();
        assertThat(parse(with(config, "\"scale_attn_weights\":false")).attentionScale()).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            qwen2       | "layer_types":["full_attention","sliding_attention"]    | 'layer_types'
            qwen3       | "layer_types":["full_attention","chunked_attention"]    | 'layer_types'
            qwen2       | "layer_types":["full_attention"]                        | 'layer_types'
            qwen2       | "rope_scaling":{"type":"yarn","factor":4}               | 'type', found "yarn"
            qwen2       | "rope_scaling":{"type":"mrope","mrope_section":[2,2,2]} | 'type', found "mrope"
            llama       | "rope_scaling":{"rope_type":"dynamic","factor":4}       | 'rope_type', found "dynamic"
            llama       | "rope_scaling":{"rope_type":"longrope","factor":4}      | 'rope_type', found "longrope"
            gemma2      | "hidden_activation":"gelu"                              | 'hidden_activation'
            gemma2      | "use_bidirectional_attention":true                      | 'use_bidirectional_attention'
            gemma3_text | "attn_logit_softcapping":50                             | 'attn_logit_softcapping'
            gemma3_text | "rope_parameters":{"full_attention":7}                  | 'full_attention'
            gemma2      | "final_logit_softcapping":-1                            | 'final_logit_softcapping'
            gemma3      | "hidden_size":48                                        | 'model_type', found "gemma3"
            """)
    void whatAFamilyLacksIsNamed(String type, String keys, String told) throws IOException {
        ObjectNode json = (ObjectNode) CheckpointJson.Mapping.MAPPER.readTree(LLAMA);
        json.put("model_type", type);
        json.setAll((ObjectNode) CheckpointJson.Mapping.MAPPER.readTree("{" + keys + "}"));
        assertThatThrownBy(() -> parse(json.toString())).isInstanceOf(CheckpointException.class)
                .hasMessageContaining(told);
    }

    @Test
    void gptNeoAttentionTypesMustFitTheLayers() {
        String types = "[[[\"global\",\"local\"],1],[[\"local\"],1]]";
        for (String bad : List.of("[[[\"global\"],2147483647]]", "[[[],2147483647]]", "[[[\"global\"],-3]]",
                "[[[\"near\"],3]]", "[]",
                "7", "[[\"global\",3]]", "[[[\"global\"],2]]")) {
            assertThatThrownBy(() -> parse(NEO.replace(types, bad))).as(bad).isInstanceOf(CheckpointException.class)
                    .hasMessageContaining("attention_types");
        }
        String layers = "\"attention_layers\":[\"local\",\"global\",\"global\"]";
        assertThat(parse(NEO.replace("\"attention_types\":" + types, layers)).windows()).containsExactly(6, 0, 0);
    }

    @Test
    void newModelIsReadBackFromItsFile() throws IOException {
        DecoderConfig c = DecoderConfig.llama(300, 64, 3, 4, 2, 160, 256, true).withTokens(OptionalInt.of(1),
                List.of(2, 7),
                OptionalInt.of(0));
        Files.writeString(dir.resolve("config.json"), c.toJson().toString());
        DecoderConfig read = DecoderConfig.read(dir.resolve("config.json"));
        assertThat(read).isEqualTo(c);
        assertThat(read.headDim()).isEqualTo(16);
        assertThat(read.eosTokenIds()).containsExactly(2, 7);
        assertThat(read.windows()).isEqualTo(Collections.nCopies(3, 0));
        assertThatThrownBy(() -> DecoderConfig.llama(300, 64, 3, 0, 2, 160, 256, true))
                .isInstanceOf(CheckpointException.class);
        assertThatThrownBy(() -> DecoderConfig.llama(300, 64, 3, 6, 4, 160, 256, true))
                .isInstanceOf(CheckpointException.class);
    }

    @Test
    void allKeysOfAFileAreKept() throws IOException {
        for (String model : List.of("llama", "mistral", "gpt_neo")) {
            Path file = SharedData.require("golden/models/" + model + "/config.json");
            assertThat(DecoderConfig.read(file).toJson())
                    .isEqualTo(CheckpointJson.Mapping.MAPPER.readTree(file.toFile()));
        }
        DecoderConfig c = parse(LLAMA);
        c.json().put("vocab_size", 1);
        assertThat(c.toJson().get("vocab_size").intValue()).as("callers get copies").isEqualTo(256);
    }

    private DecoderConfig parse(String json) {
        Path file = dir.resolve("config.json");
        try {
            Files.writeString(file, json);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return DecoderConfig.read(file);
    }

    private static String with(String json, String keys) {
        return json.replaceFirst("}\\s*$", "," + keys + "}");
    }
}
