package org.spin4j.engine;

import org.spin4j.kernels.AttentionShape;

/**
 * What one layer of a decoder multiplies with; what its family lacks is null.
 *
 * @param attention its heads
 * @param norm1     before attention
 * @param qkv       query, key and value projections
 * @param queryNorm of each query head, {@code keyNorm} of each key head
 * @param out       output projection of attention
 * @param outNorm   of what attention adds
 * @param norm2     before the feed-forward block
 * @param up        gate and up projection, or up alone
 * @param down      down projection
 * @param downNorm  of what the feed-forward block adds
 */
record DecoderLayer(AttentionShape attention, Parameter norm1, Parameter norm1Bias, Parameter qkv, Parameter qkvBias,
        Parameter queryNorm, Parameter keyNorm, Parameter out, Parameter outBias, Parameter outNorm, Parameter norm2,
        Parameter norm2Bias, Parameter up, Parameter upBias, Parameter down, Parameter downBias, Parameter downNorm) {

    /** Lists the parameters of layer {@code i} in the order of the forward pass. */
    static DecoderLayer of(DecoderConfig config, Parameters.Builder b, int i) {
        AttentionShape attention = new AttentionShape(config.heads(), config.kvHeads(), config.headDim(),
                config.attentionScale(), config.windows().get(i), config.scoreSoftcap());
        return switch (config.family()) {
            case LLAMA, GEMMA -> rotary(config, b, "model.layers." + i + ".", attention);
            case GPT2 -> gpt2(config, b, "transformer.h." + i + ".", attention);
            case GPT_NEO -> gptNeo(config, b, "transformer.h." + i + ".", attention);
        };
    }

    private static DecoderLayer rotary(DecoderConfig config, Parameters.Builder b, String at,
            AttentionShape attention) {
        boolean gemma = config.family() == DecoderConfig.Family.GEMMA;
        int dim = config.hiddenSize();
        int q = config.heads() * config.headDim();
        int kv = config.kvHeads() * config.headDim();
        int hidden = config.intermediateSize();
        Parameter norm1 = b.vector(at + "input_layernorm.weight", dim);
        Parameter qkv = b.matrix(dim, at + "self_attn.q_proj.weight", q, at + "self_attn.k_proj.weight", kv,
                at + "self_attn.v_proj.weight", kv);
        Parameter qkvBias = !config.qkvBias()
                ? null
                : b.vector(at + "self_attn.q_proj.bias", q, at + "self_attn.k_proj.bias", kv,
                        at + "self_attn.v_proj.bias", kv);
        Parameter queryNorm = vector(config.headNorms(), b, at + "self_attn.q_norm.weight", config.headDim());
        Parameter keyNorm = vector(config.headNorms(), b, at + "self_attn.k_norm.weight", config.headDim());
        Parameter out = b.matrix(q, at + "self_attn.o_proj.weight", dim);
        Parameter outBias = vector(config.outBias(), b, at + "self_attn.o_proj.bias", dim);
        // What a Llama calls post-attention is the norm before its feed-forward block.
        Parameter outNorm = vector(gemma, b, at + "post_attention_layernorm.weight", dim);
        Parameter norm2 = b.vector(
                at + (gemma ? "pre_feedforward_layernorm.weight" : "post_attention_layernorm.weight"), dim);
        Parameter up = b.matrix(dim, at + "mlp.gate_proj.weight", hidden, at + "mlp.up_proj.weight", hidden);
        Parameter upBias = !config.mlpBias()
                ? null
                : b.vector(at + "mlp.gate_proj.bias", hidden, at + "mlp.up_proj.bias", hidden);
        Parameter down = b.matrix(hidden, at + "mlp.down_proj.weight", dim);
        Parameter downBias = vector(config.mlpBias(), b, at + "mlp.down_proj.bias", dim);
        Parameter downNorm = vector(gemma, b, at + "post_feedforward_layernorm.weight", dim);
        return new DecoderLayer(attention, norm1, null, qkv, qkvBias, queryNorm, keyNorm, out, outBias, outNorm, norm2,
                null, up, upBias, down, downBias, downNorm);
    }

    private static Parameter vector(boolean there, Parameters.Builder b, String name, int size) {
        return there ? b.vector(name, size) : null;
    }

    private static DecoderLayer gpt2(DecoderConfig config, Parameters.Builder b, String at,
            AttentionShape attention) {
        int dim = config.hiddenSize();
        int hidden = config.intermediateSize();
        return new DecoderLayer(attention, b.vector(at + "ln_1.weight", dim), b.vector(at + "ln_1.bias", dim),
                b.conv1d(dim, at + "attn.c_attn.weight", 3 * dim), b.vector(at + "attn.c_attn.bias", 3 * dim), null,
                null, b.conv1d(dim, at + "attn.c_proj.weight", dim), b.vector(at + "attn.c_proj.bias", dim), null,
                b.vector(at + "ln_2.weight", dim), b.vector(at + "ln_2.bias", dim),
                b.conv1d(dim, at + "mlp.c_fc.weight", hidden), b.vector(at + "mlp.c_fc.bias", hidden),
                b.conv1d(hidden, at + "mlp.c_proj.weight", dim), b.vector(at + "mlp.c_proj.bias", dim), null);
    }

    private static DecoderLayer gptNeo(DecoderConfig config, Parameters.Builder b, String at,
            AttentionShape attention) {
        int dim = config.hiddenSize();
        int hidden = config.intermediateSize();
        Parameter norm1 = b.vector(at + "ln_1.weight", dim);
        Parameter norm1Bias = b.vector(at + "ln_1.bias", dim);
        Parameter qkv = b.matrix(dim, at + "attn.attention.q_proj.weight", dim, at + "attn.attention.k_proj.weight",
                dim, at + "attn.attention.v_proj.weight", dim);
        return new DecoderLayer(attention, norm1, norm1Bias, qkv, null, null, null,
                b.matrix(dim, at + "attn.attention.out_proj.weight", dim),
                b.vector(at + "attn.attention.out_proj.bias", dim), null, b.vector(at + "ln_2.weight", dim),
                b.vector(at + "ln_2.bias", dim), b.matrix(dim, at + "mlp.c_fc.weight", hidden),
                b.vector(at + "mlp.c_fc.bias", hidden), b.matrix(hidden, at + "mlp.c_proj.weight", dim),
                b.vector(at + "mlp.c_proj.bias", dim), null);
    }
}
