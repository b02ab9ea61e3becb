package org.spin4j.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.spin4j.bench.TimedKernels.Entry;
import org.spin4j.kernels.ScalarKernels;

class TimedKernelsTest {
    private static final TrainSetup TINY = new TrainSetup(16, 2, 2, 20, 32, 2, 8);

    private long now;

    private long taken;

    /** A heap of which 8 bytes are taken between any two looks. */
    private long take() {
        return taken += 8;
    }

    /** A clock that stands still but for one tick whenever it is read. */
    private long tick() {
        return now++;
    }

    @Test
    void timedKernelsComputeTheSameAndCountCallsTimeAndArithmetic() {
        TimedKernels timed = new TimedKernels(new ScalarKernels(), this::tick, this::take);
        try (TrainStep plain = new TrainStep(new ScalarKernels(), TINY); TrainStep step = new TrainStep(timed, TINY)) {
            plain.run();
            step.run();
            // The second loss depends on every kernel of the first step.
            assertThat(step.run()).isEqualTo(plain.run());
        }
        Map<String, Entry> entries = timed.entries().stream()
                .collect(Collectors.toMap(Entry::kernel, Function.identity()));
        // Two steps, two layers, gate and up in one product.
        assertThat(entries.get("matmul NT 16x40x16"))
                .isEqualTo(new Entry("matmul NT 16x40x16", 4, 4, 4 * 2 * 16 * 40 * 16, 0, 4 * 8));
        // Two products of two operations over 8·9/2 visible pairs in each of two sequences, 16 dimensions.
        assertThat(entries.get("attention").flop()).isEqualTo(4 * 2 * 2 * (2 * 36) * 16.0);
        assertThat(entries.get("adamW").calls()).isEqualTo(2);
        timed.reset();
        assertThat(timed.entries()).isEmpty();
    }
}
