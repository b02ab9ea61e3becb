package org.spin4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class BackendsTest {
    /** Run in a JVM of its own by {@link #saysWhatToDoWithoutTheVectorApi}. */
    static final class Chooser {
        private Chooser() {}

        public static void main(String[] args) {
            try {
                System.out.println(Backends.choose(args[0], 2).describe());
            } catch (UnsupportedOperationException e) {
                System.out.println("refused: " + e.getMessage());
            }
        }
    }

    @Test
    void picksTheVectorBackendByItself() {
        assertThat(Backends.choose("auto", 2)).isInstanceOf(VectorKernels.class);
        assertThat(Backends.choose("vector", 1)).isInstanceOf(VectorKernels.class);
        assertThat(Backends.choose("vector!", 1).describe()).contains("bit, 1 thread");
        assertThat(Backends.choose("scalar", 2)).isInstanceOf(ScalarKernels.class);
    }

    @Test
    void refusesAnUnknownName() {
        assertThatThrownBy(() -> Backends.choose("cuda", 1)).isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "expected backend auto, scalar, vector, vector! or tornado, found \"cuda\"; correct the backend setting");
    }

    @Test
    void saysWhatTornadoNeedsWhereItsModuleIsNotThere() {
        for (String spec : new String[]{"tornado", "tornado:0:0"}) {
            assertThatThrownBy(() -> Backends.choose(spec, 1)).isInstanceOf(UnsupportedOperationException.class)
                    .hasMessageContaining("set TORNADOVM_HOME");
        }
    }

    @Test
    void saysWhatToDoWithoutTheVectorApi() throws IOException, InterruptedException {
        assertThat(chosenWithoutTheModule("auto")).contains("scalar backend")
                .contains("--add-modules jdk.incubator.vector");
        assertThat(chosenWithoutTheModule("vector!")).contains("refused: ")
                .contains("--add-modules jdk.incubator.vector").doesNotContain("scalar backend");
    }

    private static String chosenWithoutTheModule(String spec) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Chooser.class.getName(), spec));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        return output;
    }
}
