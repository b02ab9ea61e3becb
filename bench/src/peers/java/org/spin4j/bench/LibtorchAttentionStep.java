package org.spin4j.bench;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.GradientCollector;
import java.util.ArrayList;
import java.util.List;

/**
 * The work of {@link AttentionStep} in libtorch: two batched products around a masked softmax, and autograd. Queries, keys
 * and values lie in memory as libtorch's products like them, {@code [batch, heads, length, headDim]} each.
 */
final class LibtorchAttentionStep implements AutoCloseable {
    private final NDManager manager = NDManager.newBaseManager("PyTorch");
    /** Queries, keys, values. */
    private final List<NDArray> operands = new ArrayList<>();
    private final NDArray dOut;
    private final NDArray mask;
    private final int batch;
    private final int length;
    private final int heads;
    private final int headDim;

    /** The operands of {@code ours}, copied. */
    LibtorchAttentionStep(AttentionStep ours, int batch, int length, int heads, int headDim) {
        this.batch = batch;
        this.length = length;
        this.heads = heads;
        this.headDim = headDim;
        float[] packed = ours.qkv();
        for (int i = 0; i < 3; i++) {
            operands.add(byHead(Numbers.columns(packed, 3, i, heads * headDim)));
        }
        dOut = byHead(ours.dOut());
        mask = manager.create(Libtorch.causalMask(length), new Shape(length, length));
    }

    /** [tokens, heads, headDim] to [batch, heads, length, headDim], row-major in memory. */
    private NDArray byHead(float[] tokens) {
        float[] rows = new float[tokens.length];
        for (int token = 0; token < batch * length; token++) {
            for (int head = 0; head < heads; head++) {
                int row = (token / length * heads + head) * length + token % length;
                System.arraycopy(tokens, (token * heads + head) * headDim, rows, row * headDim, headDim);
            }
        }
        try (NDArray java = manager.create(rows, new Shape(batch, heads, length, headDim))) {
            return java.duplicate(); // in libtorch's own memory
        }
    }

    /** Forward and backward pass. */
    void run() {
        try (NDManager step = manager.newSubManager()) {
            pass(step);
        }
    }

    /**
     * Forward and backward pass, and what they found.
     *
     * @return output, then the gradients of queries, keys and values, {@code [tokens, heads, headDim]} each
     */
    List<float[]> results() {
        try (NDManager step = manager.newSubManager()) {
            List<float[]> all = new ArrayList<>();
            for (NDArray result : pass(step)) {
                all.add(result.transpose(0, 2, 1, 3).toFloatArray());
            }
            return all;
        }
    }

    private List<NDArray> pass(NDManager step) {
        List<NDArray> leaves = new ArrayList<>();
        List<NDArray> results = new ArrayList<>();
        try (GradientCollector _ = Engine.getEngine("PyTorch").newGradientCollector()) {
            for (NDArray operand : operands) {
                // A new leaf over the same memory: no gradient of an earlier pass is added to.
                NDArray leaf = operand.stopGradient();
                leaf.attach(step);
                leaf.setRequiresGradient(true);
                leaves.add(leaf);
            }
            NDArray out = Libtorch.attention(leaves.get(0), leaves.get(1), leaves.get(2), mask);
            JniUtils.backward((PtNDArray) out, (PtNDArray) dOut, false, false);
            results.add(out);
        }
        leaves.forEach(leaf -> {
            NDArray gradient = leaf.getGradient();
            gradient.attach(step);
            results.add(gradient);
        });
        return results;
    }

    @Override
    public void close() {
        manager.close();
    }
}
