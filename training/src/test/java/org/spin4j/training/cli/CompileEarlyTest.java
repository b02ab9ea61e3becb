package org.spin4j.training.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The launcher names kernels to the JIT compiler, which says nothing of a name that is not there. */
class CompileEarlyTest {
    private static final Path LAUNCHER = Path.of("src/main/launcher");
    private static final Pattern KERNEL = Pattern.compile("\"org/spin4j/kernels/([^\"]*)\"");

    @Test
    void namesKernelsThatThereAre() throws IOException, ClassNotFoundException {
        List<String> patterns = early();

        assertThat(patterns).isNotEmpty();
        for (String pattern : patterns) {
            String[] name = pattern.split("::");
            Class<?> type = Class.forName(name[0], false, getClass().getClassLoader());
            assertThat(Arrays.stream(type.getDeclaredMethods()).map(m -> m.getName()))
                    .anyMatch(method -> name[1].equals("*") || method.equals(name[1]));
        }
    }

    @Test
    void whatIsCompiledEarlyIsCompiledOnce() throws IOException {
        assertThat(KERNEL.matcher(Files.readString(LAUNCHER.resolve("compilers.json"))).results()
                .map(m -> "org.spin4j.kernels." + m.group(1).replace(".", "::"))).hasSameElementsAs(early());
    }

    private static List<String> early() throws IOException {
        return Files.readAllLines(LAUNCHER.resolve("compile-early")).stream().filter(line -> line.contains("::"))
                .map(line -> line.split(",")[1]).distinct().toList();
    }
}
