package org.spin4j.training.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.spin4j.training.TinyRuns;

/** A process killed with SIGKILL at a moment nobody chose: what is resumed ends like what was never killed. */
class KilledRunTest {
    private static final int KILLS = 3;

    @TempDir
    private Path dir;

    @Test
    void resumesToTheSameBits() throws Exception {
        TinyRuns.model(dir.resolve("model"));
        TinyRuns.sftRows(dir.resolve("rows.jsonl"), 60);
        assertThat(CommandLineTest.run(command("whole").toArray(String[]::new)).code()).isZero();

        // Not seeded: every run of this test kills elsewhere. What it is after must hold at any moment.
        Random random = new Random();
        for (int kill = 0; kill < KILLS; kill++) {
            Process process = start(command("killed"));
            for (int i = 0; i < 600 && process.isAlive() && !Files.exists(dir.resolve("killed/config.yaml")); i++) {
                Thread.sleep(20);
            }
            Thread.sleep(random.nextInt(1200));
            process.destroyForcibly();
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        }
        CommandLineTest.Ended ended = CommandLineTest.run(command("killed").toArray(String[]::new));
        assertThat(ended.err()).isEmpty();
        assertThat(ended.code()).isZero();

        for (String file : List.of("iteration-0/generated/pairs.jsonl", "iteration-0/model/model.safetensors",
                "iteration-1/generated/pairs.jsonl", "iteration-1/model/model.safetensors", "metrics.jsonl",
                "iteration-1/evaluation/evaluation.json")) {
            assertThat(dir.resolve("killed").resolve(file)).as(file)
                    .hasSameBinaryContentAs(dir.resolve("whole").resolve(file));
        }
    }

    @Test
    void aPoliteRequestIsAnsweredWithWhatToDo() throws Exception {
        TinyRuns.model(dir.resolve("model"));
        TinyRuns.sftRows(dir.resolve("rows.jsonl"), 60);
        List<String> endless = new ArrayList<>(command("stopped"));
        endless.add("num_train_epochs=100000");
        Process process = start(endless);
        for (int i = 0; i < 3000 && process.isAlive() && !Files.exists(dir.resolve("stopped/metrics.jsonl")); i++) {
            Thread.sleep(20);
        }
        process.destroy();
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();

        assertThat(Files.readString(dir.resolve("log"))).contains("spin4j: stopped after step")
                .contains("go on with --resume").doesNotContain("Exception");
        assertThat(dir.resolve("stopped/checkpoints/iteration-0/model")).isDirectoryContaining("glob:**checkpoint-*");
    }

    private List<String> command(String output) {
        return List.of("spin", "--quiet", "--resume", "model=" + dir.resolve("model"),
                "train_data=" + dir.resolve("rows.jsonl"), "eval_data=" + dir.resolve("rows.jsonl"),
                "output_dir=" + dir.resolve(output), "iterations=2", "num_train_epochs=4",
                "per_device_train_batch_size=4", "save_steps=7", "logging_steps=3", "max_new_tokens=8",
                "learning_rate=1e-3", "threads=2");
    }

    private Process start(List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "--add-modules",
                "jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                Spin4j.class.getName()));
        command.addAll(arguments);
        return new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(dir.resolve("log").toFile())
                .start();
    }
}
