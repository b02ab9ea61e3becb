package org.spin4j.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.spin4j.kernels.ScalarKernels;

class TrainStepTest {
    private static final TrainSetup TINY = new TrainSetup(16, 2, 2, 20, 32, 2, 8);

    @Test
    void firstLossIsThatOfGuessingAndThenItFalls() {
        try (TrainStep step = new TrainStep(new ScalarKernels(), TINY)) {
            double first = step.run();
            // Weights of deviation 0.02 make logits near zero: all tokens are about equally likely.
            assertThat(first).isCloseTo(Math.log(TINY.vocabulary()), within(0.1));
            double last = first;
            for (int i = 0; i < 10; i++) {
                last = step.run();
            }
            assertThat(last).isLessThan(first);
        }
    }

    @Test
    void targetsAreTheInputsOneTokenOn() {
        int[] inputs = TINY.inputs();
        int[] targets = TINY.targets();
        for (int s = 0; s < TINY.batch(); s++) {
            for (int i = 0; i + 1 < TINY.length(); i++) {
                assertThat(targets[s * TINY.length() + i]).isEqualTo(inputs[s * TINY.length() + i + 1]);
            }
        }
    }
}
