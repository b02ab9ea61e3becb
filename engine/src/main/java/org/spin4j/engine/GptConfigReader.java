package org.spin4j.engine;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import org.spin4j.engine.DecoderConfig.Family;

/** The families with learned positions: GPT-2 and GPT-Neo. */
record GptConfigReader(ConfigKeys keys) {
    /** Names of the one GELU that there is, in its tanh form. */
    private static final Set<String> GELU = Set.of("gelu_new", "gelu_pytorch_tanh");

    DecoderConfig gpt2() {
        for (String key : List.of("add_cross_attention", "scale_attn_by_inverse_layer_idx")) {
            if (keys.flag(key, false)) {
                throw keys.refused(key, "false in a gpt2");
            }
        }
        int heads = keys.positive("n_head");
        int hidden = keys.positive("n_embd");
        double scale = keys.flag("scale_attn_weights", true) ? 1 / Math.sqrt((double) hidden / heads) : 1;
        int layers = keys.layers("n_layer");
        return config(Family.GPT2, hidden, layers, heads, "n_head", "n_inner", keys.positive("n_positions", 1024), true,
                scale, Collections.nCopies(layers, 0));
    }

    DecoderConfig gptNeo() {
        int layers = keys.layers("num_layers");
        // GPT-Neo does not divide scores by sqrt(headDim).
        return config(Family.GPT_NEO, keys.positive("hidden_size"), layers, keys.positive("num_heads"), "num_heads",
                "intermediate_size", keys.positive("max_position_embeddings", 2048), false, 1, gptNeoWindows(layers));
    }

    private DecoderConfig config(Family family, int hidden, int layers, int heads, String headsKey,
            String intermediateKey, int positions, boolean qkvBias, double scale, List<Integer> windows) {
        if (!GELU.contains(keys.text("activation_function", "gelu_new"))) {
            throw keys.refused("activation_function", "'gelu_new', the only one supported,");
        }
        if (hidden % heads != 0) {
            throw keys.refused(headsKey, "a divisor of the width " + hidden);
        }
        int intermediate = keys.positive(intermediateKey, (int) Math.min(4L * hidden, Integer.MAX_VALUE));
        return new DecoderConfig(family, keys.positive("vocab_size"), hidden, layers, heads, heads, hidden / heads,
                intermediate, positions, keys.number("layer_norm_epsilon", 0, 1e-5),
                keys.flag("tie_word_embeddings", true), qkvBias, true, true, false, scale, 0, 0,
                Collections.nCopies(layers, new RopeScaling.None()), windows, keys.eos(50256), keys.bos(50256),
                keys.tokenId("pad_token_id"), keys.number("initializer_range", 0, 0.02), keys.json());
    }

    /** From {@code attention_types}, {@code [[[kinds…], repetitions]…]}, or the list {@code attention_layers} it unrolls to. */
    private List<Integer> gptNeoWindows(int layers) {
        int window = keys.positive("window_size", 256);
        List<String> kinds = new ArrayList<>();
        if (keys.has("attention_types")) {
            for (JsonNode group : keys.json().get("attention_types")) {
                JsonNode repetitions = group.path(1);
                if (!group.path(0).isArray() || group.path(0).isEmpty() || !repetitions.isInt()) {
                    throw keys.refused("attention_types", "[[[kind…], repetitions]…]");
                }
                // Bounded by the number of layers, whatever the file says.
                for (int i = 0; i < repetitions.intValue() && kinds.size() <= layers; i++) {
                    group.path(0).forEach(kind -> kinds.add(kind.asText()));
                }
            }
        } else if (keys.has("attention_layers")) {
            keys.json().get("attention_layers").forEach(kind -> kinds.add(kind.asText()));
        } else {
            for (int i = 0; i < layers; i++) {
                kinds.add(i % 2 == 0 ? "global" : "local");
            }
        }
        String key = keys.has("attention_types") ? "attention_types" : "attention_layers";
        List<Integer> windows = new ArrayList<>();
        for (String kind : kinds) {
            switch (kind) {
                case "global" -> windows.add(0);
                case "local" -> windows.add(window);
                default -> throw keys.refused(key, "the kinds 'global' and 'local'");
            }
        }
        if (windows.size() != layers) {
            throw keys.refused(key, "one kind for each of " + layers + " layers");
        }
        return windows;
    }
}
