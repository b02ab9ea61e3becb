package org.spin4j.training;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/** Finds the folder {@code shared}: reference numbers and real data that are not part of this repository. */
public final class SharedData {
    private SharedData() {}

    /** The file with that path inside {@code shared}; without it the calling test is skipped, with the reason. */
    public static Path require(String relative) {
        Path root = root();
        Assumptions.assumeTrue(root != null, "no folder 'shared' beside the checkout (or -Dspin4j.shared=DIR)");
        Path file = root.resolve(relative);
        Assumptions.assumeTrue(Files.exists(file), "the folder 'shared' has no " + relative);
        return file;
    }

    private static Path root() {
        String property = System.getProperty("spin4j.shared");
        if (property != null) {
            return Path.of(property);
        }
        for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
            Path beside = at.resolveSibling("shared");
            if (Files.isDirectory(beside)) {
                return beside;
            }
        }
        return null;
    }
}
