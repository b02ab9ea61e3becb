package org.spin4j.engine;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * Reads how a configuration turns positions: {@code rope_scaling} beside {@code rope_theta} (transformers 4), or
 * {@code rope_parameters} with both (5).
 *
 * @param keys      the configuration
 * @param positions its max_position_embeddings
 */
record RopeReader(ConfigKeys keys, int positions) {
    /** One embedding for all layers. */
    RopeScaling read(double usualTheta) {
        double theta = keys.number("rope_theta", 0, usualTheta);
        refusePartial(keys);
        String key = keys.has("rope_scaling") && !keys.json().get("rope_scaling").isEmpty()
                ? "rope_scaling"
                : "rope_parameters";
        return keys.has(key) ? read(keys.object(key), theta) : new RopeScaling.Plain(theta);
    }

    /** That of layers of one kind, where {@code rope_parameters} has an object for each kind. */
    RopeScaling readKind(String kind, double usualTheta) {
        ConfigKeys kinds = keys.object("rope_parameters");
        return kinds.has(kind) ? read(kinds.object(kind), usualTheta) : new RopeScaling.Plain(usualTheta);
    }

    /** Whether {@code rope_parameters} has an object for each kind of layer. */
    boolean byKind() {
        return keys.has("rope_parameters") && (keys.object("rope_parameters").has("full_attention")
                || keys.object("rope_parameters").has("sliding_attention"));
    }

    private RopeScaling read(ConfigKeys scaling, double usualTheta) {
        refusePartial(scaling);
        double theta = scaling.number("rope_theta", 0, usualTheta);
        String typeKey = scaling.has("rope_type") ? "rope_type" : "type";
        return switch (scaling.text(typeKey, "default")) {
            case "default" -> {
                for (JsonNode inner : scaling.json()) {
                    if (inner.isObject()) {
                        throw keys.refused("rope_parameters", "one set of parameters for all layers");
                    }
                }
                yield new RopeScaling.Plain(theta);
            }
            case "linear" -> new RopeScaling.Linear(theta, scaling.number("factor", 0));
            case "llama3" -> {
                double low = scaling.number("low_freq_factor", 0);
                double high = scaling.number("high_freq_factor", low);
                int original = scaling.positive("original_max_position_embeddings",
                        keys.positive("original_max_position_embeddings", positions));
                yield new RopeScaling.Llama3(theta, scaling.number("factor", 0), low, high, original);
            }
            default -> throw scaling.refused(typeKey, "'default', 'linear' or 'llama3'");
        };
    }

    private static void refusePartial(ConfigKeys rope) {
        if (rope.number("partial_rotary_factor", 0, 1) != 1) {
            throw rope.refused("partial_rotary_factor", "1 (all dimensions turn)");
        }
    }
}
