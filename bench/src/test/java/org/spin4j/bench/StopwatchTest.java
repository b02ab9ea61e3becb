package org.spin4j.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class StopwatchTest {
    @Test
    void warmUpGivesUpAtItsLimitAndForgetsItsTimes() {
        AtomicInteger runs = new AtomicInteger();
        Stopwatch watch = new Stopwatch(runs::incrementAndGet, 2);
        assertThat(watch.warmUp(-1, Duration.ZERO)).isFalse();
        assertThat(runs).hasValue(6);
        assertThat(watch.count()).isZero();
        assertThatThrownBy(watch::median).hasMessage("expected at least one pass, found none");
    }

    @Test
    void warmUpEndsAsSoonAsThreePassesAgree() {
        AtomicInteger runs = new AtomicInteger();
        Stopwatch watch = new Stopwatch(runs::incrementAndGet, 1);
        assertThat(watch.warmUp(Double.MAX_VALUE, Duration.ofDays(1))).isTrue();
        assertThat(runs).hasValue(3);
    }

    @Test
    void medianLiesBetweenBestAndWorst() {
        Stopwatch watch = new Stopwatch(() -> {}, 5);
        watch.pass();
        watch.pass();
        assertThat(watch.count()).isEqualTo(10);
        assertThat(watch.median()).isGreaterThanOrEqualTo(watch.best());
    }
}
