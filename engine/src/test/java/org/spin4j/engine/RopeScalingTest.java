package org.spin4j.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RopeScalingTest {
    /** Bit for bit what transformers computed (the golden file prints floats with nine digits). */
    @ParameterizedTest
    @ValueSource(strings = {"llama", "llama-bf16", "llama-bias", "llama-gqa-tied", "llama-sharded", "llama3-rope",
            "mistral"})
    void inverseFrequenciesAreThoseOfTransformers(String model) throws IOException {
        DecoderConfig config = DecoderConfig.read(SharedData.require("golden/models/" + model + "/config.json"));
        JsonNode golden = CheckpointJson.Mapping.MAPPER
                .readTree(SharedData.require("golden/models/" + model + "/golden.json").toFile())
                .at("/rope_inv_freq/inv_freq");
        double[] found = config.ropes().getFirst().inverseFrequencies(config.headDim());
        assertThat(found).hasSize(golden.size());
        for (int i = 0; i < found.length; i++) {
            assertThat(found[i]).isEqualTo((float) golden.get(i).doubleValue());
        }
    }

    @Test
    void llama3KeepsFastWavesAndDividesSlowOnes() {
        double[] plain = new RopeScaling.Plain(500000).inverseFrequencies(128);
        double[] scaled = new RopeScaling.Llama3(500000, 8, 1, 4, 8192).inverseFrequencies(128);
        assertThat(scaled[0]).isEqualTo(plain[0]);
        assertThat(scaled[63]).isEqualTo(plain[63] / 8);
        for (int i = 0; i < 64; i++) {
            assertThat(scaled[i]).isBetween(plain[i] / 8, plain[i]);
        }
        // The bounds of the two kinds of wave, in pairs: 8192/4 and 8192/1 positions per turn.
        assertThat(scaled[28]).isEqualTo(plain[28]);
        assertThat(scaled[29]).isLessThan(plain[29]).isGreaterThan(plain[29] / 8);
        assertThat(scaled[35]).isEqualTo(plain[35] / 8);
    }

    @Test
    void noRotationHasNoFrequencies() {
        assertThat(new RopeScaling.None().inverseFrequencies(16)).isEmpty();
    }
}
