package org.spin4j.training.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The launcher names kernels to the JIT compiler, which says nothing of a name that is not there. */
class CompileEarlyTest {
    @Test
    void namesKernelsThatThereAre() throws IOException, ClassNotFoundException {
        List<String> patterns = Files.readAllLines(Path.of("src/main/launcher/compile-early")).stream()
                .filter(line -> line.contains("::")).map(line -> line.split(",")[1]).toList();

        assertThat(patterns).isNotEmpty();
        for (String pattern : patterns) {
            String[] name = pattern.split("::");
            Class<?> type = Class.forName(name[0], false, getClass().getClassLoader());
            assertThat(Arrays.stream(type.getDeclaredMethods()).map(m -> m.getName()))
                    .anyMatch(method -> name[1].equals("*") || method.equals(name[1]));
        }
    }
}
