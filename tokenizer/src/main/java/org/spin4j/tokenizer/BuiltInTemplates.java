package org.spin4j.tokenizer;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Templates of well-known chat formats, for models that bring none. */
final class BuiltInTemplates {
    static final List<String> NAMES = List.of("alpaca", "chatml", "llama2", "llama3", "zephyr");

    private BuiltInTemplates() {}

    static String source(String name) {
        if (!NAMES.contains(name)) {
            throw new TokenizerException("expected a built-in chat template, one of " + String.join(", ", NAMES)
                    + ", found " + name + "; correct the name");
        }
        try (InputStream in = BuiltInTemplates.class.getResourceAsStream("templates/" + name + ".jinja")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
