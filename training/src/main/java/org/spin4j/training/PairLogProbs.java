package org.spin4j.training;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;
import org.spin4j.engine.Decoder;
import org.spin4j.engine.SelectRows;
import org.spin4j.engine.Tape;
import org.spin4j.engine.Tensor;
import org.spin4j.engine.TokenLogProbs;
import org.spin4j.engine.Workspace;
import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.Storage;

/** Log-probabilities that a frozen model gives to responses, a batch of trees at a time. */
final class PairLogProbs {
    /** Tokens of one forward pass: enough to keep the matrix products busy, few enough to stay in memory. */
    static final int BATCH_TOKENS = 4096;

    private PairLogProbs() {}

    /** Pairs as a forest: each prompt with two children, chosen before rejected. */
    static FlatBatch batch(List<Examples.Pair> pairs) {
        FlatBatch.Builder b = new FlatBatch.Builder();
        for (Examples.Pair pair : pairs) {
            int prompt = b.root(pair.prompt());
            int end = b.tokens() - 1;
            b.response(prompt, end, pair.chosen());
            b.response(prompt, end, pair.rejected());
        }
        return b.build();
    }

    static double sum(Storage logProbs, int from, int count) {
        double sum = 0;
        for (int i = from; i < from + count; i++) {
            sum += logProbs.get(i);
        }
        return sum;
    }

    /** Log-probability of each token of both responses of one pair. */
    record Tokens(double[] chosen, double[] rejected) {
        Examples.PairLogProbs sums() {
            return new Examples.PairLogProbs(java.util.Arrays.stream(chosen).sum(),
                    java.util.Arrays.stream(rejected).sum());
        }
    }

    /** Log-probabilities of all pairs, in order. */
    static List<Tokens> ofPairs(Decoder model, Kernels kernels, List<Examples.Pair> pairs, IntConsumer done) {
        List<Tokens> out = new ArrayList<>(pairs.size());
        try (Workspace workspace = new Workspace(model.parameters().type())) {
            int next = 0;
            while (next < pairs.size()) {
                int from = next;
                int tokens = 0;
                do {
                    tokens += pairs.get(next++).tokens();
                } while (next < pairs.size() && tokens + pairs.get(next).tokens() <= BATCH_TOKENS);
                List<Examples.Pair> some = pairs.subList(from, next);
                Storage logProbs = forward(model, Tape.inference(kernels, workspace), batch(some));
                int at = 0;
                for (Examples.Pair pair : some) {
                    double[] chosen = copy(logProbs, at, pair.chosen().length);
                    at += chosen.length;
                    double[] rejected = copy(logProbs, at, pair.rejected().length);
                    at += rejected.length;
                    out.add(new Tokens(chosen, rejected));
                }
                done.accept(next);
            }
        }
        return out;
    }

    /** Log-probability of each token of each response, in order. */
    static List<double[]> ofResponses(Decoder model, Kernels kernels, List<Examples.Response> responses,
            IntConsumer done) {
        List<double[]> out = new ArrayList<>(responses.size());
        try (Workspace workspace = new Workspace(model.parameters().type())) {
            int next = 0;
            while (next < responses.size()) {
                int from = next;
                FlatBatch.Builder b = new FlatBatch.Builder();
                do {
                    Examples.Response r = responses.get(next++);
                    int prompt = b.root(r.prompt());
                    b.response(prompt, b.tokens() - 1, r.response());
                } while (next < responses.size() && b.tokens() + responses.get(next).prompt().length
                        + responses.get(next).response().length <= BATCH_TOKENS);
                Storage logProbs = forward(model, Tape.inference(kernels, workspace), b.build());
                int at = 0;
                for (int i = from; i < next; i++) {
                    out.add(copy(logProbs, at, responses.get(i).response().length));
                    at += responses.get(i).response().length;
                }
                done.accept(next);
            }
        }
        return out;
    }

    private static Storage forward(Decoder model, Tape tape, FlatBatch batch) {
        Tensor hidden = model.forward(tape, batch.ids(), batch.forest());
        return TokenLogProbs.apply(tape, SelectRows.apply(tape, hidden, batch.rows()), model.head(), batch.targets())
                .logProbs().data();
    }

    private static double[] copy(Storage s, int from, int count) {
        double[] out = new double[count];
        for (int i = 0; i < count; i++) {
            out[i] = s.get(from + i);
        }
        return out;
    }
}
