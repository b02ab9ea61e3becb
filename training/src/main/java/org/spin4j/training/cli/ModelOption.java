package org.spin4j.training.cli;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The option that names a model. */
final class ModelOption {
    @Option(names = "--model", required = true, paramLabel = "PATH", description = "A folder in Hugging Face layout, a .gguf file, a .bin file of llama2.c, or hf:OWNER/NAME[@REVISION].")
    private Path model;

    /** Where it lies. */
    Path path() {
        return model;
    }
}
