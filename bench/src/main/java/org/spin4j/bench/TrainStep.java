package org.spin4j.bench;

import java.lang.foreign.Arena;
import org.spin4j.engine.Decoder;
import org.spin4j.engine.Parameters;
import org.spin4j.engine.Tape;
import org.spin4j.engine.Tensor;
import org.spin4j.engine.TokenLogProbs;
import org.spin4j.engine.Workspace;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Forest;
import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.Storage;

/** A model in training: each {@link #run} is a forward pass, a backward pass and an AdamW update on the same batch. */
public final class TrainStep implements AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final Kernels kernels;
    private final Decoder decoder;
    private final Workspace workspace = new Workspace(DType.F32);
    private final Forest forest;
    private final int[] inputs;
    private final int[] targets;
    private final Storage mean;
    private final Storage squares;
    private int step;

    /** A model with fresh weights, the same ones every time. */
    public TrainStep(Kernels kernels, TrainSetup setup) {
        this.kernels = kernels;
        decoder = Decoder.random(setup.config(), DType.F32, 1);
        forest = setup.forest();
        inputs = setup.inputs();
        targets = setup.targets();
        Parameters p = decoder.parameters();
        p.requireGradients();
        mean = Storage.allocate(arena, DType.F32, p.data().size());
        squares = Storage.allocate(arena, DType.F32, p.data().size());
    }

    /** The weights, for a peer to start from. */
    public Parameters parameters() {
        return decoder.parameters();
    }

    /** One step. Returns the mean negative log-probability of the targets before the update, in nats per token. */
    public double run() {
        Parameters p = decoder.parameters();
        p.grad().zero();
        Tape tape = Tape.recording(kernels, workspace);
        Tensor hidden = decoder.forward(tape, inputs, forest);
        Tensor logProbs = TokenLogProbs.apply(tape, hidden, decoder.head(), targets).logProbs();
        Storage seed = tape.seed(logProbs);
        double loss = 0;
        for (int i = 0; i < targets.length; i++) {
            loss -= logProbs.data().get(i) / targets.length;
            seed.set(i, -1.0 / targets.length);
        }
        tape.backward();
        kernels.adamW(p.data().size(), p.data(), p.grad(), mean, squares, TrainSetup.LEARNING_RATE, TrainSetup.BETA1,
                TrainSetup.BETA2, TrainSetup.EPSILON, TrainSetup.WEIGHT_DECAY, 1, ++step);
        return loss;
    }

    @Override
    public void close() {
        workspace.close();
        decoder.close();
        arena.close();
    }
}
