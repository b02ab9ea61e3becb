package org.spin4j.bench;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.GradientCollector;
import ai.djl.training.optimizer.AdamW;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import java.util.LinkedHashMap;
import java.util.Map;
import org.spin4j.engine.Parameters;

/**
 * The work of {@link TrainStep} in libtorch through DJL, as a PyTorch user writes it: one linear layer per projection, a
 * padded rectangle of tokens, attention as two batched products around a softmax, logits of all tokens, autograd, and DJL's
 * AdamW. All arithmetic is libtorch's, in float32.
 */
public final class LibtorchTrainStep implements AutoCloseable {
    private static final double ROPE_THETA = 10_000;
    private static final float NORM_EPSILON = 1e-5f;

    private final TrainSetup setup;
    private final int headDim;
    private final NDManager manager = NDManager.newBaseManager("PyTorch");
    private final Map<String, NDArray> weights = new LinkedHashMap<>();
    private final Optimizer optimizer;
    private final NDArray inputs;
    private final NDArray targets;
    private final NDArray cos;
    private final NDArray sin;
    private final NDArray mask;

    /** A model that starts from {@code parameters}, copied. */
    public LibtorchTrainStep(TrainSetup setup, Parameters parameters) {
        this.setup = setup;
        headDim = setup.dim() / setup.heads();
        for (String name : parameters.names()) {
            Shape shape = new Shape(parameters.shape(name));
            NDArray weight = manager.create(parameters.data(name).toFloats(), shape);
            weight.setRequiresGradient(true);
            weights.put(name, weight);
        }
        optimizer = AdamW.builder().optLearningRateTracker(Tracker.fixed((float) TrainSetup.LEARNING_RATE))
                .optBeta1((float) TrainSetup.BETA1).optBeta2((float) TrainSetup.BETA2)
                .optEpsilon((float) TrainSetup.EPSILON).optWeightDecays((float) TrainSetup.WEIGHT_DECAY).build();
        Shape rectangle = new Shape(setup.batch(), setup.length());
        inputs = manager.create(setup.inputs(), rectangle).toType(DataType.INT64, false);
        targets = manager.create(setup.targets(), new Shape(setup.tokens(), 1)).toType(DataType.INT64, false);
        cos = rotations(false);
        sin = rotations(true);
        mask = causalMask();
    }

    /** Version of libtorch. */
    public static String describe() {
        return "libtorch " + Engine.getEngine("PyTorch").getVersion() + " through DJL " + Engine.getDjlVersion();
    }

    /** Number of threads of all of libtorch's operations from now on. */
    public static void setThreads(int threads) {
        describe(); // loads the library, if nobody did
        JniUtils.setNumThreads(threads);
    }

    /** One step. Returns the mean cross-entropy before the update, in nats per token. */
    public double run() {
        double loss;
        // An operation's result belongs to the manager of its first operand: so the batch comes from the step's own
        // manager, and with it goes everything computed from it.
        try (NDManager step = manager.newSubManager();
                GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            inputs.tempAttach(step);
            NDArray logits = linear(hidden(), "model.embed_tokens");
            NDArray mean = logits.reshape(setup.tokens(), setup.vocabulary()).logSoftmax(-1).gather(targets, 1).mean()
                    .neg();
            loss = mean.getFloat();
            collector.backward(mean);
        }
        for (Map.Entry<String, NDArray> weight : weights.entrySet()) {
            try (NDArray gradient = weight.getValue().getGradient()) {
                optimizer.update(weight.getKey(), weight.getValue(), gradient);
                gradient.subi(gradient);
            }
        }
        return loss;
    }

    /** Hidden rows of the last layer: {@code [batch, length, dim]}. */
    private NDArray hidden() {
        NDArray table = weights.get("model.embed_tokens.weight");
        NDArray x = inputs.getNDArrayInternal().embedding(inputs, table, SparseFormat.DENSE).singletonOrThrow();
        for (int i = 0; i < setup.layers(); i++) {
            String at = "model.layers." + i + ".";
            x = x.add(attention(norm(x, at + "input_layernorm"), at + "self_attn."));
            x = x.add(feedForward(norm(x, at + "post_attention_layernorm"), at + "mlp."));
        }
        return norm(x, "model.norm");
    }

    private NDArray attention(NDArray x, String at) {
        NDArray q = rotated(heads(linear(x, at + "q_proj")));
        NDArray k = rotated(heads(linear(x, at + "k_proj")));
        NDArray v = heads(linear(x, at + "v_proj"));
        NDArray scores = q.matMul(k.transpose(0, 1, 3, 2)).mul(1 / Math.sqrt(headDim)).add(mask);
        NDArray mixed = scores.softmax(-1).matMul(v).transpose(0, 2, 1, 3);
        return linear(mixed.reshape(setup.batch(), setup.length(), setup.dim()), at + "o_proj");
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
        NDArray scale = x.square().mean(new int[] {-1}, true).add(NORM_EPSILON).pow(-0.5);
        return x.mul(scale).mul(weights.get(name + ".weight"));
    }

    /** [batch, length, dim] to [batch, heads, length, headDim]. */
    private NDArray heads(NDArray x) {
        return x.reshape(setup.batch(), setup.length(), setup.heads(), headDim).transpose(0, 2, 1, 3);
    }

    /** Rotary positions, half-split: (a, b) becomes (a·cos − b·sin, b·cos + a·sin). */
    private NDArray rotated(NDArray x) {
        NDList halves = x.split(2, 3);
        NDArray a = halves.get(0);
        NDArray b = halves.get(1);
        return a.mul(cos).sub(b.mul(sin)).concat(b.mul(cos).add(a.mul(sin)), -1);
    }

    /** Cosines or sines of all angles: {@code [length, headDim/2]}. */
    private NDArray rotations(boolean sine) {
        int half = headDim / 2;
        float[] table = new float[setup.length() * half];
        for (int position = 0; position < setup.length(); position++) {
            for (int j = 0; j < half; j++) {
                double angle = position * Math.pow(ROPE_THETA, -2.0 * j / headDim);
                table[position * half + j] = (float) (sine ? Math.sin(angle) : Math.cos(angle));
            }
        }
        return manager.create(table, new Shape(setup.length(), half));
    }

    /** To be added to scores: minus infinity where a key lies after its query, else 0. */
    private NDArray causalMask() {
        int n = setup.length();
        float[] table = new float[n * n];
        for (int query = 0; query < n; query++) {
            for (int key = query + 1; key < n; key++) {
                table[query * n + key] = Float.NEGATIVE_INFINITY;
            }
        }
        return manager.create(table, new Shape(n, n));
    }

    @Override
    public void close() {
        manager.close();
    }
}
