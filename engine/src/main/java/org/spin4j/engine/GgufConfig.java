package org.spin4j.engine;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Storage;

/**
 * The configuration of a model in the metadata of a GGUF file: read as the {@code config.json} that a folder of the same model
 * would have, and written from one.
 */
final class GgufConfig {
    static final String ARCHITECTURE = "general.architecture";
    static final String HEAD = "output.weight";
    /** Divisors of the rotary speeds, one for each pair of a head. */
    static final String ROPE_FACTORS = "rope_freqs.weight";
    private static final String TYPE = "general.type";
    private static final String SPLITS = "split.count";
    private static final String BOS = "tokenizer.ggml.bos_token_id";
    private static final String PAD = "tokenizer.ggml.padding_token_id";
    /** Tokens that end a text, a turn or a message: this engine stops at each. */
    private static final List<String> EOS = List.of("tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id",
            "tokenizer.ggml.eom_token_id");
    /** What Llama 3.1 and its successors have. */
    private static final int LLAMA3_POSITIONS = 8192;
    /** Every fourth layer of a SmolLM3 turns no positions, a rule that llama.cpp has without a key for it. */
    private static final int SMOLLM3_INTERVAL = 4;
    /** Relative difference of factors that stem from the same rule: both are rounded to 32 bits on the way. */
    private static final double SAME_FACTOR = 1e-5;

    private final Gguf file;
    private final GgufKeys keys;
    private final GgufArchitecture architecture;
    private final String prefix;
    private final ObjectNode json = CheckpointJson.NODES.objectNode();

    private GgufConfig(Gguf file, GgufKeys keys, GgufArchitecture architecture) {
        this.file = file;
        this.keys = keys;
        this.architecture = architecture;
        this.prefix = architecture.id() + ".";
    }

    /** The family of a file's model. */
    static GgufArchitecture architecture(Gguf file) {
        GgufKeys keys = new GgufKeys(file.metadata(), file.file().toString());
        if (!keys.text(TYPE, "model").equals("model")) {
            throw keys.refused(TYPE, "a model");
        }
        if (keys.positive(SPLITS, 1) != 1) {
            throw keys.refused(SPLITS, "a model in one file (merge the parts with llama-gguf-split)");
        }
        return GgufArchitecture.of(keys.text(ARCHITECTURE, ""))
                .orElseThrow(() -> keys.refused(ARCHITECTURE, GgufArchitecture.ids()));
    }

    /** The configuration of a file's model. */
    static DecoderConfig read(Gguf file, GgufArchitecture architecture) {
        return new GgufConfig(file, new GgufKeys(file.metadata(), file.file().toString()), architecture).read();
    }

    private DecoderConfig read() {
        GgufHeader.Entry embedding = file.entries().get("token_embd.weight");
        if (embedding == null || embedding.shape().size() != 2 || embedding.shape().getFirst() > Integer.MAX_VALUE) {
            throw new CheckpointException("expected a matrix 'token_embd.weight', found "
                    + (embedding == null ? "none" : embedding.shape()) + " in " + file.file());
        }
        int vocab = embedding.shape().getFirst().intValue();
        if (keys.positive(prefix + "vocab_size", vocab) != vocab) {
            throw keys.refused(prefix + "vocab_size", vocab + ", the rows of token_embd.weight,");
        }
        json.put("model_type", architecture.modelTypes().getFirst());
        json.put("vocab_size", vocab);
        json.put("tie_word_embeddings", tied(embedding));
        if (architecture.id().equals("gpt2")) {
            gpt2();
        } else {
            rotary();
        }
        tokens(vocab);
        json.put("torch_dtype", "float32");
        keys.refuseOthers(prefix);
        return DecoderConfig.parse(json, file.file().toString());
    }

    /** Whether the head is the embedding: left out, or the same bytes once more. */
    private boolean tied(GgufHeader.Entry embedding) {
        GgufHeader.Entry head = file.entries().get(HEAD);
        return head == null || head.type() == embedding.type() && head.shape().equals(embedding.shape())
                && file.bytes(head).mismatch(file.bytes(embedding)) < 0;
    }

