package org.spin4j.tokenizer;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/** Finds the data beside the checkout: the folder {@code shared} next to it, or the one that {@code -Dspin4j.shared} names. */
final class SharedData {
    private SharedData() {}

    /** The path of a shared file; the test is skipped where it is absent. */
    static Path require(String relative) {
        String named = System.getProperty("spin4j.shared");
        Path found = named == null ? search(relative) : Path.of(named).resolve(relative);
        Assumptions.assumeTrue(found != null && Files.exists(found),
                () -> "skipped: shared/" + relative + " is not beside this checkout");
        return found;
    }

    private static Path search(String relative) {
        for (Path dir = Path.of(System.getProperty("user.dir")).toAbsolutePath(); dir != null; dir = dir.getParent()) {
            Path candidate = dir.resolve("shared").resolve(relative);
            if (Files.exists(candidate)) {
                return candidate;
            }
        }
        return null;
    }
}
