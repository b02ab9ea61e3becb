package org.spin4j.engine;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalInt;
import org.spin4j.engine.DecoderConfig.Family;

/**
 * Turns the keys of a {@code config.json} into a {@link DecoderConfig}, one method per model type, with the defaults that
 * transformers gives absent keys. What the file asks for and the engine lacks is refused, never ignored.
 */
final class ConfigReader {
    private static final int MAX_LAYERS = 4096;

    private final ConfigKeys keys;

    ConfigReader(ConfigKeys keys) {
        this.keys = keys;
    }

    DecoderConfig read() {
        if (keys.has("quantization_config")) {
            throw keys.refused("quantization_config", "no quantization (convert to F32, F16 or BF16 first)");
        }
        if (keys.flag("is_encoder_decoder", false)) {
            throw keys.refused("is_encoder_decoder", "a decoder, false,");
        }
        return switch (keys.text("model_type", "")) {
            case "llama" -> llama(List.of());
            case "mistral" -> llama(mistralWindows());
            case "gpt_neo" -> gptNeo();
            default -> throw keys.refused("model_type", "llama, mistral or gpt_neo");
        };
    }

    /** Llama and Mistral; {@code windows} empty for Llama. */
    private DecoderConfig llama(List<Integer> windows) {
        boolean mistral = !windows.isEmpty();
        keys.only("hidden_act", "silu");
        if (keys.flag("rope_interleaved", false)) {
            throw keys.refused("rope_interleaved", "rotation of half against half, false,");
        }
        if (!mistral && keys.has("sliding_window")) {
            throw keys.refused("sliding_window", "null in a llama (windows come with model_type mistral)");
        }
        if (mistral) {
            refuseBias("attention_bias");
            refuseBias("mlp_bias");
        }
        int layers = layers("num_hidden_layers");
        int hidden = keys.positive("hidden_size");
        int heads = keys.positive("num_attention_heads");
        int kvHeads = keys.positive("num_key_value_heads",
                mistral && !keys.json().has("num_key_value_heads") ? 8 : heads);
        if (heads % kvHeads != 0) {
            throw keys.refused("num_key_value_heads", "a divisor of the " + heads + " attention heads");
        }
        int headDim = keys.positive("head_dim", headDim(hidden, heads, "num_attention_heads"));
        if (headDim % 2 != 0) {
            throw keys.refused("head_dim",
                    "an even number (rotary embedding turns pairs; hidden_size / heads is " + headDim + ")");
        }
        int positions = keys.positive("max_position_embeddings", mistral ? 131072 : 2048);
        List<Integer> layerWindows = mistral ? windows : Collections.nCopies(layers, 0);
        checkLayerTypes(layerWindows);
        return checked(
                new DecoderConfig(Family.LLAMA, keys.positive("vocab_size"), hidden, layers, heads, kvHeads, headDim,
                        keys.positive("intermediate_size"), positions, keys.number("rms_norm_eps", 0, 1e-6),
                        keys.flag("tie_word_embeddings", false), keys.flag("attention_bias", false),
                        keys.flag("mlp_bias", false),
                        rope(positions), layerWindows, eos(2), bos(1), keys.tokenId("pad_token_id"),
                        keys.number("initializer_range", 0, 0.02), keys.json()));
    }

    /** One window for all layers; {@code null} in the file means none, no key at all means 4096. */
    private List<Integer> mistralWindows() {
        int absent = keys.json().has("sliding_window") ? 0 : 4096;
        return Collections.nCopies(layers("num_hidden_layers"), keys.positive("sliding_window", absent));
    }

    /** Newer files also name the kind of every layer; here the window alone decides, so the two must agree. */
    private void checkLayerTypes(List<Integer> windows) {
        if (!keys.has("layer_types")) {
            return;
        }
        String kind = windows.getFirst() == 0 ? "full_attention" : "sliding_attention";
        JsonNode types = keys.json().get("layer_types");
        boolean agree = types.isArray() && types.size() == windows.size();
        for (JsonNode type : types) {
            agree &= type.isTextual() && type.textValue().equals(kind);
        }
        if (!agree) {
            throw keys.refused("layer_types", windows.size() + " times '" + kind + "', following sliding_window,");
        }
    }

