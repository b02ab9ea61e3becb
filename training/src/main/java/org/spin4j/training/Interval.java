package org.spin4j.training;

import java.util.Locale;

/**
 * An estimate with the interval it is known to.
 *
 * @param estimate the value measured
 * @param low lower end
 * @param high upper end
 */
public record Interval(double estimate, double low, double high) {
    /** For a table: {@code 0.815 [0.779, 0.847]}. */
    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%.3f [%.3f, %.3f]", estimate, low, high);
    }
}
