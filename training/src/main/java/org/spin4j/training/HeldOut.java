package org.spin4j.training;

import java.util.List;
import org.spin4j.engine.Decoder;

/**
 * How a model does on held-out responses: the mean negative log-likelihood says whether it still speaks its language, which
 * margins alone do not.
 *
 * @param nllPerToken nats per response token
 * @param tokens      response tokens
 */
record HeldOut(double nllPerToken, long tokens) {
    static HeldOut of(RunContext context, Decoder model, List<Examples.Response> responses) {
        double sum = 0;
        long tokens = 0;
        for (double[] logProbs : PairLogProbs.ofResponses(model, context.kernels(), responses, n -> {})) {
            for (double p : logProbs) {
                sum -= p;
            }
            tokens += logProbs.length;
        }
        return new HeldOut(sum / tokens, tokens);
    }
}
