package org.spin4j.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class TurnsTest {
    @Test
    void programsTakeTurns() {
        StringBuilder order = new StringBuilder();
        Turns turns = new Turns(() -> order.append('A'), () -> order.append('B'), 2);
        turns.run("letters", 0, Duration.ZERO, 2, Duration.ofDays(1));
        assertThat(order).hasToString("AABBBBAA".repeat(2));
        assertThat(turns.a().count()).isEqualTo(8);
        assertThat(turns.b().count()).isEqualTo(8);
        assertThat(turns.ratio()).isPositive();
    }

    @Test
    void oneRoundIsRunWhateverTheLimit() {
        Turns turns = new Turns(() -> {}, () -> {}, 1);
        turns.run("nothing", 0, Duration.ZERO, 5, Duration.ofSeconds(-1));
        assertThat(turns.a().count()).isEqualTo(2);
    }
}
