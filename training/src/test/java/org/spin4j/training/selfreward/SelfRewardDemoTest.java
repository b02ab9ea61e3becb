package org.spin4j.training.selfreward;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.spin4j.kernels.Backends;
import org.spin4j.training.Interrupt;
import org.spin4j.training.Progress;

/** The demo's pipeline with a model that learns to write scores and little else: it judges itself. */
class SelfRewardDemoTest {
    private static final SelfRewardDemo.Scale TINY = new SelfRewardDemo.Scale(250, 1, 9, 40, 20, 40, 12, 12);

    @TempDir
    private Path dir;

    private SelfRewardDemo demo(String folder, int threads, Interrupt interrupt) {
        return new SelfRewardDemo(Backends.choose("auto", threads), dir.resolve(folder), TINY, 3,
                // What has learnt little says the same of everything unless it may say anything.
                List.of("judge_temperature=1", "judge_top_p=1", "temperature=1", "top_p=1"), new Progress(true),
                interrupt);
    }

    @Test
    void sameTablesForAnyThreadsAndAfterGoingOn() throws IOException {
        String text;
        try (Interrupt interrupt = new Interrupt()) {
            text = demo("one", 1, interrupt).run().text();
        }
        assertThat(text).contains("SFT ", "M1 ", "M2 against M1", "M3 against M2", "Kendall τ-b", "pairwise accuracy");
        // The base model takes most of the time; what is new from here is the loop.
        for (String part : List.of("base", "tokenizer", "data")) {
            SelfRewardTest.copy(dir.resolve("one").resolve(part), dir.resolve("two").resolve(part));
        }
        try (Interrupt interrupt = new Interrupt()) {
            assertThat(demo("two", 2, interrupt).run().text()).isEqualTo(text);
        }
        assertThat(dir.resolve("two/run/m3/model/model.safetensors"))
                .hasSameBinaryContentAs(dir.resolve("one/run/m3/model/model.safetensors"));
        var made = Files.getLastModifiedTime(dir.resolve("one/run/m3/model/model.safetensors"));
        try (Interrupt interrupt = new Interrupt()) {
            SelfRewardDemo again = demo("one", 2, interrupt);
            SelfRewardDemoReport report = again.run();
            assertThat(report.text()).isEqualTo(text);
            assertThat(report.json().at("/M3/reward_model/spearman").isNumber()).isTrue();
            assertThat(again.writeReport(report)).content().contains("The model as a judge", "Preference pairs",
                    "Answers against those of the model before");
        }
        assertThat(Files.getLastModifiedTime(dir.resolve("one/run/m3/model/model.safetensors"))).isEqualTo(made);
    }
}
