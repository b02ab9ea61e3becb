package org.spin4j.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunDirectoryTest {
    @TempDir
    Path folder;

    @Test
    void makesAStageOnceAndOnlyFromTheSameInputs() {
        AtomicInteger made = new AtomicInteger();
        AtomicFiles.Writer writer = stage -> {
            made.incrementAndGet();
            Files.createDirectory(stage.resolve("model"));
            Files.writeString(stage.resolve("model/a.txt"), "weights");
        };
        try (RunDirectory run = RunDirectory.open(folder)) {
            assertThat(run.isComplete("iteration-0/pairs", Map.of("seed", "1"))).isFalse();
            Path stage = run.stage("iteration-0/pairs", Map.of("seed", "1"), writer);
            assertThat(stage.resolve("model/a.txt")).hasContent("weights");
            assertThat(stage.resolve("manifest.json")).content().contains("\"seed\" : \"1\"", "\"model/a.txt\"",
                    Fingerprint.of("weights"), "\"bytes\" : 7");
        }
        try (RunDirectory run = RunDirectory.open(folder)) {
            run.stage("iteration-0/pairs", Map.of("seed", "1"), writer);
            assertThat(made).hasValue(1);
            assertThatThrownBy(() -> run.stage("iteration-0/pairs", Map.of("seed", "2"), writer))
                    .isInstanceOf(BadInputException.class)
                    .hasMessage("expected seed 2, found 1 in %s, which was made with that; use another output_dir",
                            folder.resolve("iteration-0/pairs/manifest.json"));
            assertThatThrownBy(() -> run.isComplete("iteration-0/pairs", Map.of("seed", "1", "data", "x")))
                    .hasMessageContaining("expected data x, found nothing");
            run.delete("iteration-0/pairs");
            run.stage("iteration-0/pairs", Map.of("seed", "2"), writer);
            assertThat(made).hasValue(2);
        }
    }

    @Test
    void aStageThatFailsLeavesNothingAndAKilledOneIsForgotten() throws IOException {
        try (RunDirectory run = RunDirectory.open(folder)) {
            assertThatThrownBy(() -> run.stage("train", Map.of(), stage -> {
                Files.writeString(stage.resolve("half"), "x");
                throw new IOException("disk full");
            })).hasMessageContaining("disk full");
            assertThat(Files.exists(folder.resolve("train"))).isFalse();
            Files.createDirectory(folder.resolve(".train.tmp"));
            Files.writeString(folder.resolve(".train.tmp/half"), "left by a killed process");
            run.stage("train", Map.of(), stage -> Files.writeString(stage.resolve("whole"), "x"));
            try (var names = Files.list(folder)) {
                assertThat(names.map(p -> p.getFileName().toString())).containsExactlyInAnyOrder(".lock", "train");
            }
        }
    }

    @Test
    void damagedStagesAreNamed() throws IOException {
        try (RunDirectory run = RunDirectory.open(folder)) {
            Path stage = run.stage("train", Map.of(), s -> Files.writeString(s.resolve("a"), "abc"));
            Files.writeString(stage.resolve("a"), "ab");
            assertThatThrownBy(() -> run.isComplete("train", Map.of()))
                    .hasMessageContaining("expected 3 bytes, found 2 in");
            Files.delete(stage.resolve("a"));
            assertThatThrownBy(() -> run.isComplete("train", Map.of())).hasMessageContaining("found no file");
            Files.writeString(stage.resolve("manifest.json"), "{");
            assertThatThrownBy(() -> run.isComplete("train", Map.of())).hasMessageContaining("found broken JSON");
            Files.delete(stage.resolve("manifest.json"));
            assertThatThrownBy(() -> run.isComplete("train", Map.of())).isInstanceOf(BadInputException.class)
                    .hasMessageContaining("folder without it");
        }
    }

    @Test
    void onlyOneHoldsARun() throws IOException {
        try (RunDirectory run = RunDirectory.open(folder)) {
            assertThatThrownBy(() -> RunDirectory.open(run.path())).isInstanceOf(BadInputException.class)
                    .hasMessageContaining("found another process at work in " + folder);
        }
        RunDirectory.open(folder).close();
        Path file = Files.writeString(folder.resolve("file"), "");
        assertThatThrownBy(() -> RunDirectory.open(file)).hasMessageContaining("found a file at");
    }

    @Test
    void namesStayInside() {
        try (RunDirectory run = RunDirectory.open(folder)) {
            for (String name : new String[]{"../out", "/etc", "", ".", "a/../.."}) {
                assertThatThrownBy(() -> run.resolve(name)).isInstanceOf(IllegalArgumentException.class);
            }
        }
    }

    @Test
    void configIsWrittenResolved() {
        try (RunDirectory run = RunDirectory.open(folder)) {
            run.writeConfig(TrainConfig.defaults().with("seed=7"));
            assertThat(folder.resolve("config.yaml")).content().contains("seed: 7\n", "learning_rate: 5.0e-5\n");
        }
    }

    @Test
    void metricsAreCutBackToTheStepThatTheRunGoesOnFrom() throws IOException {
        Path file = folder.resolve("metrics.jsonl");
        try (RunDirectory run = RunDirectory.open(folder)) {
            try (MetricsLog metrics = run.metrics(-1)) {
                for (int step = 10; step <= 30; step += 10) {
                    metrics.log(step, Map.of("loss", 1.0 / step));
                }
                metrics.force();
            }
            Files.writeString(file, Files.readString(file) + "{\"step\":40,\"lo");
            try (MetricsLog metrics = run.metrics(20)) {
                metrics.log(21, Map.of("loss", Double.NaN));
            }
            assertThat(file).hasContent(
                    "{\"step\":10,\"loss\":0.1}\n{\"step\":20,\"loss\":0.05}\n{\"step\":21,\"loss\":\"NaN\"}");
            run.metrics(-1).close();
            assertThat(file).isEmptyFile();
        }
    }

    @Test
    void fingerprintsSeeNamesAndBytes() throws IOException {
        Path a = Files.createDirectories(folder.resolve("a/sub"));
        Files.writeString(a.resolve("x"), "1");
        String before = Fingerprint.of(folder.resolve("a"));
        Files.writeString(a.resolve(".hidden"), "1");
        assertThat(Fingerprint.of(folder.resolve("a"))).isEqualTo(before);
        Files.move(a.resolve("x"), a.resolve("y"));
        assertThat(Fingerprint.of(folder.resolve("a"))).isNotEqualTo(before);
        // The test vector of FIPS 180-4.
        assertThat(Fingerprint.of("abc")).isEqualTo("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assertThat(Fingerprint.of(Files.writeString(folder.resolve("abc"), "abc"))).isEqualTo(Fingerprint.of("abc"));
    }
}
