package org.spin4j.training;

import java.util.Locale;

/** The preference losses, by TRL's names and, for SPIN's four, by the name of ℓ. The formulas are in {@link PairLoss}. */
public enum LossType {
    /** DPO; with label smoothing conservative DPO. */
    SIGMOID,
    /** SLiC's hinge on the DPO margin. */
    HINGE,
    /** Identity preference optimisation, log-ratios per token. */
    IPO,
    /** Identity preference optimisation as printed in its paper, log-ratios summed. */
    IPO_SUM,
    /** Efficient exact optimisation; needs label smoothing. */
    EXO_PAIR,
    /** Noise contrastive alignment. */
    NCA_PAIR,
    /** DPO corrected for labels flipped with a known probability, which is the label smoothing. */
    ROBUST,
    /** Binary classifier optimisation, without the running mean of rewards. */
    BCO_PAIR,
    /** Self-play preference optimisation with hard labels. */
    SPPO_HARD,
    /** Anchored preference optimisation: chosen up, rejected down. */
    APO_ZERO,
    /** Anchored preference optimisation: both down, rejected further. */
    APO_DOWN,
    /** The loss that a language model discovered. */
    DISCOPOP,
    /** DPO on log-ratios per token. */
    SIGMOID_NORM,
    /** SPIN, ℓ(t) = log(1 + e^−t). */
    SPIN_LOGISTIC,
    /** SPIN, ℓ(t) = max(0, 1 − t). */
    SPIN_HINGE,
    /** SPIN, ℓ(t) = 1 − t. */
    SPIN_CORRELATION,
    /** SPIN, ℓ(t) = e^−t. */
    SPIN_EXPONENTIAL;

    /** The name used in a configuration, {@code exo_pair} for instance. */
    public String key() {
        return name().toLowerCase(Locale.ROOT);
    }
}
