package org.spin4j.engine;

import java.nio.file.Path;
import org.spin4j.kernels.DType;

/** The two small random models of the test resources. */
final class TinyModels {
    private TinyModels() {}

    static Path folder(DecoderConfig.Family family) {
        String name = family == DecoderConfig.Family.LLAMA ? "llama" : "gpt_neo";
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
