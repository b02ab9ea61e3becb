package org.spin4j.training.hub;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.spin4j.training.BadInputException;

/**
 * Where the hub is and who asks, by the environment variables of Hugging Face's own client
 * (https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables).
 *
 * @param endpoint {@code HF_ENDPOINT}, without a slash at its end
 * @param cache    {@code HF_HUB_CACHE}, or {@code hub} in {@code HF_HOME}
 * @param token    {@code HF_TOKEN}, or what the file {@code HF_TOKEN_PATH} ({@code HF_HOME/token}) holds; never printed
 * @param offline  {@code HF_HUB_OFFLINE}: the cache only
 */
record HubSettings(URI endpoint, Path cache, Optional<String> token, boolean offline) {
    private static final int MAX_TOKEN_BYTES = 4096;
    private static final Set<String> YES = Set.of("1", "ON", "YES", "TRUE");

    /**
     * The settings of an environment.
     *
     * @param home the user's home folder
     */
    static HubSettings of(Map<String, String> environment, Path home) {
        Path hfHome = path(environment, "HF_HOME", home)
                .orElseGet(() -> path(environment, "XDG_CACHE_HOME", home).orElse(home.resolve(".cache"))
                        .resolve("huggingface"));
        Path cache = path(environment, "HF_HUB_CACHE", home).orElseGet(() -> hfHome.resolve("hub"));
        Path tokenFile = path(environment, "HF_TOKEN_PATH", home).orElseGet(() -> hfHome.resolve("token"));
        Optional<String> token = value(environment, "HF_TOKEN").or(() -> read(tokenFile))
                .map(HubSettings::checkedToken);
        boolean offline = value(environment, "HF_HUB_OFFLINE").map(v -> YES.contains(v.toUpperCase(Locale.ROOT)))
                .orElse(false);
        return new HubSettings(endpoint(value(environment, "HF_ENDPOINT").orElse("https://huggingface.co")), cache,
                token, offline);
    }

    /** Tells nothing about the token but whether there is one. */
    @Override
    public String toString() {
        return "HubSettings[" + endpoint + ", " + cache + (token.isPresent() ? ", with a token" : "")
                + (offline ? ", offline]" : "]");
    }

    private static Optional<String> value(Map<String, String> environment, String name) {
        return Optional.ofNullable(environment.get(name)).map(String::strip).filter(v -> !v.isEmpty());
    }

    private static Optional<Path> path(Map<String, String> environment, String name, Path home) {
        return value(environment, name)
                .map(v -> v.equals("~") || v.startsWith("~/")
                        ? home.resolve(v.substring(Math.min(2, v.length())))
                        : Path.of(v));
    }

    private static URI endpoint(String text) {
        String bare = text.replaceFirst("/+$", "");
        if (!bare.matches("https?://[A-Za-z0-9._:\\[\\]-]+(/[A-Za-z0-9._/-]*)?")) {
            throw BadInputException.of("expected an address like https://huggingface.co in HF_ENDPOINT, found '%s'",
                    BadInputException.excerpt(text));
        }
        return URI.create(bare);
    }

    private static Optional<String> read(Path file) {
        if (!Files.isRegularFile(file)) {
            return Optional.empty();
        }
        try {
            if (Files.size(file) > MAX_TOKEN_BYTES) {
                throw BadInputException.of("expected a token of at most %d bytes in %s, found more", MAX_TOKEN_BYTES,
                        file);
            }
            return Optional.of(Files.readString(file).strip()).filter(t -> !t.isEmpty());
        } catch (IOException e) {
            throw new BadInputException(
                    "expected a token in " + file + ", found a file that cannot be read; log in again or set HF_TOKEN",
                    e);
        }
    }

    /** A header of a request takes no other characters; a token is not repeated in a message. */
    private static String checkedToken(String token) {
        if (!token.matches("[\\x21-\\x7e]+")) {
            throw new BadInputException("expected a token of letters and digits, found other characters in HF_TOKEN or"
                    + " the token's file; copy it again");
        }
        return token;
    }
}
