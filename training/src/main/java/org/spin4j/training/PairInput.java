package org.spin4j.training;

/**
 * What a preference loss may look at: the summed log-probabilities (nats) of both responses given the prompt, and their
 * lengths.
 *
 * <p>SPIN's words: chosen = real, rejected = generated, reference = opponent.
 *
 * @param policyChosen log-probability of the chosen response under the model being trained, summed over its tokens
 * @param policyRejected the same of the rejected response
 * @param refChosen log-probability of the chosen response under the frozen reference
 * @param refRejected the same of the rejected response
 * @param chosenLength tokens of the chosen response, at least 1
 * @param rejectedLength tokens of the rejected response, at least 1
 */
public record PairInput(double policyChosen, double policyRejected, double refChosen, double refRejected,
        int chosenLength, int rejectedLength) {

    /** Lengths divide in some losses. */
    public PairInput {
        if (chosenLength < 1 || rejectedLength < 1) {
            throw new IllegalArgumentException("expected responses of at least one token, found " + chosenLength
                    + " and " + rejectedLength);
        }
    }

    /** Log-ratio of the chosen response, {@code log π(y⁺|x) − log π_ref(y⁺|x)}; β times it is DPO's implicit reward. */
    public double chosenLogRatio() {
        return policyChosen - refChosen;
    }

    /** Log-ratio of the rejected response. */
    public double rejectedLogRatio() {
        return policyRejected - refRejected;
    }
}
