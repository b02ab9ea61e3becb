package org.spin4j.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * Typed, range-checked access to the keys of a configuration. An absent key takes the given default; {@code null} in the file
 * counts as absent unless a method says otherwise.
 *
 * @param json   the object
 * @param source what to call it in messages: a file name
 */
record ConfigKeys(ObjectNode json, String source) {
    /** The default of a token id that has none. */
    static final int NO_TOKEN = Integer.MAX_VALUE;
    private static final int MAX_IDS = 1024;
    private static final int MAX_LAYERS = 4096;

    boolean has(String key) {
        return json.hasNonNull(key);
    }

    /** A whole number of at least 1 that must be there. */
    int positive(String key) {
        if (!has(key)) {
            throw new CheckpointException("expected the key '" + key + "', found none in " + source);
        }
        return positive(key, 0);
    }

    /** A whole number of at least 1. */
    int positive(String key, int orElse) {
        JsonNode value = json.get(key);
        if (!has(key)) {
            return orElse;
        }
        if (!value.isIntegralNumber() || !value.canConvertToInt() || value.intValue() < 1) {
            throw refused(key, "a whole number from 1 to 2147483647");
        }
        return value.intValue();
    }

    /** A finite number above {@code above}. */
    double number(String key, double above, double orElse) {
        JsonNode value = json.get(key);
        if (!has(key)) {
            return orElse;
        }
        // The engine computes in 32 bits: what is infinite or zero there is no use.
        if (!value.isNumber() || !(value.doubleValue() > above) || Float.isInfinite(value.floatValue())
                || (above == 0 && value.floatValue() == 0)) {
            throw refused(key, "a number above " + above + " that 32 bits can hold");
        }
        return value.doubleValue();
    }

    /** A finite number above {@code above} that must be there. */
    double number(String key, double above) {
        if (!has(key)) {
            throw new CheckpointException("expected the key '" + key + "', found none in " + source);
        }
        return number(key, above, above);
    }

    boolean flag(String key, boolean orElse) {
        if (!has(key)) {
            return orElse;
        }
        if (!json.get(key).isBoolean()) {
            throw refused(key, "true or false");
        }
        return json.get(key).booleanValue();
    }

    String text(String key, String orElse) {
        if (!has(key)) {
            return orElse;
        }
        if (!json.get(key).isTextual()) {
            throw refused(key, "a text");
        }
        return json.get(key).textValue();
    }

    /** The object under {@code key}. */
    ConfigKeys object(String key) {
        if (json.get(key) instanceof ObjectNode inner) {
            return new ConfigKeys(inner, "'" + key + "' of " + source);
        }
        throw refused(key, "an object");
    }

    /** A text that must be the one this engine has. */
    void only(String key, String supported) {
        if (!text(key, supported).equals(supported)) {
            throw refused(key, "'" + supported + "', the only one supported,");
        }
    }

    /** A number above 0, or 0 for the {@code null} that switches something off; an absent key takes the default. */
    double numberOrNull(String key, double orElse) {
        return json.has(key) && !has(key) ? 0 : number(key, 0, orElse);
    }

    /** The number of layers. */
    int layers(String key) {
        int layers = positive(key);
        if (layers > MAX_LAYERS) {
            throw refused(key, "at most " + MAX_LAYERS);
        }
        return layers;
    }

    /** Tokens that end a text; an absent key takes the usual one if the vocabulary has it. */
    List<Integer> eos(int usual) {
        int vocab = positive("vocab_size");
        if (json.has("eos_token_id")) {
            return tokenIds("eos_token_id", vocab);
        }
        return usual < vocab ? List.of(usual) : List.of();
    }

    /** The token that begins a text; an absent key takes the usual one if the vocabulary has it. */
    OptionalInt bos(int usual) {
        int vocab = positive("vocab_size");
        OptionalInt id = json.has("bos_token_id")
                ? tokenId("bos_token_id")
                : usual < vocab ? OptionalInt.of(usual) : OptionalInt.empty();
        if (id.isPresent() && id.getAsInt() >= vocab) {
            throw refused("bos_token_id", "a token id below vocab_size " + vocab);
        }
        return id;
    }

    /** A token id; empty for null or a negative number (old files say -1 for "none"). */
    OptionalInt tokenId(String key) {
        if (!has(key)) {
            return OptionalInt.empty();
        }
        JsonNode value = json.get(key);
        if (!value.isIntegralNumber() || !value.canConvertToInt()) {
            throw refused(key, "a token id");
        }
        return value.intValue() < 0 ? OptionalInt.empty() : OptionalInt.of(value.intValue());
    }

    /** Token ids, written as one number or a list of them, each below {@code limit}; empty for null. */
    List<Integer> tokenIds(String key, int limit) {
        if (!has(key)) {
            return List.of();
        }
        JsonNode value = json.get(key);
        List<Integer> out = new ArrayList<>();
        for (JsonNode id : value.isArray() ? value : List.of(value)) {
            if (!id.isIntegralNumber() || !id.canConvertToInt() || id.intValue() < 0 || id.intValue() >= limit
                    || out.size() == MAX_IDS) {
                throw refused(key, "at most " + MAX_IDS + " token ids below " + limit);
            }
            if (!out.contains(id.intValue())) {
                out.add(id.intValue());
            }
        }
        return List.copyOf(out);
    }

    /** The refusal of what stands under {@code key}. */
    CheckpointException refused(String key, String expected) {
        return new CheckpointException("expected " + expected + " as '" + key + "', found "
                + CheckpointJson.quote(String.valueOf(json.get(key))) + " in " + source);
    }
}
