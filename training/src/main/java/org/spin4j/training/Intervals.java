package org.spin4j.training;

import org.spin4j.engine.RandomStream;
import java.util.Arrays;
import org.apache.commons.math3.distribution.TDistribution;
import org.apache.commons.math3.stat.descriptive.moment.Mean;
import org.apache.commons.math3.stat.descriptive.moment.StandardDeviation;
import org.apache.commons.math3.stat.descriptive.rank.Percentile;
import org.apache.commons.math3.stat.interval.ConfidenceInterval;
import org.apache.commons.math3.stat.interval.WilsonScoreInterval;

/** 95 % confidence intervals for what an evaluation reports. */
public final class Intervals {
    private static final double LEVEL = 0.95;

    private Intervals() {}

    /**
     * A share of successes: Wilson's score interval, which stays inside [0, 1] and keeps its level for small counts
     * (Wilson, JASA 22, 1927).
     *
     * @param successes at most {@code trials}
     * @param trials at least 1
     */
    public static Interval proportion(int successes, int trials) {
        if (trials < 1 || successes < 0 || successes > trials) {
            throw new IllegalArgumentException("expected 0 to n successes of n > 0 trials, found " + successes + " of "
                    + trials);
        }
        ConfidenceInterval wilson = new WilsonScoreInterval().createInterval(trials, successes, LEVEL);
        return new Interval((double) successes / trials, Math.max(0, wilson.getLowerBound()),
                Math.min(1, wilson.getUpperBound()));
    }

    /**
     * A mean: Student's t interval. A single value has the whole line for its interval.
     *
     * @param values at least one
     */
    public static Interval mean(double[] values) {
        requireValues(values);
        double mean = new Mean().evaluate(values);
        if (values.length == 1) {
            return new Interval(mean, Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY);
        }
        double error = new StandardDeviation().evaluate(values, mean) / Math.sqrt(values.length);
        double half = error * new TDistribution(values.length - 1.0).inverseCumulativeProbability((1 + LEVEL) / 2);
        return new Interval(mean, mean - half, mean + half);
    }

    /**
     * A mean of values that are far from normal: the percentile bootstrap (Efron, 1979).
     *
     * @param values at least one
     * @param resamples how often to draw as many values with replacement, 2000 is usual
     * @param random where the draws come from
     */
    public static Interval bootstrapMean(double[] values, int resamples, RandomStream random) {
        requireValues(values);
        double[] ones = new double[values.length];
        Arrays.fill(ones, 1);
        return percentiles(new Mean().evaluate(values), values, ones, resamples, random);
    }

    /**
     * A share of what comes in groups of different sizes: the sum of {@code parts} over the sum of {@code wholes}. Groups are drawn, as what is in
     * a group belongs together: the percentile bootstrap of a ratio.
     *
     * @param parts     at least one
     * @param wholes    as many, each above 0
     * @param resamples how often to draw as many groups with replacement
     * @param random    where the draws come from
     */
    public static Interval bootstrapRatio(double[] parts, double[] wholes, int resamples, RandomStream random) {
        requireValues(parts);
        if (parts.length != wholes.length || !(Arrays.stream(wholes).min().orElseThrow() > 0)) {
            throw new IllegalArgumentException("expected a whole above 0 for each of " + parts.length + " parts, found "
                    + Arrays.toString(wholes));
        }
        return percentiles(Arrays.stream(parts).sum() / Arrays.stream(wholes).sum(), parts, wholes, resamples, random);
    }

    private static Interval percentiles(double estimate, double[] parts, double[] wholes, int resamples,
            RandomStream random) {
        if (resamples < 1) {
            throw new IllegalArgumentException("expected at least 1 resample, found " + resamples);
        }
        double[] ratios = new double[resamples];
        for (int r = 0; r < resamples; r++) {
            double part = 0;
            double whole = 0;
            for (int i = 0; i < parts.length; i++) {
                int drawn = random.nextInt(parts.length);
                part += parts[drawn];
                whole += wholes[drawn];
            }
            ratios[r] = part / whole;
        }
        Percentile percentile = new Percentile();
        percentile.setData(ratios);
        return new Interval(estimate, percentile.evaluate(100 * (1 - LEVEL) / 2),
                percentile.evaluate(100 * (1 + LEVEL) / 2));
    }

    /**
     * The mean of {@code after − before}, item by item: what is common to both (how hard the item is) cancels, so the
     * interval is narrower than that of two independent means.
     *
     * @param after as long as {@code before}
     * @param before values of the same items in the same order
     */
    public static Interval pairedDifference(double[] after, double[] before) {
        if (after.length != before.length) {
            throw new IllegalArgumentException(
                    "expected as many values after as before, found " + after.length + " and "
                            + before.length);
        }
        double[] differences = new double[after.length];
        Arrays.setAll(differences, i -> after[i] - before[i]);
        return mean(differences);
    }

    private static void requireValues(double[] values) {
        if (values.length == 0) {
            throw new IllegalArgumentException("expected at least one value, found none");
        }
    }
}
