package org.spin4j.training;

import java.util.Locale;

/**
 * The factor by which the peak learning rate is multiplied at each optimiser step, as Hugging Face's schedules of the same
 * names define it.
 *
 * @param kind the shape
 * @param warmupSteps steps of linear warm-up, at least 0; {@link Kind#CONSTANT} has none and ignores them
 * @param totalSteps optimiser steps of the whole training, at least 0
 * @param minFactor where linear and cosine end, in [0, 1]
 */
public record LearningRateSchedule(Kind kind, int warmupSteps, int totalSteps, double minFactor) {

    /** The shapes, named as {@code lr_scheduler_type} names them, in lower case. */
    public enum Kind {
        /** Up to 1 over the warm-up, then down to the least at the end in a straight line. */
        LINEAR,
        /** Up to 1 over the warm-up, then down to the least at the end along half a cosine. */
        COSINE,
        /** Always 1. */
        CONSTANT,
        /** Up to 1 over the warm-up, then 1. */
        CONSTANT_WITH_WARMUP;

        /** The name used in a configuration. */
        public String key() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Both counts are at least 0. */
    public LearningRateSchedule {
        if (warmupSteps < 0 || totalSteps < 0) {
            throw new IllegalArgumentException("expected step counts of at least 0, found " + warmupSteps + " of "
                    + totalSteps);
        }
    }

    /** A schedule that ends at 0. */
    public LearningRateSchedule(Kind kind, int warmupSteps, int totalSteps) {
        this(kind, warmupSteps, totalSteps, 0);
    }

    /**
     * The schedule of a training of {@code totalSteps} steps: {@code warmupSteps} of warm-up if that is above 0, otherwise
     * {@code ⌈warmupRatio · totalSteps⌉}.
     */
    public static LearningRateSchedule of(Kind kind, int warmupSteps, double warmupRatio, int totalSteps,
            double minFactor) {
        int steps = warmupSteps > 0 ? warmupSteps : (int) Math.ceil(totalSteps * warmupRatio);
        return new LearningRateSchedule(kind, steps, totalSteps, minFactor);
    }

    /** The factor, in [0, 1], of the optimiser step with that index; the first step is 0. */
    public double factor(int step) {
        if (kind == Kind.CONSTANT) {
            return 1;
        }
        if (step < warmupSteps) {
            return (double) step / Math.max(1, warmupSteps);
        }
        int decaySteps = Math.max(1, totalSteps - warmupSteps);
        double decay = switch (kind) {
            case LINEAR -> Math.max(0, (double) (totalSteps - step) / decaySteps);
            case COSINE -> Math.max(0, 0.5 * (1 + Math.cos(Math.PI * (step - warmupSteps) / decaySteps)));
            case CONSTANT, CONSTANT_WITH_WARMUP -> 1;
        };
        return decay * (1 - minFactor) + minFactor;
    }
}
