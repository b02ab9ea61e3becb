package org.spin4j.training.selfreward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.spin4j.training.BadInputException;
import org.spin4j.training.Method;
import org.spin4j.training.TrainConfig;
import org.spin4j.training.judge.PromptFilter;

class NewPromptsTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"' 9. Write a poem. '|Write a poem.", "Task 9: Write a poem.|Write a poem.",
            "Request #12) Write|Write", "9 lives has a cat, true?|9 lives has a cat, true?",
            "1.5 litres are how much?|1.5 litres are how much?",
            "2024: what happened?|2024: what happened?"})
    void aNumberThatTheModelPutBeforeItsPromptIsTakenAway(String answer, String prompt) {
        assertThat(NewPrompts.clean(answer)).isEqualTo(prompt);
    }

    @Test
    void examplesAreNumbered() {
        assertThat(NewPrompts.numbered(List.of("a b", "c"))).isEqualTo("1. a b\n2. c");
        TrainConfig usual = TrainConfig.defaults(Method.SELF_REWARD);
        assertThat(NewPrompts.template(usual).toString()).contains("{{ examples }}");
    }

    @Test
    void limitsAreSelfInstructsUnlessToldOtherwise(@TempDir Path dir) throws Exception {
        TrainConfig usual = TrainConfig.defaults(Method.SELF_REWARD);
        assertThat(NewPrompts.limits(usual)).isEqualTo(PromptFilter.Limits.SELF_INSTRUCT);
        Path words = Files.writeString(dir.resolve("words.txt"), "film\n\n moving picture \n");
        assertThat(NewPrompts.limits(usual.with("prompt_keywords=" + words, "max_rouge_l=0.5"))).isEqualTo(
                new PromptFilter.Limits(0.5, 4, 150, List.of("film", "moving picture")));
        assertThatThrownBy(() -> NewPrompts.limits(usual.with("prompt_keywords=" + dir.resolve("no.txt"))))
                .isInstanceOf(BadInputException.class).hasMessageContaining("no.txt");
    }

    @Test
    void thePapersNumbersAreTheDefaults() {
        TrainConfig c = TrainConfig.defaults(Method.SELF_REWARD);
        assertThat(List.of(c.seedShots(), c.generatedShots(), c.candidates(), c.judgements(), c.iterations()))
                .containsExactly(6, 2, 4, 3, 2);
        assertThat(List.of(c.promptTemperature(), c.promptTopP(), c.temperature(), c.topP(), c.judgeTemperature(),
                c.judgeTopP())).containsExactly(.6, .9, .7, .9, .7, .9);
        assertThat(List.of(c.sftLearningRate(), c.sftLearningRate() * c.sftMinLrRate(), c.learningRate(),
                c.learningRate() * c.minLrRate(), c.beta()))
                .usingComparatorForType((a, b) -> Math.abs(a - b) < 1e-12 ? 0 : Double.compare(a, b), Double.class)
                .containsExactly(5.5e-6, 1.1e-6, 1e-6, 1e-7, .1);
        assertThat(List.of(c.sftBatchSize(), c.perDeviceTrainBatchSize(), c.earlyStoppingSteps(),
                c.earlyStoppingPrompts())).containsExactly(16, 16, 200, 253);
        // The other methods keep theirs.
        assertThat(TrainConfig.defaults().temperature()).isEqualTo(1);
        assertThat(TrainConfig.help(java.util.Optional.of(Method.SELF_REWARD))).contains("> 0 (default: 1e-6)");
    }
}
