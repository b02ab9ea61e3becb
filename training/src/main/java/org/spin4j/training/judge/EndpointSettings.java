package org.spin4j.training.judge;

import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.spin4j.training.BadInputException;

/**
 * Where and how an {@link EndpointJudge} asks.
 *
 * @param base        address of an API in OpenAI's form, as {@code https://api.openai.com/v1} or {@code http://localhost:8000/v1}; chat
 *                    completions are asked at {@code base/chat/completions}
 * @param model       the model's name there
 * @param key         sent as bearer token; a server of one's own may want none
 * @param temperature of sampling
 * @param topP        of sampling
 * @param maxTokens   most tokens of a judgement
 * @param concurrency requests under way at once
 * @param timeout     for one answer, from the request to its last byte
 * @param tries       how often a request is made before it is given up: again after a pause where the server is busy, fails, or cannot be reached
 * @param pause       before the second try; twice as long before each further one, or as long as the server asks for, up to a minute
 */
public record EndpointSettings(URI base, String model, Optional<String> key, double temperature, double topP,
        int maxTokens,
        int concurrency, Duration timeout, int tries, Duration pause) {
    /** Checks the numbers. */
    public EndpointSettings {
        if (temperature < 0 || !(topP > 0 && topP <= 1) || maxTokens < 1 || concurrency < 1 || tries < 1
                || !timeout.isPositive() || pause.isNegative()) {
            throw new IllegalArgumentException(
                    "expected a temperature of at least 0, top_p in (0, 1], at least one token, request, try and "
                            + "some time for an endpoint, found " + temperature + ", " + topP + ", " + maxTokens + ", "
                            + concurrency
                            + ", " + tries + " and " + timeout);
        }
    }

    /**
     * An endpoint as it is named in a configuration, with temperature 0.7, top-p 0.9, 256 tokens, 4 requests at once, 2 minutes for an answer and
     * 5 tries from a second's pause on.
     *
     * @param address     as {@code base}
     * @param keyVariable name of the environment variable that holds the key; empty where none is wanted
     * @throws BadInputException if the address is none, or the variable is not set
     */
    public static EndpointSettings of(String address, String model, String keyVariable,
            Map<String, String> environment) {
        String bare = address.strip().replaceFirst("/+$", "");
        if (!bare.matches("https?://[A-Za-z0-9._:\\[\\]-]+(/[A-Za-z0-9._/-]*)?")) {
            throw BadInputException.of(
                    "expected the address of an API like http://localhost:8000/v1 for a judge, found '%s'; write it "
                            + "without name, key or question mark",
                    BadInputException.excerpt(address));
        }
        Optional<String> key = Optional.empty();
        if (!keyVariable.isEmpty()) {
            String value = environment.getOrDefault(keyVariable, "").strip();
            // A header takes no other characters; a key is not repeated in a message.
            if (!value.matches("[\\x21-\\x7e]+")) {
                throw BadInputException.of(
                        "expected a key in the environment variable %s, found %s; set it, or name no variable where "
                                + "the endpoint wants no key",
                        BadInputException.excerpt(keyVariable),
                        value.isEmpty() ? "none" : "other characters than a key has");
            }
            key = Optional.of(value);
        }
        return new EndpointSettings(URI.create(bare), model, key, 0.7, 0.9, 256, 4, Duration.ofMinutes(2), 5,
                Duration.ofSeconds(1));
    }

    /** Tells nothing about the key but whether there is one. */
    @Override
    public String toString() {
        return model + " at " + base + (key.isPresent() ? " with a key" : "");
    }
}
