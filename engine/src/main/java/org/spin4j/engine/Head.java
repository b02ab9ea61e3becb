package org.spin4j.engine;

/**
 * What turns hidden rows into logits: h·Wᵀ, under a smooth bound where the family has one (Gemma 2, arXiv 2408.00118).
 *
 * @param weight  [vocabulary, dim]: the token embedding where the head is tied
 * @param softcap logits become softcap · tanh(logit / softcap); 0 = they stay
 */
public record Head(Parameter weight, double softcap) {
    /**
     * All logits, for sampling: no gradient flows through the bound. To train, take {@link TokenLogProbs}.
     *
     * @param hidden [n, dim]
     * @return [n, vocabulary]
     */
    public Tensor logits(Tape tape, Tensor hidden) {
        if (tape.isRecording()) {
            throw new IllegalStateException("expected a tape for inference, found one that records");
        }
        Tensor logits = Linear.apply(tape, hidden, weight, null, null);
        if (softcap != 0) {
            tape.kernels().softcap(logits.size(), softcap, logits.data());
        }
        return logits;
    }
}
