package org.spin4j.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Storage;

/** The numbers are those of the logits processors of transformers 5.18, computed with NumPy in their order. */
class TokenChoiceTest {
    private static final double[] LOGITS = {0.25, -0.26, 1.28, 0.21, -1.07, 0.72, 2.61, 1.89, -1.41, -2.53, -1.25,
            0.08};
    private static final int[] SEEN = {3, 7, 0};

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
        int vocab = LOGITS.length;
        Storage scores = Storage.of(DType.F32, LOGITS);
        TestKernels.SCALAR.repetitionPenalty(SEEN, SEEN.length, penalty, scores);
        TestKernels.SCALAR.softmaxRows(1, vocab, 1 / temperature, scores, Storage.of(DType.F32, 0));
        int draws = 100_000;
        Storage p = Storage.allocate(Arena.ofAuto(), DType.F32, (long) draws * vocab);
        TestKernels.SCALAR.gatherRows(new int[draws], draws, vocab, scores, false, p);
        double[] uniforms = IntStream.range(0, draws).mapToDouble(i -> (i + 0.5) / draws).toArray();
        int[] drawn = new int[draws];
        TestKernels.SCALAR.sampleRows(draws, vocab, topK, topP, minP, p, uniforms, drawn);
        double[] found = new double[vocab];
        for (int id : drawn) {
            found[id] += 1.0 / draws;
        }
        // Evenly spread draws miss a share by less than one draw at either end.
        assertThat(found).containsExactly(expected, within(2.1 / draws));
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
