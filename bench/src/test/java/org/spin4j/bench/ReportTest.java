package org.spin4j.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReportTest {
    @Test
    void aNewSectionReplacesItsLikeAndLeavesTheOthers() {
        String first = Report.merged("", "sizes", "## sizes: old\n\n| a |\n");
        String both = Report.merged(first, "matmul", "## matmul: products\n\n- date: 1\n");
        String after = Report.merged(both, "sizes", "## sizes: new\n\n| b |\n");
        assertThat(after).startsWith(Report.TITLE + "\n").contains("## matmul: products\n\n- date: 1\n")
                .endsWith("\n\n## sizes: new\n\n| b |\n").doesNotContain("old");
        // The order is that of the sections, not that in which they were measured.
        assertThat(after.indexOf("## matmul")).isLessThan(after.indexOf("## sizes"));
        assertThat(Report.merged(after, "sizes", "## sizes: new\n\n| b |\n")).isEqualTo(after);
    }

    @Test
    void aSectionThatNoOneKnowsAnyMoreIsKept() {
        String text = Report.TITLE + "\n\n## older: something\n\n| x |\n";
        assertThat(Report.merged(text, "matmul", "## matmul: products\n")).contains("## older: something\n\n| x |\n");
    }

    @Test
    void whatIsPrintedIsWritten(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("RESULTS.md");
        ByteArrayOutputStream terminal = new ByteArrayOutputStream();
        new Report(file).run(new Report.Section("matmul", "products", out -> out.println("| 1.5 × |")),
                new PrintStream(terminal, true, StandardCharsets.UTF_8));
        assertThat(terminal.toString(StandardCharsets.UTF_8)).startsWith("## matmul: products\n\n- date: ")
                .contains("- CPU: ", "- JDK: ", "- flags: ")
                .containsPattern("\n\\| 1.5 × \\|\n\nMeanwhile .* other programs took .*\\.\n\n$");
        assertThat(Files.readString(file)).endsWith(terminal.toString(StandardCharsets.UTF_8).strip() + "\n");
        assertThat(folder).isDirectoryContaining(path -> path.equals(file));
        try (var files = Files.list(folder)) {
            assertThat(files).hasSize(1);
        }
    }

    @Test
    void aFileThatHoldsSomethingElseIsNotTouched(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("notes.md"), "my notes\n");
        assertThatThrownBy(() -> new Report(file)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("expected a file of results")
                .hasMessageContaining("notes.md:1; choose another");
        assertThat(file).hasContent("my notes\n");
    }
}
