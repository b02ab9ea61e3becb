package org.spin4j.training;

import org.spin4j.engine.RandomStream;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class IntervalsTest {
    /** Numbers by hand from the formula (p + z²/2n ± z√(p(1−p)/n + z²/4n²)) / (1 + z²/n) with z = 1.959964. */
    @Test
    void wilson() {
        Interval half = Intervals.proportion(50, 100);
        assertThat(half.low()).isCloseTo(0.403832, within(1e-6));
        assertThat(half.high()).isCloseTo(0.596168, within(1e-6));
        Interval none = Intervals.proportion(0, 10);
        assertThat(none.low()).isCloseTo(0, within(1e-12));
        assertThat(none.high()).isCloseTo(0.277533, within(1e-6));
        assertThat(Intervals.proportion(382, 500)).hasToString("0.764 [0.725, 0.799]");
    }

    @Property(tries = 200)
    void proportionLiesInItsInterval(@ForAll @IntRange(min = 1, max = 2000) int trials,
            @ForAll @IntRange(min = 0, max = 2000) int successes) {
        Interval interval = Intervals.proportion(Math.min(successes, trials), trials);
        assertThat(interval.low()).isBetween(0.0, interval.estimate() + 1e-12);
        assertThat(interval.high()).isBetween(interval.estimate() - 1e-12, 1.0);
    }

    /** t(0.975, 4 degrees of freedom) = 2.776445; the standard error of 1…5 is √(2.5/5). */
    @Test
    void studentsMean() {
        Interval mean = Intervals.mean(new double[]{1, 2, 3, 4, 5});
        assertThat(mean.estimate()).isEqualTo(3);
        assertThat(mean.high() - 3).isCloseTo(2.776445 * Math.sqrt(0.5), within(1e-5));
        assertThat(Intervals.mean(new double[]{2}).high()).isInfinite();
    }

    @Test
    void pairingRemovesWhatIsCommon() {
        double[] before = {0, 10, 20, 30, 40, 50};
        double[] after = {1.1, 10.9, 21, 31.1, 40.9, 51};
        Interval paired = Intervals.pairedDifference(after, before);
        assertThat(paired.estimate()).isCloseTo(1, within(1e-12));
        assertThat(paired.low()).isGreaterThan(0.8);
        assertThatThrownBy(() -> Intervals.pairedDifference(after, new double[1]))
                .hasMessageContaining("as many values");
    }

    /** For many normal values, the bootstrap agrees with Student's interval to a few percent of its width. */
    @Test
    void bootstrapAgreesWithStudent() {
        RandomStream random = RandomStream.of(3, "bootstrap test", 0);
        double[] values = random.doubles(400).map(u -> u + random.nextDouble()).toArray();
        Interval student = Intervals.mean(values);
        Interval bootstrap = Intervals.bootstrapMean(values, 2000, RandomStream.of(3, "bootstrap test", 1));
        double width = student.high() - student.low();
        assertThat(bootstrap.low()).isCloseTo(student.low(), within(0.1 * width));
        assertThat(bootstrap.high()).isCloseTo(student.high(), within(0.1 * width));
        assertThat(bootstrap).isEqualTo(Intervals.bootstrapMean(values, 2000, RandomStream.of(3, "bootstrap test", 1)));
    }

    /** Groups of equal size are a mean; groups of which all have the same share leave nothing open. */
    @Test
    void bootstrapOfARatio() {
        double[] parts = {1, 0, 1, 1, 0, 1, 0, 1};
        double[] wholes = {1, 1, 1, 1, 1, 1, 1, 1};
        assertThat(Intervals.bootstrapRatio(parts, wholes, 500, RandomStream.of(3, "ratio", 0)))
                .isEqualTo(Intervals.bootstrapMean(parts, 500, RandomStream.of(3, "ratio", 0)));
        assertThat(Intervals.bootstrapRatio(new double[]{1, 2, 4}, new double[]{2, 4, 8}, 500,
                RandomStream.of(3, "ratio", 0))).isEqualTo(new Interval(0.5, 0.5, 0.5));
        assertThatThrownBy(() -> Intervals.bootstrapRatio(parts, new double[8], 5, RandomStream.of(3, "ratio", 0)))
                .hasMessageContaining("expected a whole above 0 for each of 8 parts");
    }

    @Test
    void refusesNothing() {
        assertThatThrownBy(() -> Intervals.mean(new double[0])).hasMessageContaining("at least one value");
        assertThatThrownBy(() -> Intervals.proportion(2, 1)).hasMessageContaining("found 2 of 1");
    }
}
