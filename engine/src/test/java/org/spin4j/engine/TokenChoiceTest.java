package org.spin4j.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.BitSet;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Storage;

/** The numbers are those of the logits processors of transformers 5.18, computed with NumPy in their order. */
class TokenChoiceTest {
    private static final double[] LOGITS = {0.25, -0.26, 1.28, 0.21, -1.07, 0.72, 2.61, 1.89, -1.41, -2.53, -1.25,
            0.08};
    private static final int[] SEEN = {3, 7, 3, 0};

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
            "1.3 | 1 | 0 | 1 | 0 | .0421952 .0268428 .1252108 .0409166 .0119412 .0715215 .4734274 .1489849 .0084994 .0027732 .0099742 .0377128",
            "1 | 0.7 | 0 | 1 | 0 | .0202281 .009762 .0881025 .0191046 .003069 .039587 .5890441 .2105935 .0018882 .0003812 .0023731 .0158666",
            "1 | 1 | 4 | 1 | 0 | 0 0 .1390302 0 0 .0794153 .5256791 .2558755 0 0 0 0",
            "1 | 1 | 0 | 0.8 | 0 | 0 0 .1390302 0 0 .0794153 .5256791 .2558755 0 0 0 0",
            "1 | 1 | 0 | 1 | 0.1 | 0 0 .1390302 0 0 .0794153 .5256791 .2558755 0 0 0 0",
            "1.3 | 0.7 | 6 | 0.9 | 0.05 | 0 0 .11151 0 0 0 .7455441 .1429459 0 0 0 0",
            "1 | 1.5 | 5 | 0.6 | 0 | 0 0 0 0 0 0 .6177479 .3822521 0 0 0 0",
            "1 | 1 | 0 | 0.01 | 0 | 0 0 0 0 0 0 1 0 0 0 0 0", "1 | 1 | 1 | 1 | 0 | 0 0 0 0 0 0 1 0 0 0 0 0",
            "1 | 1 | 0 | 1 | 1 | 0 0 0 0 0 0 1 0 0 0 0 0"})
    void drawsFromTheDistributionOfTransformers(double penalty, double temperature, int topK, double topP, double minP,
            String distribution) {
        double[] expected = Arrays.stream(distribution.split(" ")).mapToDouble(Double::parseDouble).toArray();
        Sampling sampling = Sampling.pure(1, Set.of(), 1).with(temperature, topK, topP).with(minP, penalty);
        Storage scores = Storage.of(DType.F32, LOGITS);
        BitSet seen = new BitSet();
        Arrays.stream(SEEN).forEach(seen::set);
        TokenChoice.penalize(scores, seen, (float) penalty);
        TestKernels.SCALAR.softmaxRows(1, LOGITS.length, 1 / temperature, scores, Storage.of(DType.F32, 0));
        float[] p = scores.toFloats();
        int draws = 100_000;
        double[] found = new double[p.length];
        for (int i = 0; i < draws; i++) {
            found[TokenChoice.draw(p, sampling, (i + 0.5) / draws)] += 1.0 / draws;
        }
        // Evenly spread draws miss a share by less than one draw at either end.
        assertThat(found).containsExactly(expected, within(2.1 / draws));
    }

    /** The quick searches against a full sort, on rows long enough for them to skip most of it. */
    @Test
    void floorsAreThoseOfASortedRow() {
        SplittableRandom r = new SplittableRandom(1);
        for (int n : new int[]{1, 2, 50, 3000}) {
            for (double spread : new double[]{0, 0.1, 3}) {
                float[] p = new float[n];
                double total = 0;
                for (int i = 0; i < n; i++) {
                    p[i] = (float) Math.exp(spread * r.nextGaussian());
                    total += p[i];
                }
                for (int i = 0; i < n; i++) {
                    p[i] /= (float) total;
                }
                float[] sorted = p.clone();
                Arrays.sort(sorted);
                for (int k : new int[]{1, 2, 40, 2000}) {
                    assertThat(TokenChoice.floor(p, Sampling.pure(1, Set.of(), 1).with(1, k, 1)))
                            .as("top %d of %d", k, n)
                            .isEqualTo(k < n ? sorted[n - k] : Float.MIN_VALUE);
                }
                for (double topP : new double[]{1e-6, 0.5, 0.95, 0.999}) {
                    double sum = Arrays.stream(asDoubles(p)).sum();
                    double mass = 0;
                    int i = n;
                    while (mass < topP * sum * (1 - 1e-12) && i > 0) {
                        mass += sorted[--i];
                    }
                    assertThat(TokenChoice.floor(p, Sampling.pure(1, Set.of(), 1).with(1, 0, topP)))
                            .as("%s of %d", topP, n).isEqualTo(sorted[i]);
                }
            }
        }
    }

    private static double[] asDoubles(float[] p) {
        double[] out = new double[p.length];
        Arrays.setAll(out, i -> p[i]);
        return out;
    }

    @Test
    void greedyTakesTheFirstOfEquals() {
        assertThat(TokenChoice.greatest(new float[]{1, 3, 3, 2})).isEqualTo(1);
    }

    @Test
    void settingsOutOfRangeAreNamed() {
        Sampling pure = Sampling.pure(1, Set.of(), 1);
        assertThatThrownBy(() -> pure.with(1, 0, 1.5)).hasMessage("expected top_p in (0, 1], found 1.5");
        assertThatThrownBy(() -> pure.with(0, 0)).hasMessage("expected repetition_penalty above 0, found 0.0");
        assertThatThrownBy(() -> pure.with(2, 1)).hasMessage("expected min_p in [0, 1], found 2.0");
        assertThatThrownBy(() -> pure.with(Double.NaN, 0, 1))
                .hasMessageStartingWith("expected temperature of at least 0");
    }
}
