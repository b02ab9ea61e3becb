package org.spin4j.engine;

import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Typed, checked access to the metadata of a GGUF file. It remembers which keys were asked for, so that one which would change
 * the model and that nobody knows can be refused.
 */
final class GgufKeys {
    private final Map<String, Object> metadata;
    private final String file;
    private final Set<String> known = new HashSet<>();

    GgufKeys(Map<String, Object> metadata, String file) {
        this.metadata = metadata;
        this.file = file;
    }

    boolean has(String key) {
        known.add(key);
        return metadata.containsKey(key);
    }

    /** A whole number of at least 1 that must be there. */
    int positive(String key) {
        if (!has(key)) {
            throw new CheckpointException("expected the key '" + key + "', found none in " + file
                    + "; the file is incomplete");
        }
        return positive(key, 1);
    }

    /** A whole number of at least 1. */
    int positive(String key, int orElse) {
        if (!has(key)) {
            return orElse;
        }
        if (!(metadata.get(key) instanceof Integer value) || value < 1) {
            throw refused(key, "a whole number from 1 to 2147483647");
        }
        return value;
    }

    /** A finite number above 0, as its shortest decimal form reads: a file has 1e-5 in 32 bits only. */
    double number(String key, double orElse) {
        if (!has(key)) {
            return orElse;
        }
        if (!(metadata.get(key) instanceof Number value) || !(value.doubleValue() > 0)
                || !Float.isFinite(value.floatValue())) {
            throw refused(key, "a number above 0");
        }
        return Double.parseDouble(value.toString());
    }

    String text(String key, String orElse) {
        if (!has(key)) {
            return orElse;
        }
        if (!(metadata.get(key) instanceof String value)) {
            throw refused(key, "a text");
        }
        return value;
    }

    /** A token id; -1 where the key is absent or names none. */
    int tokenId(String key, int vocabSize) {
        if (!has(key)) {
            return -1;
        }
        if (!(metadata.get(key) instanceof Number value)) {
            throw refused(key, "a token id");
        }
        // Programs differ in what they write for none: -1, in 32 bits without a sign.
        return value.longValue() == 0xFFFFFFFFL || value.longValue() == -1 ? -1 : below(value, key, vocabSize);
    }

    private int below(Number value, String key, int vocabSize) {
        if (!(value instanceof Integer id) || id < 0 || id >= vocabSize) {
            throw refused(key, "a token id below " + vocabSize);
        }
        return id;
    }

    /** Refuses keys that begin like this and that nobody asked for. */
    void refuseOthers(String prefix) {
        metadata.keySet().stream().filter(key -> key.startsWith(prefix) && !known.contains(key)).findFirst()
                .ifPresent(key -> {
                    throw refused(key, "only keys that this engine knows (what others ask for would not happen)");
                });
    }

    /** The refusal of what stands under {@code key}. */
    CheckpointException refused(String key, String expected) {
        Object value = metadata.get(key);
        String found = value == null ? "none" : value.getClass().isArray() ? "an array" : value.toString();
        return new CheckpointException("expected " + expected + " as '" + CheckpointJson.quote(key) + "', found "
                + CheckpointJson.quote(found) + " in " + file);
    }
}
