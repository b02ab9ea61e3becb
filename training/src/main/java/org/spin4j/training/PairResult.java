package org.spin4j.training;

/**
 * One pair's loss and its derivatives by the two log-probabilities that depend on the weights.
 *
 * @param loss the loss of this pair alone
 * @param dPolicyChosen ∂loss/∂{@link PairInput#policyChosen}
 * @param dPolicyRejected ∂loss/∂{@link PairInput#policyRejected}
 */
public record PairResult(double loss, double dPolicyChosen, double dPolicyRejected) {}
