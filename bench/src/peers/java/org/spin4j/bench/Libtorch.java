package org.spin4j.bench;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.jni.JniUtils;
import java.util.function.UnaryOperator;

/** The library beside which spin4j is measured, and what its programs here have in common. */
final class Libtorch {
    private Libtorch() {}

    /** Versions; loads the library. */
    static String describe() {
        return "libtorch " + Engine.getEngine("PyTorch").getVersion() + " through DJL " + Engine.getDjlVersion();
    }

    /** Number of threads of all of libtorch's operations from now on. */
    static void setThreads(int threads) {
        describe(); // loads the library, if nobody did
        JniUtils.setNumThreads(threads);
    }

    /**
     * Attention as two batched products around a softmax.
     *
     * @param q    [batch, heads, length, headDim]
     * @param k    like q
     * @param v    like q
     * @param mask added to the scores [batch, heads, length, length]: minus infinity where a key is not to be seen, else 0
     * @return [batch, heads, length, headDim]
     */
    static NDArray attention(NDArray q, NDArray k, NDArray v, NDArray mask) {
        double scale = 1 / Math.sqrt((double) q.getShape().get(3));
        NDArray scores = q.matMul(k.transpose(0, 1, 3, 2));
        NDArray masked = then(then(scores, s -> s.mul(scale)), s -> s.add(mask));
        return then(then(masked, s -> s.softmax(-1)), weights -> weights.matMul(v));
    }

    /** What {@link #attention} adds to scores so that a query sees no later key: {@code [length * length]}, row-major. */
    static float[] causalMask(int length) {
        float[] mask = new float[length * length];
        for (int query = 0; query < length; query++) {
            for (int key = query + 1; key < length; key++) {
                mask[query * length + key] = Float.NEGATIVE_INFINITY;
            }
        }
        return mask;
    }

    /**
     * A function of a value that nobody else needs: Java's handle of it is closed at once, as Python drops a temporary. What
     * the backward pass needs, autograd itself holds.
     */
    static NDArray then(NDArray x, UnaryOperator<NDArray> function) {
        try (NDArray temporary = x) {
            return function.apply(temporary);
        }
    }

    /**
     * The result of a block of operations on {@code x}, whose other values go when the block ends, as local variables go in
     * Python. It works because a result belongs to the manager of its first operand.
     */
    static NDArray block(NDArray x, UnaryOperator<NDArray> operations) {
        NDManager outside = x.getManager();
        try (NDManager inside = outside.newSubManager()) {
            x.tempAttach(inside);
            NDArray result = operations.apply(x);
            result.attach(outside);
            return result;
        }
    }
}
