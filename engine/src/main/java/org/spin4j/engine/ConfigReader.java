package org.spin4j.engine;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.IntPredicate;
import org.spin4j.engine.DecoderConfig.Family;

/**
 * Turns the keys of a {@code config.json} into a {@link DecoderConfig}, one method per model type, with the defaults that
 * transformers gives absent keys. What the file asks for and the engine lacks is refused, never ignored.
 */
final class ConfigReader {
    private static final String FULL = "full_attention";
    private static final String SLIDING = "sliding_attention";

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
        DecoderConfig config = switch (keys.text("model_type", "")) {
            case "llama" -> llama();
            case "mistral" -> mistral();
            case "qwen2" -> qwen(false);
            case "qwen3" -> qwen(true);
            case "smollm3" -> smolLm3();
            case "gemma2" -> gemma(false);
            case "gemma3_text" -> gemma(true);
            case "gpt2" -> new GptConfigReader(keys).gpt2();
            case "gpt_neo" -> new GptConfigReader(keys).gptNeo();
            default -> throw keys.refused("model_type",
                    "llama, mistral, qwen2, qwen3, smollm3, gemma2, gemma3_text, gpt2 or gpt_neo");
        };
        return checked(config);
    }

    /**
     * What rotary families differ in.
     *
     * @param kvHeads     where the file does not say
     * @param headDim     where the file does not say; 0 = hidden_size / heads
     * @param scaleBase   scores are divided by its square root; 0 = headDim
     * @param tied        where the file does not say
     * @param bos         where the file does not say, {@code eos} likewise
     */
    private record Traits(Family family, int kvHeads, int headDim, int positions, boolean qkvBias, boolean outBias,
            boolean mlpBias, boolean headNorms, double scaleBase, double scoreSoftcap, double logitSoftcap,
            boolean tied, int bos, int eos, List<RopeScaling> ropes, List<Integer> windows) {}

    private DecoderConfig llama() {
        if (keys.has("sliding_window")) {
            throw keys.refused("sliding_window", "null in a llama (windows come with model_type mistral)");
        }
        boolean bias = keys.flag("attention_bias", false);
        int positions = positions(2048);
        return rotary(new Traits(Family.LLAMA, heads(), 0, positions, bias, bias, keys.flag("mlp_bias", false), false,
                0, 0, 0, false, 1, 2, ropes(positions, 10000), windows(0, i -> false)));
    }

    /** One window for all layers; {@code null} in the file means none, no key at all means 4096. */
    private DecoderConfig mistral() {
        refuseIfSet("attention_bias", "mlp_bias");
        int absent = keys.json().has("sliding_window") ? 0 : 4096;
        int window = keys.positive("sliding_window", absent);
        List<Integer> windows = windows(window, i -> true);
        if (windows.contains(0) && window != 0) {
            throw keys.refused("layer_types", windows.size() + " times '" + SLIDING + "', following sliding_window,");
        }
        int positions = positions(131072);
        return rotary(new Traits(Family.LLAMA, 8, 0, positions, false, false, false, false, 0, 0, 0, false, 1, 2,
                ropes(positions, 10000), windows));
    }

    private DecoderConfig qwen(boolean third) {
        boolean bias = !third || keys.flag("attention_bias", false);
        int window = keys.flag("use_sliding_window", false) ? keys.positive("sliding_window", 4096) : 0;
        int firstSliding = keys.positive("max_window_layers", 28);
        int positions = positions(32768);
        return rotary(new Traits(Family.LLAMA, 32, third ? 128 : 0, positions, bias, third && bias, false, third, 0, 0,
                0, false, ConfigKeys.NO_TOKEN, ConfigKeys.NO_TOKEN, ropes(positions, 10000),
                windows(window, i -> i >= firstSliding)));
    }

    /** Some layers turn no positions: every fourth, or those with a 0 in {@code no_rope_layers}. */
    private DecoderConfig smolLm3() {
        boolean bias = keys.flag("attention_bias", false);
        int positions = positions(32768);
        int interval = keys.positive("no_rope_layer_interval", 4);
        List<RopeScaling> ropes = new ArrayList<>(ropes(positions, 2_000_000));
        JsonNode flags = keys.has("no_rope_layers") ? keys.json().get("no_rope_layers") : null;
        if (flags != null && (!flags.isArray() || flags.size() < ropes.size())) {
            throw keys.refused("no_rope_layers", "a 0 or 1 for each of " + ropes.size() + " layers");
        }
        for (int i = 0; i < ropes.size(); i++) {
            int flag = flags == null ? (i + 1) % interval : flags.get(i).asInt(-1);
            if (flag < 0) {
                throw keys.refused("no_rope_layers", "a 0 or 1 for each of " + ropes.size() + " layers");
            }
            if (flag == 0) {
                ropes.set(i, new RopeScaling.None());
            }
        }
        int window = keys.flag("use_sliding_window", false) ? keys.positive("sliding_window", 0) : 0;
        return rotary(new Traits(Family.LLAMA, 4, 0, positions, bias, bias, keys.flag("mlp_bias", false), false, 0, 0,
                0, true, 128000, 128001, ropes, windows(window, i -> ropes.get(i) instanceof RopeScaling.None)));
    }

    /** Gemma 2 alternates windows and bounds scores and logits; Gemma 3 has more windows, with a rotation of their own. */
    private DecoderConfig gemma(boolean third) {
        keys.only("hidden_activation", "gelu_pytorch_tanh");
        refuseIfSet("use_bidirectional_attention");
        if (third && keys.has("attn_logit_softcapping")) {
            throw keys.refused("attn_logit_softcapping", "null in a gemma3_text (its keys are normalised instead)");
        }
        boolean bias = keys.flag("attention_bias", false);
        int positions = positions(third ? 131072 : 8192);
        int pattern = third ? keys.positive("sliding_window_pattern", keys.positive("_sliding_window_pattern", 6)) : 2;
        List<Integer> windows = windows(keys.positive("sliding_window", 4096), i -> (i + 1) % pattern != 0);
        return rotary(new Traits(Family.GEMMA, 4, 256, positions, bias, bias, false, third,
                keys.number("query_pre_attn_scalar", 0, 256),
                third ? 0 : keys.numberOrNull("attn_logit_softcapping", 50),
                keys.numberOrNull("final_logit_softcapping", third ? 0 : 30), true, 2, 1,
                third ? gemma3Ropes(positions, windows) : ropes(positions, 10000), windows));
    }

    private List<RopeScaling> gemma3Ropes(int positions, List<Integer> windows) {
        RopeReader reader = new RopeReader(keys, positions);
        RopeScaling full = reader.byKind() ? reader.readKind(FULL, 1e6) : reader.read(1e6);
        RopeScaling sliding = reader.byKind()
                ? reader.readKind(SLIDING, 10000)
                : new RopeScaling.Plain(keys.number("rope_local_base_freq", 0, 10000));
        return windows.stream().map(window -> window == 0 ? full : sliding).toList();
    }

    private DecoderConfig rotary(Traits t) {
        if (t.family() != Family.GEMMA) {
            keys.only("hidden_act", "silu");
        }
        if (keys.flag("rope_interleaved", false)) {
            throw keys.refused("rope_interleaved", "rotation of half against half, false,");
        }
        int hidden = keys.positive("hidden_size");
        int heads = heads();
        int kvHeads = keys.positive("num_key_value_heads",
                keys.json().has("num_key_value_heads") ? heads : t.kvHeads());
        if (heads % kvHeads != 0) {
            throw keys.refused("num_key_value_heads", "a divisor of the " + heads + " attention heads");
        }
        if (t.headDim() == 0 && !keys.has("head_dim") && hidden % heads != 0) {
            throw keys.refused("num_attention_heads",
                    "a divisor of hidden_size " + hidden + " (there is no head_dim)");
        }
        int headDim = keys.positive("head_dim", t.headDim() == 0 ? hidden / heads : t.headDim());
        if (headDim % 2 != 0) {
            throw keys.refused("head_dim",
                    "an even number (rotary embedding turns pairs; hidden_size / heads is " + headDim + ")");
        }
        double scale = 1 / Math.sqrt(t.scaleBase() == 0 ? headDim : t.scaleBase());
        return new DecoderConfig(t.family(), keys.positive("vocab_size"), hidden, t.windows().size(), heads, kvHeads,
                headDim, keys.positive("intermediate_size"), t.positions(), keys.number("rms_norm_eps", 0, 1e-6),
                keys.flag("tie_word_embeddings", t.tied()), t.qkvBias(), t.outBias(), t.mlpBias(), t.headNorms(),
                scale, t.scoreSoftcap(), t.logitSoftcap(), t.ropes(), t.windows(), keys.eos(t.eos()),
                keys.bos(t.bos()), keys.tokenId("pad_token_id"), keys.number("initializer_range", 0, 0.02),
                keys.json());
    }

    private int heads() {
        return keys.positive("num_attention_heads");
    }

    private int positions(int usual) {
        return keys.positive("max_position_embeddings", usual);
    }

    private List<RopeScaling> ropes(int positions, double usualTheta) {
        return Collections.nCopies(keys.layers("num_hidden_layers"),
                new RopeReader(keys, positions).read(usualTheta));
    }

    /**
     * The window of each layer, 0 for none: by {@code layer_types} where the file has them, else by the family's rule.
     *
     * @param window of the layers that have one; 0 where none may have one
     */
    private List<Integer> windows(int window, IntPredicate sliding) {
        int layers = keys.layers("num_hidden_layers");
        JsonNode types = keys.has("layer_types") ? keys.json().get("layer_types") : null;
        if (types != null && (!types.isArray() || types.size() != layers)) {
            throw keys.refused("layer_types", "one kind for each of " + layers + " layers");
        }
        List<Integer> windows = new ArrayList<>();
        for (int i = 0; i < layers; i++) {
            String type = types == null ? sliding.test(i) && window > 0 ? SLIDING : FULL : types.get(i).asText();
            if (type.equals(SLIDING) && window > 0) {
                windows.add(window);
            } else if (type.equals(FULL)) {
                windows.add(0);
            } else {
                throw keys.refused("layer_types",
                        window > 0 ? "'" + FULL + "' and '" + SLIDING + "' alone" : "'" + FULL + "' without a window,");
            }
        }
        return windows;
    }

    private void refuseIfSet(String... flags) {
        for (String key : flags) {
            if (keys.flag(key, false)) {
                throw keys.refused(key, "false in a " + keys.text("model_type", ""));
            }
        }
    }

    /** No matrix may have 2^31 elements or more: kernels count them in an int. */
    private DecoderConfig checked(DecoderConfig c) {
        long attention = (long) c.heads() * c.headDim();
        matrix("vocab_size x hidden_size", c.vocabSize(), c.hiddenSize());
        matrix("intermediate_size x hidden_size", c.intermediateSize(), c.hiddenSize());
        matrix("heads x head_dim", c.heads(), c.headDim());
        matrix("heads x head_dim x hidden_size", attention, c.hiddenSize());
        boolean learned = c.family() == Family.GPT2 || c.family() == Family.GPT_NEO;
        matrix(learned ? "max_position_embeddings x hidden_size" : "max_position_embeddings x head_dim",
                c.maxPositions(), learned ? c.hiddenSize() : c.headDim());
        return c;
    }

    private void matrix(String what, long rows, long columns) {
        if (rows * columns > Integer.MAX_VALUE) {
            throw new CheckpointException("expected " + what + " below 2^31, found " + rows + " x " + columns + " in "
                    + keys.source());
        }
    }
}
