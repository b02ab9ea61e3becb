package org.spin4j.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class DeviceArgumentsTest {
    @Test
    void everythingCanBeNamed() {
        assertThat(DeviceArguments.parse("--quick", "--minutes", "5", "--python", "python3", "--out", "mine.md",
                "tornado:0:1",
                "scalar"))
                .isEqualTo(
                        new DeviceArguments(true, 5, "python3", Path.of("mine.md"), List.of("tornado:0:1", "scalar")));
        assertThat(DeviceArguments.parse())
                .isEqualTo(new DeviceArguments(false, 12, "", Report.STANDARD, List.of("tornado", "vector!")));
    }

    @Test
    void mistakesAreNamed() {
        assertThatThrownBy(() -> DeviceArguments.parse("--python"))
                .hasMessage("expected a value after --python, found nothing");
        assertThatThrownBy(() -> DeviceArguments.parse("--minutes", "0"))
                .hasMessage("expected minutes from 1 to 9999 after --minutes, found 0");
        assertThatThrownBy(() -> DeviceArguments.parse("--fast"))
                .hasMessage("expected --quick, --minutes, --python, --out or a backend, found --fast");
    }
}
