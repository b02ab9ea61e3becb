package org.spin4j.training.cli;

import java.nio.file.Path;
import java.util.Optional;
import org.spin4j.engine.Decoder;
import org.spin4j.kernels.DType;
import picocli.CommandLine.Option;

/** The option that says how a model that is not trained stores its matrices. */
final class Weights {
    /** Types by the names that the option has for them. */
    private enum Type {
        auto(null), f32(DType.F32), bf16(DType.BF16), f16(DType.F16), q8_0(DType.Q8_0);

        private final DType matrices;

        Type(DType matrices) {
            this.matrices = matrices;
        }
    }

    @Option(names = "--dtype", paramLabel = "TYPE", defaultValue = "auto", description = "Type of weights: ${COMPLETION-CANDIDATES}; auto keeps the file's type (default: ${DEFAULT-VALUE}).")
    private Type type;

    /** The type that was named; empty for each file's own. */
    Optional<DType> matrices() {
        return Optional.ofNullable(type.matrices);
    }

    /** What was asked for. */
    String name() {
        return type.name();
    }

    /** Opens a model for generation or scoring. */
    Decoder load(Path model) {
        return Decoder.loadFrozen(model, type.matrices);
    }
}
