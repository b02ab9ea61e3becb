package org.spin4j.engine;

import java.nio.file.Path;
import org.spin4j.kernels.DType;

/** Small random models of the test resources, one of each family. */
final class TinyModels {
    private TinyModels() {}

    static Path folder(DecoderConfig.Family family) {
        String name = switch (family) {
            case LLAMA -> "llama";
            case GEMMA -> "gemma2";
            case GPT2 -> "gpt2";
            case GPT_NEO -> "gpt_neo";
        };
        try {
            return Path.of(TinyModels.class.getResource("/golden/" + name + "/config.json").toURI()).getParent();
        } catch (java.net.URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    static Decoder of(DecoderConfig.Family family, DType type) {
        return Decoder.load(folder(family), type);
    }
}
