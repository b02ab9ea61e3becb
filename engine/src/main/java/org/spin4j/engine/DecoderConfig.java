package org.spin4j.engine;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;

/**
 * The shape of a decoder: what {@code config.json} of a checkpoint says, in the spellings of transformers 4 and 5, read and
 * checked once. The file's own keys are kept, so that a configuration written back loses nothing.
 *
 * @param family           which blocks the decoder is built of
 * @param vocabSize        rows of the token embedding
 * @param hiddenSize       width of the residual stream
 * @param layers           number of blocks
 * @param heads            query heads
 * @param kvHeads          key and value heads; divides {@code heads}
 * @param headDim          width of a head; {@code heads * headDim} need not be {@code hiddenSize}
 * @param intermediateSize width inside the feed-forward block
 * @param maxPositions     positions the model was made for; the rows of GPT-2's and GPT-Neo's position tables
 * @param normEps          what RMSNorm or LayerNorm adds to the mean square or variance
 * @param tiedHead         whether the output head is the token embedding
 * @param qkvBias          whether the query, key and value projections have biases
 * @param outBias          whether the output projection of attention has one
 * @param mlpBias          whether the feed-forward projections have biases
 * @param headNorms        whether each query and key head is normalised
 * @param attentionScale   factor on the scores, usually 1/sqrt(headDim)
 * @param scoreSoftcap     bound on scores, which become cap · tanh(score / cap); 0 = none
 * @param logitSoftcap     bound on logits likewise; 0 = none
 * @param ropes            per layer, its rotary position embedding; {@link RopeScaling.None} where it has none
 * @param windows          per layer, how many positions a token attends to, its own included; 0 = all before it
 * @param eosTokenIds      tokens that end a text; may be empty
 * @param bosTokenId       the token that begins one
 * @param padTokenId       the token other programs pad with (this engine never pads)
 * @param initializerRange standard deviation of fresh weights
 * @param json             all keys of the file, those above included
 */
