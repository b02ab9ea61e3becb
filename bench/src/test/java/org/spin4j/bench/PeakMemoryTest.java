package org.spin4j.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class PeakMemoryTest {
    @Test
    void linesNameKibibytes() {
        List<String> status = List.of("Name:\tjava", "VmHWM:\t    1234 kB", "VmRSS:\t 12 kB");
        assertThat(PeakMemory.bytes(status, "VmHWM")).isEqualTo(1234 * 1024);
        assertThat(PeakMemory.bytes(status, "VmRSS")).isEqualTo(12 * 1024);
        assertThatThrownBy(() -> PeakMemory.bytes(status, "VmSwap")).hasMessageContaining("VmSwap");
        assertThatThrownBy(() -> PeakMemory.bytes(List.of("VmHWM: 3 MB"), "VmHWM")).hasMessageContaining("3 MB");
    }
}
