package org.spin4j.training;

import java.util.ArrayList;
import java.util.List;
import org.spin4j.engine.Decoder;
import org.spin4j.engine.SelectRows;
import org.spin4j.engine.Tape;
import org.spin4j.engine.Tensor;
import org.spin4j.engine.TokenLogProbs;
import org.spin4j.engine.Workspace;
import org.spin4j.kernels.Storage;

/**
 * How a model does on held-out responses: the mean negative log-likelihood says whether it still speaks its language, which
 * margins alone do not.
 *
 * @param nllPerToken nats per response token
 * @param tokens      response tokens
 */
public record HeldOut(double nllPerToken, long tokens) {
    /** Of responses to prompts. */
    public static HeldOut of(RunContext context, Decoder model, List<Examples.Response> responses) {
        return ofSequences(context, model,
                responses.stream().map(r -> Examples.Sequence.of(r.prompt(), r.response())).toList());
    }

    /** Of the labelled tokens of sequences. */
    static HeldOut ofSequences(RunContext context, Decoder model, List<Examples.Sequence> sequences) {
        double sum = 0;
        long tokens = 0;
        try (Workspace workspace = new Workspace(model.parameters().type())) {
            List<Examples.Sequence> some = new ArrayList<>();
            int size = 0;
            for (int i = 0; i < sequences.size(); i++) {
                some.add(sequences.get(i));
                size += sequences.get(i).ids().length;
                boolean last = i + 1 == sequences.size();
                if (last || size + sequences.get(i + 1).ids().length > PairLogProbs.BATCH_TOKENS) {
                    FlatBatch batch = SftObjective.batch(some);
                    if (batch.rows().length > 0) {
                        Tape tape = Tape.inference(context.kernels(), workspace);
                        Tensor hidden = model.forward(tape, batch.ids(), batch.forest());
                        Storage logProbs = TokenLogProbs.apply(tape, SelectRows.apply(tape, hidden, batch.rows()),
                                model.head(), batch.targets()).logProbs().data();
                        sum -= PairLogProbs.sum(logProbs, 0, batch.rows().length);
                        tokens += batch.rows().length;
                    }
                    some.clear();
                    size = 0;
                }
            }
        }
        return new HeldOut(sum / tokens, tokens);
    }
}
