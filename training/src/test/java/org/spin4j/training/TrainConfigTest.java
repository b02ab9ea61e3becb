package org.spin4j.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TrainConfigTest {
    @TempDir
    Path folder;

    @Test
    void readsFileAndOverrides() throws IOException {
        TrainConfig config = load("""
                # a run
                model: "models/base"
                learning_rate: 1e-4
                weight_decay: 5e-7
                seed: 1_000
                optim: rmsprop
                lr_scheduler_type: cosine
                mix_previous: no
                adam_beta1: .5
                iteration_learning_rates: [5e-7, 1e-7]
                iteration_betas:
                  - 0.1
                  - 5
                eval_data:
                """, "beta=2", "beta=3", "output_dir=runs/a=b").config();
        assertThat(config.model()).contains(Path.of("models/base"));
        assertThat(config.evalData()).isEmpty();
        assertThat(config.learningRate()).isEqualTo(1e-4);
        assertThat(config.weightDecay()).isEqualTo(5e-7);
        assertThat(config.seed()).isEqualTo(1000);
        assertThat(config.optim()).isEqualTo(TrainConfig.Optim.RMSPROP);
        assertThat(config.lrSchedulerType()).isEqualTo(LearningRateSchedule.Kind.COSINE);
        assertThat(config.mixPrevious()).isFalse();
        assertThat(config.adamBeta1()).isEqualTo(0.5);
        assertThat(config.learningRate(0)).isEqualTo(5e-7);
        assertThat(config.learningRate(7)).isEqualTo(1e-7);
        assertThat(config.beta(1)).isEqualTo(5);
        assertThat(config.beta()).isEqualTo(3);
        assertThat(config.outputDir()).contains(Path.of("runs/a=b"));
        assertThat(config.maxLength()).isEqualTo(1024);
    }

    @Test
    void writtenYamlReadsBackEqual() throws IOException {
        TrainConfig config = TrainConfig.defaults().with("model=a \"b\"\\c: #d", "learning_rate=3e-7",
                "max_grad_norm=1e10",
                "iteration_betas=0.1,5", "loss_type=exo_pair", "label_smoothing=0.1");
        assertThat(load(config.toYaml()).config()).isEqualTo(config);
        assertThat(load(TrainConfig.defaults().toYaml()).config()).isEqualTo(TrainConfig.defaults());
        assertThat(config.toYaml()).contains("max_grad_norm: 1.0e+10", "ref_model: null");
    }

    @Test
    void emptyFileIsAllDefaults() throws IOException {
        assertThat(load("").config()).isEqualTo(TrainConfig.defaults());
        assertThat(load("# nothing\n").config()).isEqualTo(TrainConfig.defaults());
        assertThat(TrainConfig.defaults().beta(2)).isEqualTo(0.1);
    }

    @Test
    void mistypedKeyNamesTheNearestAndItsLine() {
        assertThatThrownBy(() -> load("seed: 1\n\nlearning_rat: 1e-4\n")).isInstanceOf(BadInputException.class)
                .hasMessage("expected a known key, found 'learning_rat' in %s:3; the nearest is learning_rate",
                        folder.resolve("run.yaml"));
        assertThatThrownBy(() -> load("", "warmpu_steps=1"))
                .hasMessage(
                        "expected a known key, found 'warmpu_steps' on the command line; the nearest is warmup_steps");
        assertThat(Spelling.editDistance("ab", "ba")).isEqualTo(1);
        assertThat(Spelling.editDistance("kitten", "sitting")).isEqualTo(3);
    }

    @Test
    void wrongValueNamesRangeAndLine() {
        assertThatThrownBy(() -> load("seed: 1\nlearning_rate: abc\n")).hasMessage(
                "expected a number > 0, found 'abc' for learning_rate in %s:2; the default is 5e-5",
                folder.resolve("run.yaml"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"learning_rate=0|a number > 0", "learning_rate=NaN|a number > 0",
            "learning_rate=1d|a number > 0", "learning_rate=1e999|a number > 0",
            "warmup_ratio=1.5|a number >= 0 and <= 1",
            "adam_beta1=1|a number >= 0 and < 1", "dropout=1|a number >= 0 and < 1",
            "dropout=-0.1|a number >= 0 and < 1",
            "sft_dropout=NaN|a number >= 0 and < 1", "max_length=1.5|a whole number >= 2",
            "max_length=99999999999|a whole number >= 2", "seed=9223372036854775808|a whole number",
            "mix_previous=2|true or false", "optim=sgd|one of adamw, rmsprop", "backend=|auto",
            "iteration_betas=1,-1|numbers > 0", "iteration_betas=1,,2|numbers > 0", "max_length=-|a whole number"})
    void refusesValuesOutsideTheRange(String override, String expected) {
        if (override.equals("backend=")) {
            assertThat(TrainConfig.defaults().with(override).backend()).isEqualTo(expected);
            return;
        }
        assertThatThrownBy(() -> TrainConfig.defaults().with(override)).isInstanceOf(BadInputException.class)
                .hasMessageContaining("expected " + expected).hasMessageNotContaining("\n");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"'- 1'|expected a mapping of keys to values, found a list",
            "'seed: {a: 1}'|a mapping",
            "'seed: 1\nseed: 2'|run.yaml:2", "'seed: [[1]]'|a list in", "'a: b: c'|expected YAML", "'\"'|expected YAML",
            "'seed: 1\n---\nseed: 2'|expected one YAML document", "'model: &a x\ntokenizer: *a'|something else in",
            "'iterations: [1, 2]'|found a list for iterations", "'%a: {'|expected YAML"})
    void refusesFilesOfAnotherShape(String yaml, String message) {
        assertThatThrownBy(() -> load(yaml)).isInstanceOf(BadInputException.class).hasMessageContaining(message)
                .hasMessageContaining("run.yaml:").hasMessageNotContaining("\n");
    }

    @Test
    void refusesWhatDoesNotFitTogether() {
        assertThatThrownBy(() -> load("loss_type: exo_pair")).hasMessageContaining("label_smoothing in (0, 0.5)");
        assertThatThrownBy(() -> load("max_prompt_length: 2000"))
                .hasMessageContaining("max_prompt_length < max_length");
        assertThatThrownBy(() -> load("", "seed")).hasMessageContaining("expected key=value, found 'seed'");
        assertThatThrownBy(() -> TrainConfig.load(Method.SFT, Optional.of(folder.resolve("no.yaml")), List.of()))
                .hasMessageContaining("found nothing at").isInstanceOf(BadInputException.class);
        assertThatThrownBy(() -> TrainConfig.defaults().require("train_data"))
                .hasMessageStartingWith("expected a path for train_data, found none; write train_data=PATH");
    }

    @Test
    void keysOfOtherCommandsAreReported() throws IOException {
        Path file = Files.writeString(folder.resolve("run.yaml"), "iterations: 2\nbeta: 0.2\nseed: 3\n");
        assertThat(TrainConfig.load(Method.DPO, Optional.of(file), List.of()).unused()).containsExactly("iterations");
        assertThat(TrainConfig.load(Method.SPIN, Optional.of(file), List.of()).unused()).isEmpty();
    }

    @Test
    void selfRewardDropsAsItsPaperDoes() {
        TrainConfig config = TrainConfig.defaults(Method.SELF_REWARD);
        assertThat(config.sftDropout()).isEqualTo(0.1);
        assertThat(config.dropout()).isZero();
        assertThat(TrainConfig.help(Optional.of(Method.SFT))).containsPattern("(?m)^dropout ")
                .doesNotContain("sft_dropout");
        assertThat(TrainConfig.help(Optional.of(Method.SELF_REWARD))).contains("sft_dropout")
                .doesNotContainPattern("(?m)^dropout ");
    }

    @Test
    void helpListsEveryKeyOfTheCommand() {
        String all = TrainConfig.help(Optional.empty());
        assertThat(all).contains("learning_rate", "a number > 0 (default: 5e-5)", "spin only", "one of adamw, rmsprop");
        assertThat(TrainConfig.help(Optional.of(Method.SFT))).contains("learning_rate")
                .doesNotContain("label_smoothing");
    }

    @Test
    void resultKeysLeaveOutWhatDoesNotMatter() {
        assertThat(TrainConfig.defaults().resultKeys()).containsKeys("seed", "beta").doesNotContainKeys("threads",
                "output_dir", "logging_steps");
    }

    private TrainConfig.Loaded load(String yaml, String... overrides) throws IOException {
        Path file = Files.writeString(folder.resolve("run.yaml"), yaml);
        return TrainConfig.load(Method.SPIN, Optional.of(file), List.of(overrides));
    }
}
