package org.spin4j.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.spin4j.training.LearningRateSchedule.Kind;

/** The numbers are those of transformers 5.18 get_scheduler with a peak rate of 1. */
class LearningRateScheduleTest {
    @Test
    void linear() {
        expect(new LearningRateSchedule(Kind.LINEAR, 3, 10), 0, 0.3333333333333333, 0.6666666666666666, 1,
                0.8571428571428571, 0.7142857142857143, 0.5714285714285714, 0.42857142857142855, 0.2857142857142857,
                0.14285714285714285, 0, 0);
        expect(new LearningRateSchedule(Kind.LINEAR, 0, 4), 1, 0.75, 0.5, 0.25, 0);
    }

    @Test
    void cosine() {
        expect(new LearningRateSchedule(Kind.COSINE, 2, 9), 0, 0.5, 1, 0.9504844339512095, 0.8117449009293668,
                0.6112604669781572, 0.38873953302184283, 0.18825509907063326, 0.04951556604879048, 0);
    }

    @Test
    void endsAtTheLeastFactor() {
        // get_scheduler("cosine_with_min_lr", …, scheduler_specific_kwargs={"min_lr_rate": 0.1})
        LearningRateSchedule cosine = new LearningRateSchedule(Kind.COSINE, 2, 9, 0.1);
        assertThat(cosine.factor(1)).isEqualTo(0.5);
        assertThat(cosine.factor(3)).isCloseTo(0.1 + 0.9 * 0.9504844339512095, within(1e-15));
        assertThat(cosine.factor(9)).isCloseTo(0.1, within(1e-15));
        assertThat(new LearningRateSchedule(Kind.LINEAR, 0, 4, 0.2).factor(4)).isCloseTo(0.2, within(1e-15));
        assertThat(new LearningRateSchedule(Kind.CONSTANT, 0, 4, 0.2).factor(4)).isEqualTo(1);
    }

    @Test
    void constant() {
        expect(new LearningRateSchedule(Kind.CONSTANT, 2, 4), 1, 1, 1, 1, 1);
        expect(new LearningRateSchedule(Kind.CONSTANT_WITH_WARMUP, 3, 5), 0, 0.3333333333333333, 0.6666666666666666, 1,
                1,
                1);
    }

    @Test
    void warmupStepsWinOverRatioAndRatioRoundsUp() {
        assertThat(LearningRateSchedule.of(Kind.LINEAR, 0, 0.1, 101, 0).warmupSteps()).isEqualTo(11);
        assertThat(LearningRateSchedule.of(Kind.LINEAR, 4, 0.1, 101, 0).warmupSteps()).isEqualTo(4);
        assertThat(LearningRateSchedule.of(Kind.LINEAR, 0, 0, 0, 0).factor(0)).isZero();
    }

    private static void expect(LearningRateSchedule schedule, double... factors) {
        for (int step = 0; step < factors.length; step++) {
            assertThat(schedule.factor(step)).as("step %d", step).isCloseTo(factors[step], within(1e-15));
        }
    }
}
