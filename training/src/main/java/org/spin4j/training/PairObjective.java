package org.spin4j.training;

import java.util.List;
import org.spin4j.engine.Decoder;
import org.spin4j.engine.SelectRows;
import org.spin4j.engine.Tape;
import org.spin4j.engine.Tensor;
import org.spin4j.engine.TokenLogProbs;
import org.spin4j.kernels.Storage;

/**
 * Mean of a {@link PairLoss} over pairs: DPO (arXiv 2305.18290, eq. 7) with labelled pairs, SPIN (arXiv 2401.01335, eq. 4.7)
 * with real and self-generated ones. A pair is one tree, the prompt with two children, so its prompt is computed once.
 *
 * @param beta only for the logged rewards β(log π - log π_ref); the loss has its own
 */
record PairObjective(PairLoss loss, double beta) implements Objective<Examples.ReferencedPair> {
    @Override
    public double units(Examples.ReferencedPair item) {
        return 1;
    }

    @Override
    public int tokens(Examples.ReferencedPair item) {
        return item.pair().tokens();
    }

    @Override
    public void accumulate(Tape tape, Decoder policy, List<Examples.ReferencedPair> items, double totalUnits,
            MetricSums metrics) {
        FlatBatch batch = PairLogProbs.batch(items.stream().map(Examples.ReferencedPair::pair).toList());
        Tensor hidden = policy.forward(tape, batch.ids(), batch.forest());
        TokenLogProbs p = TokenLogProbs.apply(tape, SelectRows.apply(tape, hidden, batch.rows()), policy.head(),
                batch.targets());
        Storage logProbs = p.logProbs().data();
        Storage gradient = tape.seed(p.logProbs());
        int at = 0;
        for (Examples.ReferencedPair item : items) {
            int chosenLength = item.pair().chosen().length;
            int rejectedLength = item.pair().rejected().length;
            double chosen = PairLogProbs.sum(logProbs, at, chosenLength);
            double rejected = PairLogProbs.sum(logProbs, at + chosenLength, rejectedLength);
            PairResult r = loss.evaluate(new PairInput(chosen, rejected, item.reference().chosen(),
                    item.reference().rejected(), chosenLength, rejectedLength));
            for (int i = 0; i < chosenLength; i++) {
                gradient.set(at + i, r.dPolicyChosen() / totalUnits);
            }
            for (int i = chosenLength; i < chosenLength + rejectedLength; i++) {
                gradient.set(at + i, r.dPolicyRejected() / totalUnits);
            }
            double rewardChosen = beta * (chosen - item.reference().chosen());
            double rewardRejected = beta * (rejected - item.reference().rejected());
            metrics.add("loss", r.loss(), 1);
            metrics.add("rewards/chosen", rewardChosen, 1);
            metrics.add("rewards/rejected", rewardRejected, 1);
            metrics.add("rewards/accuracies", rewardChosen > rewardRejected ? 1 : 0, 1);
            metrics.add("rewards/margins", rewardChosen - rewardRejected, 1);
            metrics.add("logps/chosen", chosen, 1);
            metrics.add("logps/rejected", rejected, 1);
            for (int i = at; i < at + chosenLength + rejectedLength; i++) {
                metrics.add("entropy", p.entropy().get(i), 1);
                if (i < at + chosenLength) {
                    metrics.add("mean_token_accuracy", p.argmax()[i] == batch.targets()[i] ? 1 : 0, 1);
                }
            }
            at += chosenLength + rejectedLength;
        }
        tape.backward();
    }
}
