package org.spin4j.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import org.spin4j.engine.DecoderConfig;
import org.spin4j.engine.Parameters;

/**
 * A Llama-style decoder with tied head in libtorch through DJL, as a PyTorch user writes it: one linear layer per projection,
 * a padded rectangle of tokens, attention as two batched products around a softmax, logits of all tokens. Intermediate
 * values are let go where Python would let them go. All arithmetic is libtorch's, in float32.
 */
final class LibtorchDecoder implements AutoCloseable {
    private static final double ROPE_THETA = 10_000;
    private static final String TABLE = "model.embed_tokens";

    /** What an optimiser does with one weight. */
    @FunctionalInterface
    interface Update {
        /** Changes {@code weight} in place. */
        void apply(String name, NDArray weight, NDArray gradient);
    }

    private final NDManager manager = NDManager.newBaseManager("PyTorch");
    private final DecoderConfig config;
    private final Map<String, NDArray> weights = new LinkedHashMap<>();
    private final NDArray cos;
    private final NDArray sin;

    /**
     * A model that starts from {@code parameters}, copied.
     *
     * @param length  tokens of every sequence it will read
     * @param trained whether a backward pass is to give gradients
     */
    LibtorchDecoder(DecoderConfig config, Parameters parameters, int length, boolean trained) {
        this.config = config;
        for (String name : parameters.names()) {
            try (NDArray java = manager.create(parameters.data(name).toFloats(), new Shape(parameters.shape(name)))) {
                NDArray weight = java.duplicate(); // in libtorch's own memory
                weight.setRequiresGradient(trained);
                weights.put(name, weight);
            }
        }
        cos = rotations(length, false);
        sin = rotations(length, true);
    }

    /** Owner of what lives as long as the model. */
    NDManager manager() {
        return manager;
    }

    /**
     * Log-probabilities of all tokens of the vocabulary, at every position.
     *
     * @param ids  [batch, length]
     * @param mask added to scores: [length, length], or [batch, 1, length, length]
     * @return [batch · length, vocabulary]
     */
    NDArray logProbs(NDArray ids, NDArray mask) {
        return Libtorch.block(ids, t -> {
            NDArray logits = linear(hidden(t, mask), TABLE).reshape(-1, config.vocabSize());
            return logits.logSoftmax(-1);
        });
    }

    /**
     * Lets an optimiser change every weight, then forgets the gradients as PyTorch's {@code zero_grad} does: a weight becomes
     * a new leaf over the same memory, and its gradient goes with the old one.
     */
    void update(Update rule) {
        weights.replaceAll((name, old) -> {
            NDArray weight = old.stopGradient();
            try (NDArray gradient = old.getGradient()) {
                rule.apply(name, weight, gradient);
            }
            old.close();
            weight.setRequiresGradient(true);
            return weight;
        });
    }

    /** Hidden rows of the last layer: {@code [batch, length, dim]}. */
    private NDArray hidden(NDArray ids, NDArray mask) {
        NDArray table = weights.get(TABLE + ".weight");
        NDArray x = ids.getNDArrayInternal().embedding(ids, table, SparseFormat.DENSE).singletonOrThrow();
        for (int i = 0; i < config.layers(); i++) {
            String at = "model.layers." + i + ".";
            x = Libtorch.block(x,
                    r -> r.add(attention(norm(r, at + "input_layernorm"), mask, at + "self_attn.")));
            x = Libtorch.block(x, r -> r.add(feedForward(norm(r, at + "post_attention_layernorm"), at + "mlp.")));
        }
        return norm(x, "model.norm");
    }

    private NDArray attention(NDArray x, NDArray mask, String at) {
        NDArray q = rotated(heads(linear(x, at + "q_proj")));
        NDArray k = rotated(heads(linear(x, at + "k_proj")));
        NDArray v = heads(linear(x, at + "v_proj"));
        NDArray mixed = Libtorch.attention(q, k, v, mask).transpose(0, 2, 1, 3);
        return linear(mixed.reshape(x.getShape()), at + "o_proj");
    }

    private NDArray feedForward(NDArray x, String at) {
        NDArray gate = linear(x, at + "gate_proj");
        NDArray silu = gate.mul(gate.getNDArrayInternal().sigmoid());
        return linear(silu.mul(linear(x, at + "up_proj")), at + "down_proj");
    }

    private NDArray linear(NDArray x, String name) {
        return x.getNDArrayInternal().linear(x, weights.get(name + ".weight"), null).singletonOrThrow();
    }

    private NDArray norm(NDArray x, String name) {
        NDArray scale = Libtorch.then(x.square(), s -> s.mean(new int[] {-1}, true)).add(config.normEps()).pow(-0.5);
        return x.mul(scale).mul(weights.get(name + ".weight"));
    }

    /** [batch, length, dim] to [batch, heads, length, headDim]. */
    private NDArray heads(NDArray x) {
        Shape shape = x.getShape();
        return x.reshape(shape.get(0), shape.get(1), config.heads(), config.headDim()).transpose(0, 2, 1, 3);
    }

    /** Rotary positions, half-split: (a, b) becomes (a·cos − b·sin, b·cos + a·sin). */
    private NDArray rotated(NDArray x) {
        return Libtorch.block(x, t -> {
            NDList halves = t.split(2, 3);
            NDArray a = halves.get(0);
            NDArray b = halves.get(1);
            return a.mul(cos).sub(b.mul(sin)).concat(b.mul(cos).add(a.mul(sin)), -1);
        });
    }

    /** Cosines or sines of all angles: {@code [length, headDim/2]}. */
    private NDArray rotations(int length, boolean sine) {
        int half = config.headDim() / 2;
        float[] table = new float[length * half];
        for (int position = 0; position < length; position++) {
            for (int j = 0; j < half; j++) {
                double angle = position * Math.pow(ROPE_THETA, -2.0 * j / config.headDim());
                table[position * half + j] = (float) (sine ? Math.sin(angle) : Math.cos(angle));
            }
        }
        return manager.create(table, new Shape(length, half));
    }

    @Override
    public void close() {
        manager.close();
    }
}
