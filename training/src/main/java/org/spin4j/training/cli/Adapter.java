package org.spin4j.training.cli;

import java.nio.file.Path;
import org.spin4j.engine.Decoder;
import org.spin4j.engine.LoraAdapter;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Kernels;
import org.spin4j.training.BadInputException;
import org.spin4j.training.Fingerprint;
import picocli.CommandLine.Option;

/** The option that adds an adapter to a model that is not trained. */
final class Adapter {
    @Option(names = "--adapter", paramLabel = "DIR", description = "LoRA adapter in PEFT's layout, added to the model's weights, which are then f32 in memory.")
    private Path folder;

    /** What results depend on; empty without an adapter. */
    String fingerprint() {
        return folder == null ? "" : Fingerprint.ofNamesAndTimes(folder);
    }

    /** Opens a model for generation or scoring, with its adapter. */
    Decoder load(Path model, Weights weights, Kernels kernels) {
        if (folder == null) {
            return weights.load(model);
        }
        if (weights.matrices().orElse(DType.F32) != DType.F32) {
            throw BadInputException.of("expected --dtype f32 with --adapter, found %s; leave --dtype out",
                    weights.matrices().get());
        }
        Decoder decoder = Decoder.load(model);
        try {
            LoraAdapter.merge(folder, decoder, kernels);
            return decoder;
        } catch (RuntimeException e) {
            decoder.close();
            throw e;
        }
    }
}
