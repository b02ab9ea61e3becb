package org.spin4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.BitSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The hash behind dropout: values computed apart, and its statistics. What is counted would, for true random numbers, lie beyond
 * {@value #SIGMAS} standard deviations once in 1.7 million times.
 */
class DropoutMaskTest {
    private static final double SIGMAS = 5;
    private static final int PLACES = 1 << 16;

    @ParameterizedTest
    @CsvSource({"0000000000000000,0,1230731887", "0000000000000000,1,1672910902", "0000000000000001,0,752982315",
            "8000000000000000,0,1546933065", "ffffffffffffffff,2147483647,1093429969",
            "0123456789abcdef,1000000,1599839396"})
    void golden(String key, int place, int hash) {
        DropoutMask mask = DropoutMask.of(0.5, Long.parseUnsignedLong(key, 16));
        assertThat(hash(mask, place)).isEqualTo(hash);
        assertThat(mask.keeps(place)).isEqualTo(hash >= 1 << 30);
    }

    private static int hash(DropoutMask mask, int place) {
        return DropoutMask.hash(place, mask.first(), mask.second());
    }

    @Test
    void aPlaceIsKeptFromTheThresholdOn() {
        DropoutMask any = DropoutMask.of(0.1, 7);
        int own = hash(any, 3);
        assertThat(new DropoutMask(any.first(), any.second(), own, 1).keeps(3)).isTrue();
        assertThat(new DropoutMask(any.first(), any.second(), own + 1, 1).keeps(3)).isFalse();
        assertThat(DropoutMask.of(0.25, 7).threshold()).isEqualTo(1 << 29);
        assertThat(DropoutMask.of(0.25, 7).scale()).isCloseTo(4 / 3.0, within(1e-15));
        assertThat(any.keeps(3)).isEqualTo(any.keeps((1L << 32) + 3));
    }

    @ParameterizedTest
    @ValueSource(doubles = {-0.1, 1, 1.5, Double.NaN})
    void refusesWhatIsNoProbabilityOfDropout(double p) {
        assertThatThrownBy(() -> DropoutMask.of(p, 1)).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("expected a probability of dropout from 0 to below 1, found " + p);
    }

    /** Places that are dropped. */
    private static BitSet dropped(double p, long key, int places) {
        DropoutMask mask = DropoutMask.of(p, key);
        BitSet dropped = new BitSet(places);
        IntStream.range(0, places).filter(i -> !mask.keeps(i)).forEach(dropped::set);
        return dropped;
    }

    /** Successes of n trials, in standard deviations from what is expected. */
    private static double deviation(double successes, double n, double p) {
        return (successes - n * p) / Math.sqrt(n * p * (1 - p));
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.001, 0.1, 0.5, 0.9})
    void dropsTheShareAskedFor(double p) {
        for (long key = 0; key < 8; key++) {
            assertThat(deviation(dropped(p, key, PLACES).cardinality(), PLACES, p)).isBetween(-SIGMAS, SIGMAS);
        }
        assertThat(dropped(0, 1, PLACES).cardinality()).isZero();
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.1, 0.5})
    void neighboursAreIndependent(double p) {
        for (int distance : new int[]{1, 2, 3, 4, 8, 16, 63, 64, 65, 256, 768, 1024, 32_768}) {
            BitSet both = dropped(p, distance, PLACES);
            both.and(both.get(distance, PLACES));
            assertThat(deviation(both.cardinality(), PLACES - distance, p * p)).as("places %d apart", distance)
                    .isBetween(-SIGMAS, SIGMAS);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 42, 0x0123_4567_89AB_CDEFL})
    void keysThatDifferInOneBitOrByOneAreIndependent(long key) {
        BitSet one = dropped(0.5, key, PLACES);
        for (int bit = 0; bit <= 64; bit++) {
            BitSet both = dropped(0.5, bit < 64 ? key ^ 1L << bit : key + 1, PLACES);
            both.and(one);
            assertThat(deviation(both.cardinality(), PLACES, 0.25)).as("bit %d", bit).isBetween(-SIGMAS, SIGMAS);
        }
    }

    /** χ² of as many cells as there are places, over keys in a row; and over keys far apart, as they are derived in training. */
    @ParameterizedTest
    @ValueSource(longs = {1, 0x9E37_79B9_7F4A_7C15L})
    void everyPlaceIsDroppedAsOften(long stride) {
        int places = 1024;
        int keys = 2048;
        double p = 0.1;
        int[] counts = new int[places];
        for (int k = 0; k < keys; k++) {
            dropped(p, k * stride, places).stream().forEach(i -> counts[i]++);
        }
        double chiSquare = 0;
        for (int count : counts) {
            double d = deviation(count, keys, p);
            chiSquare += d * d;
        }
        assertThat((chiSquare - places) / Math.sqrt(2 * places)).isBetween(-SIGMAS, SIGMAS);
    }

    /** χ² of the highest and of the lowest bits of the hash, over places in a row. */
    @Test
    void everyHashComesAsOften() {
        int cells = 256;
        for (int shift : new int[]{0, 1, 12, 23}) {
            int[] counts = new int[cells];
            DropoutMask mask = DropoutMask.of(0.5, shift);
            for (int i = 0; i < PLACES; i++) {
                counts[hash(mask, i) >>> shift & (cells - 1)]++;
            }
            double expected = PLACES / (double) cells;
            double chiSquare = IntStream.of(counts).mapToDouble(c -> (c - expected) * (c - expected) / expected).sum();
            assertThat((chiSquare - (cells - 1)) / Math.sqrt(2 * (cells - 1))).as("bits from %d", shift)
                    .isBetween(-SIGMAS, SIGMAS);
        }
    }
}
