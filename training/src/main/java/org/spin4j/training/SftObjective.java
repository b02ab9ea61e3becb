package org.spin4j.training;

import java.util.List;
import org.spin4j.engine.Decoder;
import org.spin4j.engine.SelectRows;
import org.spin4j.engine.Tape;
import org.spin4j.engine.Tensor;
import org.spin4j.engine.TokenLogProbs;
import org.spin4j.kernels.Storage;

/**
 * Supervised fine-tuning: mean negative log-likelihood of the labelled tokens, SPIN eq. 3.1.
 *
 * @param dropout probability with which a training pass drops activations
 */
record SftObjective(double dropout) implements Objective<Examples.Sequence> {
    @Override
    public double units(Examples.Sequence item) {
        return item.targets();
    }

    @Override
    public int tokens(Examples.Sequence item) {
        return item.ids().length;
    }

    @Override
    public void accumulate(Tape tape, Decoder policy, List<Examples.Sequence> items, double totalUnits,
            MetricSums metrics) {
        FlatBatch batch = batch(items);
        int n = batch.rows().length;
        if (n == 0) {
            return;
        }
        Tensor hidden = policy.forward(tape, batch.ids(), batch.forest());
        TokenLogProbs p = TokenLogProbs.apply(tape, SelectRows.apply(tape, hidden, batch.rows()), policy.head(),
                batch.targets());
        Storage gradient = tape.seed(p.logProbs());
        for (int i = 0; i < n; i++) {
            gradient.set(i, -1 / totalUnits);
            metrics.add("loss", -p.logProbs().data().get(i), 1);
            metrics.add("entropy", p.entropy().get(i), 1);
            metrics.add("mean_token_accuracy", p.argmax()[i] == batch.targets()[i] ? 1 : 0, 1);
        }
        tape.backward();
    }

    /** Sequences as trees of one segment, with every labelled token asked for at the token before it. */
    static FlatBatch batch(List<Examples.Sequence> items) {
        FlatBatch.Builder b = new FlatBatch.Builder();
        for (Examples.Sequence item : items) {
            int start = b.tokens();
            b.root(item.ids());
            for (int t = 1; t < item.ids().length; t++) {
                if (item.labels()[t] != Row.Labelled.NO_LOSS) {
                    b.predict(start + t - 1, item.labels()[t]);
                }
            }
        }
        return b.build();
    }
}
