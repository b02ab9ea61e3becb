package org.spin4j.training.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.spin4j.training.TinyRuns;

/** A generate that was killed or stopped goes on where it was, and ends with the bytes of one that never was. */
class KilledGenerateTest {
    @TempDir
    private Path dir;

    @BeforeEach
    void files() throws IOException {
        TinyRuns.model(dir.resolve("model"));
        List<String> rows = new ArrayList<>();
        for (int i = 0; i < 600; i++) {
            rows.add("{\"prompt_ids\":[%d,%d],\"id\":%d}".formatted(3 + i % 40, 3 + i / 40, i));
        }
        Files.write(dir.resolve("rows.jsonl"), rows);
    }

    @Test
    void endsWithTheSameBytes() throws Exception {
        assertThat(CommandLineTest.run(command("whole.jsonl", "--streams", "8").toArray(String[]::new)).code())
                .isZero();
        for (int kill = 1; kill <= 2; kill++) {
            Process process = start(command("killed.jsonl", "--streams", "2"), 20_000L * kill);
            process.destroyForcibly();
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(dir.resolve("killed.jsonl")).doesNotExist();
        }
        List<String> other = command("killed.jsonl", "--seed", "7");
        CommandLineTest.Ended refused = CommandLineTest.run(other.toArray(String[]::new));
        assertThat(refused.code()).isEqualTo(2);
        assertThat(refused.err()).startsWith("spin4j: expected seed as in the rows already in ")
                .contains("(42), found 7").doesNotContain("\n");

        Process stopped = start(command("killed.jsonl", "--streams", "2"), 60_000);
        stopped.destroy();
        assertThat(stopped.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(Files.readString(dir.resolve("log"))).contains("spin4j: stopped after ")
                .contains("the same command goes on from there").doesNotContain("Exception");

        CommandLineTest.Ended ended = CommandLineTest.run(command("killed.jsonl").toArray(String[]::new));
        assertThat(ended.err()).isEmpty();
        assertThat(dir.resolve("killed.jsonl")).hasSameBinaryContentAs(dir.resolve("whole.jsonl"));
        assertThat(dir.resolve("killed.jsonl.partial")).doesNotExist();
    }

    private List<String> command(String out, String... more) {
        List<String> command = new ArrayList<>(List.of("generate", "--quiet", "--model",
                dir.resolve("model").toString(), "--data", dir.resolve("rows.jsonl").toString(), "--out",
                dir.resolve(out).toString(), "--ignore-eos", "--max-new-tokens", "60", "--logprobs"));
        command.addAll(List.of(more));
        return command;
    }

    /** A process that has written so many bytes. */
    private Process start(List<String> arguments, long bytes) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "--add-modules",
                "jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED", "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                Spin4j.class.getName()));
        command.addAll(arguments);
        Process process = new ProcessBuilder(command).redirectErrorStream(true)
                .redirectOutput(dir.resolve("log").toFile()).start();
        Path partial = dir.resolve("killed.jsonl.partial");
        for (int i = 0; i < 30_000 && process.isAlive()
                && !(Files.exists(partial) && Files.size(partial) > bytes); i++) {
            Thread.sleep(1);
        }
        assertThat(process.isAlive()).as("still at work").isTrue();
        return process;
    }
}
