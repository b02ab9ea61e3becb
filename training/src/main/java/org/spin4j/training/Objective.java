package org.spin4j.training;

import java.util.List;
import org.spin4j.engine.Decoder;
import org.spin4j.engine.Tape;

/**
 * What training minimises: the sum of the items' losses divided by the sum of their units, over all items of one optimiser
 * step, in however many forward passes.
 *
 * @param <T> an item of training data
 */
interface Objective<T> {
    /** What an item counts in the mean: its tokens (SFT) or 1 (pairs). */
    double units(T item);

    /** Tokens that pass through the model for an item. */
    int tokens(T item);

    /** Probability with which a training pass drops activations. */
    default double dropout() {
        return 0;
    }

    /**
     * One forward and backward pass; gradients of Σ losses / {@code totalUnits} are added to the policy's.
     *
     * @param metrics gets the loss and what else is worth logging
     */
    void accumulate(Tape tape, Decoder policy, List<T> items, double totalUnits, MetricSums metrics);
}
