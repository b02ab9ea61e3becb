package org.spin4j.training.cli;

import java.util.Optional;
import picocli.CommandLine.Option;

/** The option that names a chat template. */
final class TemplateOption {
    @Option(names = "--chat-template", paramLabel = "NAME|FILE", description = "alpaca, chatml, llama2, llama3, zephyr or a file of Jinja (default: the tokenizer's).")
    private String template;

    /** What was named, if anything. */
    Optional<String> chosen() {
        return Optional.ofNullable(template);
    }
}
