package org.spin4j.bench;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Finds data beside the checkout: the folder {@code shared} next to it, or the one that {@code -Dspin4j.shared} names. */
final class SharedFolder {
    private SharedFolder() {}

    /** The path of a shared file or folder, if it is there. */
    static Optional<Path> find(String relative) {
        String named = System.getProperty("spin4j.shared");
        if (named != null) {
            return Optional.of(Path.of(named).resolve(relative)).filter(Files::exists);
        }
        for (Path dir = Path.of("").toAbsolutePath(); dir != null; dir = dir.getParent()) {
            Path candidate = dir.resolve("shared").resolve(relative);
            if (Files.exists(candidate)) {
                return Optional.of(candidate);
            }
        }
        return Optional.empty();
    }
}
