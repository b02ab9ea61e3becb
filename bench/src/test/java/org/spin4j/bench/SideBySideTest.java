package org.spin4j.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class SideBySideTest {
    @Test
    void programsTakeTurns() {
        StringBuilder order = new StringBuilder();
        SideBySide both = new SideBySide(() -> order.append('A'), () -> order.append('B'), 2);
        both.run("letters", 0, Duration.ZERO, 2, Duration.ofDays(1));
        assertThat(order).hasToString("AABBBBAA".repeat(2));
        assertThat(both.a().count()).isEqualTo(8);
        assertThat(both.b().count()).isEqualTo(8);
        assertThat(both.ratio()).isPositive();
    }

    @Test
    void oneRoundIsRunWhateverTheLimit() {
        SideBySide both = new SideBySide(() -> {}, () -> {}, 1);
        both.run("nothing", 0, Duration.ZERO, 5, Duration.ofSeconds(-1));
        assertThat(both.a().count()).isEqualTo(2);
    }
}
