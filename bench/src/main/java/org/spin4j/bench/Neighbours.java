package org.spin4j.bench;

/** Looks for cliffs in a row of rates: sizes that are far slower than the sizes beside them. */
final class Neighbours {
    private Neighbours() {}

    /**
     * Each rate as a share of the better of its neighbours' rates.
     *
     * @param rates rates of neighbouring sizes, in order of size; at least two
     * @return shares, above 1 where a size is faster than both its neighbours
     */
    static double[] shares(double... rates) {
        if (rates.length < 2) {
            throw new IllegalArgumentException("expected at least 2 rates, found " + rates.length);
        }
        double[] shares = new double[rates.length];
        for (int i = 0; i < rates.length; i++) {
            double before = i == 0 ? 0 : rates[i - 1];
            double after = i == rates.length - 1 ? 0 : rates[i + 1];
            shares[i] = rates[i] / Math.max(before, after);
        }
        return shares;
    }
}