    private void gpt2() {
        json.putArray("architectures").add("GPT2LMHeadModel");
        json.put("n_embd", keys.positive(prefix + "embedding_length"));
        json.put("n_layer", keys.positive(prefix + "block_count"));
        int heads = keys.positive(prefix + "attention.head_count");
        json.put("n_head", heads);
        must(prefix + "attention.head_count_kv", heads, "the number of heads");
        json.put("n_inner", keys.positive(prefix + "feed_forward_length"));
        json.put("n_positions", keys.positive(prefix + "context_length"));
        json.put("layer_norm_epsilon", keys.number(prefix + "attention.layer_norm_epsilon", 1e-5));
        json.put("activation_function", "gelu_new");
    }

    private void rotary() {
        int heads = keys.positive(prefix + "attention.head_count");
        int hidden = keys.positive(prefix + "embedding_length");
        int headDim = keys.positive(prefix + "attention.key_length", Math.max(1, hidden / heads));
        must(prefix + "attention.value_length", headDim, "the width of a head");
        must(prefix + "rope.dimension_count", headDim, "the width of a head");
        json.put("hidden_size", hidden);
        json.put("intermediate_size", keys.positive(prefix + "feed_forward_length"));
        json.put("num_hidden_layers", keys.positive(prefix + "block_count"));
        json.put("num_attention_heads", heads);
        json.put("num_key_value_heads", keys.positive(prefix + "attention.head_count_kv", heads));
        json.put("head_dim", headDim);
        json.put("max_position_embeddings", keys.positive(prefix + "context_length"));
        json.put("hidden_act", "silu");
        json.put("rms_norm_eps", keys.number(prefix + "attention.layer_norm_rms_epsilon", 1e-5));
        rope(headDim);
        switch (architecture.id()) {
            case "qwen2" -> json.putArray("architectures").add("Qwen2ForCausalLM");
            case "qwen3" -> json.putArray("architectures").add("Qwen3ForCausalLM");
            case "smollm3" -> {
                json.putArray("architectures").add("SmolLM3ForCausalLM");
                json.put("no_rope_layer_interval", SMOLLM3_INTERVAL);
                biases();
            }
            default -> llama();
        }
    }

    private void llama() {
        int window = keys.positive(prefix + "attention.sliding_window", 0);
        if (window > 0) {
            json.put("model_type", "mistral");
            json.put("sliding_window", window);
        }
        json.putArray("architectures").add(window > 0 ? "MistralForCausalLM" : "LlamaForCausalLM");
        biases();
    }

    private void biases() {
        json.put("attention_bias", file.entries().containsKey("blk.0.attn_q.bias"));
        json.put("mlp_bias", file.entries().containsKey("blk.0.ffn_up.bias"));
    }

    private void must(String key, int value, String what) {
        if (keys.positive(key, value) != value) {
            throw keys.refused(key, value + ", " + what + ",");
        }
    }

    private void rope(int headDim) {
        double theta = keys.number(prefix + "rope.freq_base", 10000);
        json.put("rope_theta", theta);
        String type = keys.text(prefix + "rope.scaling.type", "none");
        double factor = keys.number(prefix + "rope.scaling.factor", 1);
        int original = keys.positive(prefix + "rope.scaling.original_context_length", LLAMA3_POSITIONS);
        double low = keys.number(prefix + "rope.scaling.low_freq_factor", 1);
        double high = keys.number(prefix + "rope.scaling.high_freq_factor", 4);
        keys.has(prefix + "rope.scaling.finetuned"); // a remark
        boolean none = type.equals("none") || factor == 1 && type.equals("linear");
        if (!none && !type.equals("linear")) {
            throw keys.refused(prefix + "rope.scaling.type", "'none' or 'linear'");
        }
        if (!none) {
            json.putObject("rope_scaling").put("rope_type", "linear").put("factor", factor);
        }
        GgufHeader.Entry entry = file.entries().get(ROPE_FACTORS);
        if (entry != null) {
            RopeScaling.Llama3 rule = llama3(factors(entry, headDim, none), theta, low, high, original);
            json.putObject("rope_scaling").put("rope_type", "llama3").put("factor", rule.factor())
                    .put("low_freq_factor", low).put("high_freq_factor", high)
                    .put("original_max_position_embeddings", original);
        }
    }

