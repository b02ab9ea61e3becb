package org.spin4j.engine;

import org.spin4j.kernels.DropoutMask;

/**
 * Dropout (Srivastava et al. 2014, JMLR 15) of one training pass, at the places where Vaswani et al. 2017 (arXiv 1706.03762, section
 * 5.4) have it: the sum of the embeddings, and the output of each sub-layer before it is added to the residual stream. What is dropped
 * is zero, what is kept is divided by 1 - p, so a pass that drops nothing computes the expectation of each place.
 *
 * <p>The probabilities of attention are not dropped, which some models are trained with (attention_dropout of Hugging Face): they are
 * never in memory. No mask is stored: it is a hash of key, site and place, which the backward step computes again.
 *
 * @param p   probability of being dropped, from 0 to below 1
 * @param key of the pass; another key, other places
 */
public record Dropout(double p, long key) {
    /** Drops nothing. */
    public static final Dropout NONE = new Dropout(0, 0);

    /** Refuses a probability that is none. */
    public Dropout {
        DropoutMask.requireProbability(p);
    }

    /** Whether there is anything to do. */
    boolean drops() {
        return p > 0;
    }

    /**
     * Forward step, in place; backward: the same numbers are dropped from the gradient.
     *
     * @param x    changed; no op may have kept it for its backward step
     * @param site which place in the model this is; each has a mask of its own
     */
    static void apply(Tape tape, Tensor x, int site) {
        Dropout dropout = tape.dropout();
        if (dropout.drops()) {
            long key = RandomStream.of(dropout.key, "dropout site", site).nextLong();
            tape.kernels().dropout(x.size(), dropout.p, key, x.data());
            tape.recordInPlace(x, () -> tape.kernels().dropout(x.size(), dropout.p, key, x.grad()));
        }
    }
}
