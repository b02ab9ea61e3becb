package org.spin4j.bench;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import ai.djl.training.optimizer.AdamW;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import org.spin4j.engine.Parameters;

/** The work of {@link TrainStep} in libtorch: {@link LibtorchDecoder}, autograd, and DJL's AdamW. */
public final class LibtorchTrainStep implements AutoCloseable {
    private final LibtorchDecoder decoder;
    private final Optimizer optimizer;
    private final NDArray inputs;
    private final NDArray targets;
    private final NDArray mask;

    /** A model that starts from {@code parameters}, copied. */
    public LibtorchTrainStep(TrainSetup setup, Parameters parameters) {
        decoder = new LibtorchDecoder(setup.config(), parameters, setup.length(), true);
        optimizer = AdamW.builder().optLearningRateTracker(Tracker.fixed((float) TrainSetup.LEARNING_RATE))
                .optBeta1((float) TrainSetup.BETA1).optBeta2((float) TrainSetup.BETA2)
                .optEpsilon((float) TrainSetup.EPSILON).optWeightDecays((float) TrainSetup.WEIGHT_DECAY).build();
        NDManager manager = decoder.manager();
        Shape rectangle = new Shape(setup.batch(), setup.length());
        inputs = manager.create(setup.inputs(), rectangle).toType(DataType.INT64, false);
        targets = manager.create(setup.targets(), new Shape(setup.tokens(), 1)).toType(DataType.INT64, false);
        mask = manager.create(Libtorch.causalMask(setup.length()), new Shape(setup.length(), setup.length()));
    }

    /** One step. Returns the mean cross-entropy before the update, in nats per token. */
    public double run() {
        double loss;
        // The batch comes from the step's own manager, and with it goes everything computed from it.
        try (NDManager step = decoder.manager().newSubManager();
                GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            inputs.tempAttach(step);
            NDArray mean = Libtorch.then(decoder.logProbs(inputs, mask), p -> p.gather(targets, 1)).mean().neg();
            loss = mean.getFloat();
            collector.backward(mean);
        }
        decoder.update(optimizer::update);
        return loss;
    }

    @Override
    public void close() {
        decoder.close();
    }
}
