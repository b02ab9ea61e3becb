package org.spin4j.engine;

import java.util.BitSet;
import java.util.List;
import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.Storage;

/** Chooses the next token of each sample from its row of logits, which may lie on a device and stay there. */
final class TokenChoice {
    private final Sampling sampling;

    TokenChoice(Sampling sampling) {
        this.sampling = sampling;
    }

    /**
     * Adds a token to each draft.
     *
     * @param logits [drafts, vocabulary]
     */
    void next(Tape tape, Tensor logits, List<Draft> drafts) {
        int n = drafts.size();
        int vocab = logits.cols();
        Kernels kernels = tape.kernels();
        Storage logSumExp = tape.scratch(n);
        boolean greedy = sampling.temperature() == 0;
        boolean penalty = sampling.repetitionPenalty() != 1;
        Tensor scores = logits;
        if (!greedy || penalty) {
            scores = tape.tensor(n, vocab);
            scores.data().copyFrom(logits.data());
        }
        if (penalty) {
            int[] seen = seen(drafts, vocab);
            kernels.repetitionPenalty(seen, seen.length, sampling.repetitionPenalty(), scores.data());
        }
        int[] ids = new int[n];
        if (greedy) {
            kernels.argmaxRows(n, vocab, scores.data(), ids);
        } else {
            double[] uniforms = drafts.stream().mapToDouble(Draft::nextUniform).toArray();
            kernels.softmaxRows(n, vocab, 1 / sampling.temperature(), scores.data(), logSumExp);
            kernels.sampleRows(n, vocab, sampling.topK(), sampling.topP(), sampling.minP(), scores.data(), uniforms,
                    ids);
        }
        int[] places = new int[n];
        for (int i = 0; i < n; i++) {
            places[i] = Math.addExact(Math.multiplyExact(i, vocab), ids[i]);
        }
        Storage chosen = tape.scratch(n);
        kernels.gatherRows(places, n, 1, logits.data(), false, chosen);
        if (penalty || sampling.temperature() != 1) {
            kernels.softmaxRows(n, vocab, 1, logits.data(), logSumExp);
        }
        for (int i = 0; i < n; i++) {
            drafts.get(i).add(ids[i], chosen.get(i) - logSumExp.get(i));
        }
    }

    /** Where in [drafts, vocabulary] the tokens lie that each draft has had, in prompt or sample. */
    private static int[] seen(List<Draft> drafts, int vocab) {
        int[] places = new int[drafts.stream().mapToInt(draft -> draft.seen().cardinality()).sum()];
        int count = 0;
        for (int i = 0; i < drafts.size(); i++) {
            BitSet seen = drafts.get(i).seen();
            for (int id = seen.nextSetBit(0); id >= 0; id = seen.nextSetBit(id + 1)) {
                places[count++] = Math.addExact(Math.multiplyExact(i, vocab), id);
            }
        }
        return places;
    }
}