    private float[] factors(GgufHeader.Entry entry, int headDim, boolean alone) {
        if (entry.elements() != headDim / 2 || !alone) {
            throw new CheckpointException("expected " + headDim / 2 + " factors and no other scaling, found "
                    + entry.shape() + " of '" + ROPE_FACTORS + "' in " + file.file());
        }
        Storage out = Storage.of(DType.F32, new double[headDim / 2]);
        file.read(entry, out);
        return out.toFloats();
    }

    /** Llama 3's rule, where it gives these factors: the largest is that of the slow waves. */
    private RopeScaling.Llama3 llama3(float[] factors, double theta, double low, double high, int original) {
        double most = 0;
        for (float f : factors) {
            most = Math.max(most, f);
        }
        boolean same = most > 0 && Double.isFinite(most) && high > low;
        RopeScaling.Llama3 rule = new RopeScaling.Llama3(theta, most, low, high, original);
        float[] wanted = same ? factors(rule, 2 * factors.length) : factors;
        for (int i = 0; i < factors.length; i++) {
            same &= Math.abs(factors[i] - wanted[i]) <= SAME_FACTOR * wanted[i];
        }
        if (!same) {
            throw new CheckpointException("expected the factors of Llama 3's rule (low 1, high 4, " + original
                    + " original positions), found others in '" + ROPE_FACTORS + "' of " + file.file());
        }
        return rule;
    }

    private void tokens(int vocab) {
        putId("bos_token_id", keys.tokenId(BOS, vocab));
        List<Integer> eos = new ArrayList<>();
        for (String key : EOS) {
            int id = keys.tokenId(key, vocab);
            if (id >= 0 && !eos.contains(id)) {
                eos.add(id);
            }
        }
        if (eos.size() > 1) {
            eos.forEach(json.putArray("eos_token_id")::add);
        } else {
            putId("eos_token_id", eos.isEmpty() ? -1 : eos.getFirst());
        }
        putId("pad_token_id", keys.tokenId(PAD, vocab));
    }

    private void putId(String key, int id) {
        if (id < 0) {
            json.putNull(key);
        } else {
            json.put(key, id);
        }
    }

    // ---- writing -----------------------------------------------------------------------------------------------------

    /** How the rotary speeds of a rule divide the plain ones. */
    static float[] factors(RopeScaling.Llama3 rule, int headDim) {
        double[] plain = new RopeScaling.Plain(rule.theta()).inverseFrequencies(headDim);
        double[] slowed = rule.inverseFrequencies(headDim);
        float[] out = new float[plain.length];
        for (int i = 0; i < out.length; i++) {
            out[i] = (float) (plain[i] / slowed[i]);
        }
        return out;
    }

