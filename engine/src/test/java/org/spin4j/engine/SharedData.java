package org.spin4j.engine;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/** Real models and reference numbers kept beside a checkout, in a folder {@code shared}; tests skip where it is absent. */
final class SharedData {
    private SharedData() {}

    static Path require(String relative) {
        Path found = find(relative);
        assumeTrue(found != null, "skipped: no shared/" + relative + " beside the checkout");
        return found;
    }

    private static Path find(String relative) {
        String configured = System.getProperty("spin4j.shared");
        if (configured != null) {
            Path p = Path.of(configured, relative);
            return Files.exists(p) ? p : null;
        }
        for (Path dir = Path.of("").toAbsolutePath(); dir != null; dir = dir.getParent()) {
            Path p = dir.resolve("shared").resolve(relative);
            if (Files.exists(p)) {
                return p;
            }
        }
        return null;
    }
}
