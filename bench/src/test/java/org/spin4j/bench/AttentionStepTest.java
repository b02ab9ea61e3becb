package org.spin4j.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.spin4j.kernels.ScalarKernels;

class AttentionStepTest {
    @Test
    void firstTokenSeesItselfAlone() {
        try (AttentionStep step = new AttentionStep(new ScalarKernels(), 2, 3, 2, 4)) {
            step.run();
            float[] values = Numbers.columns(step.qkv(), 3, 2, 8);
            float[] out = step.out();
            for (int sequence = 0; sequence < 2; sequence++) {
                for (int i = 0; i < 8; i++) {
                    assertThat(out[sequence * 24 + i]).isCloseTo(values[sequence * 24 + i], within(1e-6f));
                }
            }
            assertThat(step.keptBytes()).isEqualTo(4 * 2 * 6);
            assertThat(Numbers.distance(step.dQkv(), new float[3 * 8 * 6])).isPositive();
        }
    }

    @Test
    void columnsAreCutOutOfRows() {
        float[] packed = {0, 1, 10, 11, 20, 21, 2, 3, 12, 13, 22, 23};
        assertThat(Numbers.columns(packed, 3, 1, 2)).containsExactly(10, 11, 12, 13);
        assertThat(Numbers.distance(new float[]{1, 2}, new float[]{1, 5})).isEqualTo(3);
        assertThat(Numbers.distance(new float[]{Float.NaN}, new float[]{1})).isNaN();
    }
}