    /**
     * What a file says of a model.
     *
     * @param tokenizer what it is to say of the tokenizer, which has the last word on special tokens
     */
    static Map<String, Object> write(DecoderConfig c, GgufArchitecture architecture, Map<String, Object> tokenizer) {
        String prefix = architecture.id() + ".";
        Map<String, Object> out = new LinkedHashMap<>();
        out.put(ARCHITECTURE, architecture.id());
        out.put(TYPE, "model");
        out.put(prefix + "vocab_size", c.vocabSize());
        out.put(prefix + "context_length", c.maxPositions());
        out.put(prefix + "embedding_length", c.hiddenSize());
        out.put(prefix + "block_count", c.layers());
        out.put(prefix + "feed_forward_length", c.intermediateSize());
        out.put(prefix + "attention.head_count", c.heads());
        refuseUnsaid(c, architecture);
        if (c.family() == DecoderConfig.Family.GPT2) {
            out.put(prefix + "attention.layer_norm_epsilon", (float) c.normEps());
        } else {
            out.put(prefix + "attention.head_count_kv", c.kvHeads());
            out.put(prefix + "attention.key_length", c.headDim());
            out.put(prefix + "attention.value_length", c.headDim());
            out.put(prefix + "attention.layer_norm_rms_epsilon", (float) c.normEps());
            out.put(prefix + "rope.dimension_count", c.headDim());
        }
        int window = c.windows().getFirst();
        if (window > 0) {
            out.put(prefix + "attention.sliding_window", window);
        }
        switch (c.ropes().getFirst()) {
            case RopeScaling.Plain(double theta) -> out.put(prefix + "rope.freq_base", (float) theta);
            case RopeScaling.Linear(double theta, double factor) -> {
                out.put(prefix + "rope.freq_base", (float) theta);
                out.put(prefix + "rope.scaling.type", "linear");
                out.put(prefix + "rope.scaling.factor", (float) factor);
            }
            case RopeScaling.Llama3 rule -> {
                out.put(prefix + "rope.freq_base", (float) rule.theta());
                out.put(prefix + "rope.scaling.original_context_length", rule.originalPositions());
                // Not of llama.cpp, which needs the factors alone: so that another folder can be made of the file.
                out.put(prefix + "rope.scaling.low_freq_factor", (float) rule.lowFreqFactor());
                out.put(prefix + "rope.scaling.high_freq_factor", (float) rule.highFreqFactor());
            }
            case RopeScaling.None() -> {
                // Learned positions are a tensor.
            }
        }
        put(out, BOS, c.bosTokenId());
        Set<Integer> eos = new LinkedHashSet<>();
        if (tokenizer.get(EOS.getFirst()) instanceof Integer first) {
            eos.add(first);
        }
        eos.addAll(c.eosTokenIds());
        if (eos.size() > EOS.size()) {
            throw new CheckpointException("expected at most " + EOS.size()
                    + " tokens that end a text in a model to be written as GGUF, found " + eos + "; write a folder");
        }
        Iterator<String> key = EOS.iterator();
        eos.forEach(id -> out.put(key.next(), id));
        put(out, PAD, c.padTokenId());
        out.putAll(tokenizer);
        return out;
    }

    /** Refuses what the family has no key for, and readers would do in another way. */
    private static void refuseUnsaid(DecoderConfig c, GgufArchitecture architecture) {
        boolean smollm3 = architecture.id().equals("smollm3");
        for (int i = 0; i < c.layers(); i++) {
            boolean unturned = smollm3 && (i + 1) % SMOLLM3_INTERVAL == 0;
            RopeScaling wanted = unturned ? new RopeScaling.None() : c.ropes().getFirst();
            if (!c.ropes().get(i).equals(wanted)) {
                throw unsaid(architecture, "positions that " + (smollm3 ? "all layers but every fourth" : "all layers")
                        + " turn alike", i);
            }
            int window = architecture.id().equals("llama") ? c.windows().getFirst() : 0;
            if (c.windows().get(i) != window) {
                throw unsaid(architecture, window == 0 ? "no sliding windows" : "one window for all layers", i);
            }
        }
        if (Math.abs(c.attentionScale() * Math.sqrt(c.headDim()) - 1) > SAME_FACTOR) {
            throw unsaid(architecture, "scores divided by the root of the width of a head", 0);
        }
        if (c.outBias() && architecture.id().startsWith("qwen")) {
            throw unsaid(architecture, "no attention_bias of the output", 0);
        }
    }

    private static CheckpointException unsaid(GgufArchitecture architecture, String expected, int layer) {
        return new CheckpointException("expected " + expected + " in a " + architecture.id()
                + " to be written as GGUF, found others in layer " + layer + "; write a folder");
    }

    private static void put(Map<String, Object> out, String key, OptionalInt id) {
        id.ifPresent(value -> out.put(key, value));
    }
}
