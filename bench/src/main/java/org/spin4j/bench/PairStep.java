package org.spin4j.bench;

import java.lang.foreign.Arena;
import org.spin4j.engine.Decoder;
import org.spin4j.engine.Parameters;
import org.spin4j.engine.RandomStream;
import org.spin4j.engine.SelectRows;
import org.spin4j.engine.Tape;
import org.spin4j.engine.Tensor;
import org.spin4j.engine.TokenLogProbs;
import org.spin4j.engine.Workspace;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.Storage;
import org.spin4j.training.LossType;
import org.spin4j.training.PairInput;
import org.spin4j.training.PairLoss;
import org.spin4j.training.PairResult;

/**
 * SPIN's training step: each {@link #run} is a forward pass, the logistic loss of the pairs, a backward pass and an RMSProp
 * update on the same batch. Log-probabilities under the frozen opponent are computed once, in the constructor, as spin4j does
 * once per SPIN iteration.
 */
public final class PairStep implements AutoCloseable {
    /** How far the opponent's weights lie from the policy's, so that the first margins are not 0. */
    private static final double DISTANCE = 0.01;

    /**
     * What a step finds before its update.
     *
     * @param loss   mean of the pairs
     * @param margin mean of β times the difference of log-ratios
     */
    public record Result(double loss, double margin) {}

    private final Arena arena = Arena.ofShared();
    private final Kernels kernels;
    private final PairSetup setup;
    private final Decoder policy;
    private final Decoder opponent;
    private final Workspace workspace = new Workspace(DType.F32);
    private final PairLoss loss = PairLoss.of(LossType.SPIN_LOGISTIC, PairSetup.BETA, 0);
    private final PairSetup.Trees batch;
    private final Storage squares;
    /** Sums of the opponent's log-probabilities: pair after pair, chosen before rejected. */
    private final double[] references;

    /** A policy with fresh weights and an opponent near it, the same ones every time. */
    public PairStep(Kernels kernels, PairSetup setup) {
        this.kernels = kernels;
        this.setup = setup;
        batch = setup.trees();
        policy = Decoder.random(setup.config(), DType.F32, 1);
        opponent = policy.copy();
        Storage weights = opponent.parameters().data();
        RandomStream random = RandomStream.of(1, "opponent", 0);
        for (long i = 0; i < weights.size(); i++) {
            weights.set(i, weights.get(i) + DISTANCE * random.nextGaussian());
        }
        references = sums(logProbs(Tape.inference(kernels, workspace), opponent));
        policy.parameters().requireGradients();
        squares = Storage.allocate(arena, DType.F32, policy.parameters().data().size());
    }

    /** The policy's weights, for a peer to start from. */
    public Parameters policy() {
        return policy.parameters();
    }

    /** The opponent's weights. */
    public Parameters opponent() {
        return opponent.parameters();
    }

    /** One step. */
    public Result run() {
        Parameters p = policy.parameters();
        p.grad().zero();
        Tape tape = Tape.recording(kernels, workspace);
        Tensor logProbs = logProbs(tape, policy);
        Storage gradient = tape.seed(logProbs);
        double[] sums = sums(logProbs);
        double totalLoss = 0;
        double totalMargin = 0;
        int at = 0;
        for (int i = 0; i < setup.pairs(); i++) {
            int chosen = batch.forest().length(3 * i + 1);
            int rejected = batch.forest().length(3 * i + 2);
            PairInput in = new PairInput(sums[2 * i], sums[2 * i + 1], references[2 * i], references[2 * i + 1],
                    chosen, rejected);
            PairResult r = loss.evaluate(in);
            totalLoss += r.loss();
            totalMargin += PairSetup.BETA * (in.chosenLogRatio() - in.rejectedLogRatio());
            for (int j = 0; j < chosen + rejected; j++) {
                gradient.set(at++, (j < chosen ? r.dPolicyChosen() : r.dPolicyRejected()) / setup.pairs());
            }
        }
        tape.backward();
        kernels.rmsProp(p.data().size(), p.data(), p.grad(), squares, PairSetup.LEARNING_RATE, PairSetup.ALPHA,
                PairSetup.EPSILON, 0, 1);
        return new Result(totalLoss / setup.pairs(), totalMargin / setup.pairs());
    }

    private Tensor logProbs(Tape tape, Decoder model) {
        Tensor hidden = model.forward(tape, batch.ids(), batch.forest());
        return TokenLogProbs.apply(tape, SelectRows.apply(tape, hidden, batch.rows()), model.head(), batch.targets())
                .logProbs();
    }

    /** Sum of the log-probabilities of each response. */
    private double[] sums(Tensor logProbs) {
        double[] sums = new double[2 * setup.pairs()];
        int at = 0;
        for (int i = 0; i < sums.length; i++) {
            // A tree is a prompt and two responses.
            int end = at + batch.forest().length(i / 2 * 3 + 1 + i % 2);
            for (; at < end; at++) {
                sums[i] += logProbs.data().get(at);
            }
        }
        return sums;
    }

    @Override
    public void close() {
        workspace.close();
        opponent.close();
        policy.close();
        arena.close();
    }
}
