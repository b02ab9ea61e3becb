package org.spin4j.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class ArgumentsTest {
    private static final List<String> KNOWN = List.of("matmul", "sizes", "training");
    private static final Path STANDARD = Path.of("RESULTS.md");

    private static Arguments parse(String... args) {
        return Arguments.parse(args, KNOWN, STANDARD);
    }

    @Test
    void nothingMeansEverything() {
        assertThat(parse()).isEqualTo(new Arguments(KNOWN, STANDARD, ""));
    }

    @Test
    void sectionsAndOptionsMix() {
        assertThat(parse("sizes", "--out", "x.md", "matmul"))
                .isEqualTo(new Arguments(List.of("sizes", "matmul"), Path.of("x.md"), ""));
        assertThat(parse("training", "--alone", "libtorch").alone()).isEqualTo("libtorch");
    }

    @Test
    void mistakesAreNamed() {
        assertThatThrownBy(() -> parse("speed")).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("expected one of matmul, sizes, training, found speed");
        assertThatThrownBy(() -> parse("--out")).hasMessage("expected a file after --out, found nothing");
        assertThatThrownBy(() -> parse("--alone", "torch")).hasMessage("expected one of spin4j, libtorch, found torch");
        assertThatThrownBy(() -> parse("--alone", "spin4j"))
                .hasMessage("expected the section training, and no other, with --alone, found no section");
    }
}
