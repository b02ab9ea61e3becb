package org.spin4j.bench;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import java.util.HashMap;
import java.util.Map;
import org.spin4j.engine.Parameters;

/**
 * The work of {@link PairStep} in libtorch, as it is usually done: chosen and rejected sequences in one padded batch, logits
 * of all tokens, and in every step a forward pass of the frozen opponent too.
 */
final class LibtorchPairStep implements AutoCloseable {
    private final PairSetup setup;
    private final PairSetup.Rectangle batch;
    private final LibtorchDecoder policy;
    private final LibtorchDecoder opponent;
    private final NDArray inputs;
    private final NDArray targets;
    private final NDArray responses;
    private final NDArray mask;
    /** RMSProp's running mean of squared gradients, by name of the weight. */
    private final Map<String, NDArray> squares = new HashMap<>();

    /** A policy and an opponent with these weights, copied. */
    LibtorchPairStep(PairSetup setup, Parameters policyWeights, Parameters opponentWeights) {
        this.setup = setup;
        batch = setup.rectangle();
        policy = new LibtorchDecoder(setup.config(), policyWeights, batch.length(), true);
        opponent = new LibtorchDecoder(setup.config(), opponentWeights, batch.length(), false);
        NDManager manager = policy.manager();
        Shape rectangle = new Shape(batch.rows(), batch.length());
        inputs = manager.create(batch.inputs(), rectangle).toType(DataType.INT64, false);
        targets = manager.create(batch.targets(), new Shape(batch.inputs().length, 1)).toType(DataType.INT64, false);
        responses = manager.create(batch.responses(), rectangle);
        mask = manager.create(mask(), new Shape(batch.rows(), 1, batch.length(), batch.length()));
    }

    /** One step. */
    PairStep.Result run() {
        PairStep.Result result;
        try (NDManager step = policy.manager().newSubManager()) {
            inputs.tempAttach(step);
            NDArray reference = margins(opponent);
            try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
                NDArray margins = margins(policy).sub(reference).mul(PairSetup.BETA);
                // −log σ(x) = softplus(−x)
                NDArray loss = margins.neg().getNDArrayInternal().softPlus().mean();
                result = new PairStep.Result(loss.getFloat(), margins.mean().getFloat());
                collector.backward(loss);
            }
        }
        policy.update(this::rmsProp);
        return result;
    }

    /** log p(chosen) − log p(rejected) of each pair: {@code [pairs]}. */
    private NDArray margins(LibtorchDecoder model) {
        NDArray tokens = Libtorch.then(model.logProbs(inputs, mask), p -> p.gather(targets, 1));
        NDArray sums = tokens.reshape(batch.rows(), batch.length()).mul(responses).sum(new int[] {1});
        return sums.get(":" + setup.pairs()).sub(sums.get(setup.pairs() + ":"));
    }

    /** torch.optim.RMSprop: v = αv + (1−α)g², w −= rate · g / (√v + ε). */
    private void rmsProp(String name, NDArray weight, NDArray gradient) {
        NDArray v = squares.computeIfAbsent(name, n -> policy.manager().zeros(weight.getShape()));
        try (NDManager update = policy.manager().newSubManager()) {
            gradient.tempAttach(update);
            v.muli(PairSetup.ALPHA).addi(gradient.square().muli(1 - PairSetup.ALPHA));
            NDArray root = v.sqrt();
            root.attach(update);
            weight.subi(gradient.div(root.addi(PairSetup.EPSILON)).muli(PairSetup.LEARNING_RATE));
        }
    }

    /** Causal, and padding is seen by nobody: {@code [rows, 1, length, length]}. */
    private float[] mask() {
        int n = batch.length();
        float[] causal = Libtorch.causalMask(n);
        float[] mask = new float[batch.rows() * n * n];
        for (int row = 0; row < batch.rows(); row++) {
            System.arraycopy(causal, 0, mask, row * n * n, n * n);
            for (int query = 0; query < n; query++) {
                for (int key = batch.used()[row]; key < n; key++) {
                    mask[(row * n + query) * n + key] = Float.NEGATIVE_INFINITY;
                }
            }
        }
        return mask;
    }

    @Override
    public void close() {
        opponent.close();
        policy.close();
    }
}