public record DecoderConfig(Family family, int vocabSize, int hiddenSize, int layers, int heads, int kvHeads,
        int headDim,
        int intermediateSize, int maxPositions, double normEps, boolean tiedHead, boolean qkvBias, boolean outBias,
        boolean mlpBias, boolean headNorms, double attentionScale, double scoreSoftcap, double logitSoftcap,
        List<RopeScaling> ropes, List<Integer> windows, List<Integer> eosTokenIds, OptionalInt bosTokenId,
        OptionalInt padTokenId, double initializerRange, ObjectNode json) {
    private static final int MAX_FILE_BYTES = 1 << 20;

    /** Kinds of block. */
    public enum Family {
        /** RMSNorm, rotary positions, grouped queries, SwiGLU: Llama, Mistral, Qwen 2 and 3, SmolLM 2 and 3. */
        LLAMA("model."),
        /** A Llama whose norms also follow each sublayer and multiply by 1 + weight, with GEGLU and scaled embeddings: Gemma 2, 3. */
        GEMMA("model."),
        /** LayerNorm, learned positions, GELU (tanh form), matrices stored [in, out]: GPT-2. */
        GPT2("transformer."),
        /** LayerNorm, learned positions, unscaled attention, GELU (tanh form), alternating windows: GPT-Neo. */
        GPT_NEO("transformer.");

        private final String prefix;

        Family(String prefix) {
            this.prefix = prefix;
        }

        /** What the names of all tensors but the head's begin with. */
        public String prefix() {
            return prefix;
        }
    }

    /** Takes copies of what could change. */
    public DecoderConfig {
        ropes = List.copyOf(ropes);
        windows = List.copyOf(windows);
        eosTokenIds = List.copyOf(eosTokenIds);
        json = json.deepCopy();
    }

    /**
     * Reads a {@code config.json}.
     *
     * @throws CheckpointException when it is malformed or asks for what this engine does not have, naming key and value
     */
    public static DecoderConfig read(Path configJson) {
        return parse(CheckpointJson.read(configJson, MAX_FILE_BYTES), configJson.toString());
    }

    /** The configuration that those keys describe; {@code source} names them in messages. */
    static DecoderConfig parse(ObjectNode json, String source) {
        return new ConfigReader(new ConfigKeys(json, source)).read();
    }

    /**
     * A new Llama with heads of {@code hiddenSize / heads} dimensions, no biases, plain rotary positions (theta 10000), norm
     * epsilon 1e-5, and no special tokens yet: see {@link #withTokens}.
     *
     * @throws CheckpointException when the sizes do not fit together
     */
    public static DecoderConfig llama(int vocabSize, int hiddenSize, int layers, int heads, int kvHeads,
            int intermediateSize,
            int maxPositions, boolean tiedHead) {
        return parse(llamaKeys(vocabSize, hiddenSize, layers, heads, kvHeads, intermediateSize, maxPositions, tiedHead),
                "the new model's configuration");
    }

    /** The keys of a new Llama. */
    static ObjectNode llamaKeys(int vocabSize, int hiddenSize, int layers, int heads, int kvHeads,
            int intermediateSize, int maxPositions, boolean tiedHead) {
        ObjectNode json = CheckpointJson.NODES.objectNode();
        json.putArray("architectures").add("LlamaForCausalLM");
        json.put("model_type", "llama");
        json.put("vocab_size", vocabSize);
        json.put("hidden_size", hiddenSize);
        json.put("intermediate_size", intermediateSize);
        json.put("num_hidden_layers", layers);
        json.put("num_attention_heads", heads);
        json.put("num_key_value_heads", kvHeads);
        // Zero heads are refused when the keys are read, with a better message than a division could give.
        json.put("head_dim", hiddenSize / Math.max(1, heads));
        json.put("max_position_embeddings", maxPositions);
        json.put("hidden_act", "silu");
        json.put("rms_norm_eps", 1e-5);
        json.put("rope_theta", 10000.0);
        json.putNull("rope_scaling");
        json.put("attention_bias", false);
        json.put("attention_dropout", 0.0);
        json.put("mlp_bias", false);
        json.put("tie_word_embeddings", tiedHead);
        json.put("initializer_range", 0.02);
        json.putNull("bos_token_id");
        json.putNull("eos_token_id");
        json.putNull("pad_token_id");
        json.put("use_cache", true);
        json.put("torch_dtype", "float32");
        return json;
    }

    /** The same with other special tokens, in the record and among the keys. */
    public DecoderConfig withTokens(OptionalInt bos, List<Integer> eos, OptionalInt pad) {
        ObjectNode changed = toJson();
        putId(changed, "bos_token_id", bos);
        putId(changed, "pad_token_id", pad);
        if (eos.size() > 1) {
            eos.forEach(changed.putArray("eos_token_id")::add);
        } else {
            putId(changed, "eos_token_id", eos.isEmpty() ? OptionalInt.empty() : OptionalInt.of(eos.getFirst()));
        }
        return parse(changed, "the configuration with changed special tokens");
    }

    /** The same with other tokens that end a text; the keys stay, since it is generation_config.json that says so. */
    DecoderConfig withEosOfGeneration(List<Integer> eos) {
        return with(eos, bosTokenId, padTokenId, initializerRange, json);
    }

    /** Whether weights made for one configuration mean the same under the other: all but token ids and the file's spelling. */
    public boolean sameModel(DecoderConfig o) {
        return weightsAlone().equals(o.weightsAlone());
    }

    private DecoderConfig weightsAlone() {
        return with(List.of(), OptionalInt.empty(), OptionalInt.empty(), 0, CheckpointJson.NODES.objectNode());
    }

    private DecoderConfig with(List<Integer> eos, OptionalInt bos, OptionalInt pad, double range, ObjectNode keys) {
        return new DecoderConfig(family, vocabSize, hiddenSize, layers, heads, kvHeads, headDim, intermediateSize,
                maxPositions, normEps, tiedHead, qkvBias, outBias, mlpBias, headNorms, attentionScale, scoreSoftcap,
                logitSoftcap, ropes, windows, eos, bos, pad, range, keys);
    }

    /** All keys, as transformers 4 and 5 read them; a copy. */
    public ObjectNode toJson() {
        return json.deepCopy();
    }

    /** All keys; a copy. */
    @Override
    public ObjectNode json() {
        return toJson();
    }

    /**
     * The keys for a checkpoint whose weights are stored as {@code dtype}, which the file says so that transformers loads them
     * as that.
     */
    ObjectNode toJson(String dtype) {
        ObjectNode out = toJson();
        String torch = switch (dtype) {
            case "F64" -> "float64";
            case "F16" -> "float16";
            case "BF16" -> "bfloat16";
            default -> "float32";
        };
        if (out.has("dtype")) {
            out.put("dtype", torch);
        }
        if (out.has("torch_dtype") || !out.has("dtype")) {
            out.put("torch_dtype", torch);
        }
        return out;
    }

    private static void putId(ObjectNode json, String key, OptionalInt id) {
        if (id.isPresent()) {
            json.put(key, id.getAsInt());
        } else {
            json.putNull(key);
        }
    }
}
