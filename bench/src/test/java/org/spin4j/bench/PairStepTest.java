package org.spin4j.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.spin4j.kernels.ScalarKernels;

class PairStepTest {
    private static final PairSetup TINY = new PairSetup(new TrainSetup(16, 2, 2, 20, 32, 1, 1), 1, 5, 2, 6);

    @Test
    void lossIsThatOfTheMarginAndFalls() {
        try (PairStep step = new PairStep(new ScalarKernels(), TINY)) {
            PairStep.Result first = step.run();
            assertThat(first.margin()).isNotZero();
            // One pair: the mean loss is log(1 + e^-margin) of the mean margin.
            assertThat(first.loss()).isCloseTo(Math.log1p(Math.exp(-first.margin())), within(1e-12));
            PairStep.Result last = first;
            for (int i = 0; i < 100; i++) {
                last = step.run();
            }
            assertThat(last.loss()).isLessThan(first.loss());
            assertThat(last.margin()).isGreaterThan(first.margin());
        }
    }
}