    private DecoderConfig gptNeo() {
        keys.only("activation_function", "gelu_new");
        int layers = layers("num_layers");
        int hidden = keys.positive("hidden_size");
        int heads = keys.positive("num_heads");
        if (hidden % heads != 0) {
            throw keys.refused("num_heads", "a divisor of hidden_size " + hidden);
        }
        int intermediate = keys.positive("intermediate_size", (int) Math.min(4L * hidden, Integer.MAX_VALUE));
        return checked(new DecoderConfig(Family.GPT_NEO, keys.positive("vocab_size"), hidden, layers, heads, heads,
                hidden / heads, intermediate, keys.positive("max_position_embeddings", 2048),
                keys.number("layer_norm_epsilon", 0, 1e-5), keys.flag("tie_word_embeddings", true), false, false,
                new RopeScaling.None(), gptNeoWindows(layers), eos(50256), bos(50256), keys.tokenId("pad_token_id"),
                keys.number("initializer_range", 0, 0.02), keys.json()));
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

    /** {@code rope_scaling} beside {@code rope_theta} (transformers 4), or {@code rope_parameters} with both (5). */
    private RopeScaling rope(int positions) {
        double theta = keys.number("rope_theta", 0, 10000);
        refusePartial(keys);
        String key = keys.has("rope_scaling") && !keys.json().get("rope_scaling").isEmpty()
                ? "rope_scaling"
                : "rope_parameters";
        if (!keys.has(key)) {
            return new RopeScaling.Plain(theta);
        }
        ConfigKeys scaling = keys.object(key);
        refusePartial(scaling);
        theta = scaling.number("rope_theta", 0, theta);
        String typeKey = scaling.has("rope_type") ? "rope_type" : "type";
        switch (scaling.text(typeKey, "default")) {
            case "default" -> {
                for (JsonNode inner : scaling.json()) {
                    if (inner.isObject()) {
                        throw keys.refused(key, "one set of parameters for all layers");
                    }
                }
                return new RopeScaling.Plain(theta);
            }
            case "linear" -> {
                return new RopeScaling.Linear(theta, scaling.number("factor", 0));
            }
            case "llama3" -> {
                double low = scaling.number("low_freq_factor", 0);
                double high = scaling.number("high_freq_factor", low);
                int original = scaling.positive("original_max_position_embeddings",
                        keys.positive("original_max_position_embeddings", positions));
                return new RopeScaling.Llama3(theta, scaling.number("factor", 0), low, high, original);
            }
            default -> throw scaling.refused(typeKey, "'default', 'linear' or 'llama3'");
        }
    }

    private static void refusePartial(ConfigKeys rope) {
        if (rope.number("partial_rotary_factor", 0, 1) != 1) {
            throw rope.refused("partial_rotary_factor", "1 (all dimensions turn)");
        }
    }

    private void refuseBias(String key) {
        if (keys.flag(key, false)) {
            throw keys.refused(key, "false in a mistral");
        }
    }

    private int layers(String key) {
        int layers = keys.positive(key);
        if (layers > MAX_LAYERS) {
            throw keys.refused(key, "at most " + MAX_LAYERS);
        }
        return layers;
    }

    private int headDim(int hidden, int heads, String key) {
        if (!keys.has("head_dim") && hidden % heads != 0) {
            throw keys.refused(key, "a divisor of hidden_size " + hidden + " (there is no head_dim)");
        }
        return hidden / heads;
    }

    private List<Integer> eos(int usual) {
        int vocab = keys.positive("vocab_size");
        if (keys.json().has("eos_token_id")) {
            return keys.tokenIds("eos_token_id", vocab);
        }
        return usual < vocab ? List.of(usual) : List.of();
    }

    private OptionalInt bos(int usual) {
        int vocab = keys.positive("vocab_size");
        OptionalInt id = keys.json().has("bos_token_id")
                ? keys.tokenId("bos_token_id")
                : usual < vocab ? OptionalInt.of(usual) : OptionalInt.empty();
        if (id.isPresent() && id.getAsInt() >= vocab) {
            throw keys.refused("bos_token_id", "a token id below vocab_size " + vocab);
        }
        return id;
    }

    /** No matrix may have 2^31 elements or more: kernels count them in an int. */
    private DecoderConfig checked(DecoderConfig c) {
        long attention = (long) c.heads() * c.headDim();
        matrix("vocab_size x hidden_size", c.vocabSize(), c.hiddenSize());
        matrix("intermediate_size x hidden_size", c.intermediateSize(), c.hiddenSize());
        matrix("heads x head_dim", c.heads(), c.headDim());
        matrix("heads x head_dim x hidden_size", attention, c.hiddenSize());
        if (c.family() == Family.GPT_NEO) {
            matrix("max_position_embeddings x hidden_size", c.maxPositions(), c.hiddenSize());
        } else {
            matrix("max_position_embeddings x head_dim", c.maxPositions(), c.headDim());
        }
        return c;
    }

    private void matrix(String what, long rows, long columns) {
        if (rows * columns > Integer.MAX_VALUE) {
            throw new CheckpointException("expected " + what + " below 2^31, found " + rows + " x " + columns + " in "
                    + keys.source());
        }
    }
}
