package org.spin4j.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class ProfileTest {
    @Test
    void readsThreadsStepsAndModel() {
        assertThat(Profile.Request.parse("2", "3", "52M"))
                .isEqualTo(new Profile.Request(2, 3, TrainSetup.FIFTY_TWO_MILLION));
        assertThat(Profile.Request.parse("1")).isEqualTo(new Profile.Request(1, 10, TrainSetup.SEVEN_MILLION));
        assertThat(Profile.Request.parse().threads()).isPositive();
    }

    @Test
    void mistakesAreNamed() {
        assertThatThrownBy(() -> Profile.Request.parse("none")).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("expected a number of threads from 1 to 1024, found none");
        assertThatThrownBy(() -> Profile.Request.parse("1", "0"))
                .hasMessage("expected a number of steps from 1 to 1000000, found 0");
        assertThatThrownBy(() -> Profile.Request.parse("1", "1", "9B"))
                .hasMessage("expected one of the models 52M, 7M, found 9B");
    }

    @Test
    void productsInsideOtherKernelsAreCountedAsWhatTheyAre() {
        assertThat(Profile.shares(List.of(entry("matmul NN 1x1x1", 40), entry("matmulPacked 1x1x1", 10),
                entry("tokenLogProbsBackward", 20), entry("attention", 10), entry("adamW", 5)), 100))
                .isEqualTo(
                        "time in matrix products: matmul 50.0 %; in kernels that are matrix products with a softmax between:"
                                + " tokenLogProbs 20.0 %, attention 10.0 %; all three 80.0 %; in everything else 20.0 %");
    }

    private static TimedKernels.Entry entry(String kernel, long nanos) {
        return new TimedKernels.Entry(kernel, 1, nanos, 0, 0, 0);
    }
}
