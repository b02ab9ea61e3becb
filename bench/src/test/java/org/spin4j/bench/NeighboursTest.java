package org.spin4j.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class NeighboursTest {
    @Test
    void aRateIsComparedWithTheBetterOfTheTwoBesideIt() {
        assertThat(Neighbours.shares(50, 100, 20, 80)).containsExactly(0.5, 2.0, 0.2, 4.0);
    }

    @Test
    void oneRateHasNoNeighbour() {
        assertThatThrownBy(() -> Neighbours.shares(1)).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("expected at least 2 rates, found 1");
    }
}
