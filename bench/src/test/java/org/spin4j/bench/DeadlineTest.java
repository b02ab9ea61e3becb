package org.spin4j.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class DeadlineTest {
    @Test
    void whatFailsKeepsNothingElseFromRunning() {
        Deadline deadline = new Deadline(Duration.ofMinutes(1));
        assertThatThrownBy(() -> deadline.call(() -> {
            throw new UnsupportedOperationException("no device");
        })).isInstanceOf(IllegalStateException.class).hasMessage("no device");
        assertThat(deadline.call(() -> 5)).isEqualTo(5);
        assertThat(deadline.left()).isPositive().isLessThan(Duration.ofMinutes(1));
    }

    @Test
    void whatTakesTooLongIsLeftBehindAndNothingFollows() {
        Deadline deadline = new Deadline(Duration.ofSeconds(1));
        CountDownLatch never = new CountDownLatch(1);
        assertThatThrownBy(() -> deadline.call(() -> {
            never.await();
            return 1;
        })).hasMessage("the time was up before it ended");
        assertThat(deadline.left()).isZero();
        assertThatThrownBy(() -> deadline.call(() -> 1)).hasMessage("no time left");
        never.countDown();
    }
}
