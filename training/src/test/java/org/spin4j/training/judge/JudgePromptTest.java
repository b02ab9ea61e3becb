package org.spin4j.training.judge;

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
import org.spin4j.tokenizer.Message;
import org.spin4j.training.BadInputException;

class JudgePromptTest {
    private static final List<Message> QUESTION = List.of(new Message("user", "What is a cat?"));

    @TempDir
    private Path folder;

    @Test
    void theBuiltInPromptHoldsQuestionAnswerScaleAndForm() {
        String text = JudgePrompt.additive().render(QUESTION, "An animal.");
        assertThat(text)
                .contains("<question>\nWhat is a cat?\n</question>", "<answer>\nAn animal.\n</answer>", "1. ", "5. ",
                        "no more than 100 words")
                .doesNotContain("{{").endsWith("Score: n");
        // The form that is asked for is one that is read, and the prompt itself states no score.
        assertThat(ScorePattern.ADDITIVE.parse(text.replace("Score: n", "Score: 3"))).isEqualTo(new Score.Points(3));
        assertThat(ScorePattern.ADDITIVE.parse(text)).isEqualTo(Score.Unusable.MISSING);
    }

    @Test
    void valuesArePutInOnce() {
        JudgePrompt prompt = JudgePrompt.of("Q {{prompt}} A {{ response }} Q {{ prompt }}", "a test");
        assertThat(prompt.render(List.of(new Message("user", "{{ response }} $1 \\")), "{{ prompt }}"))
                .isEqualTo("Q {{ response }} $1 \\ A {{ prompt }} Q {{ response }} $1 \\");
    }

    @Test
    void aLongerConversationSaysWhoSpeaks() {
        JudgePrompt prompt = JudgePrompt.of("{{ prompt }}|{{ response }}", "a test");
        assertThat(prompt.render(List.of(new Message("system", "Be brief."), new Message("user", "Hi")), "Hello"))
                .isEqualTo("system: Be brief.\n\nuser: Hi|Hello");
    }

    @Test
    void fromAFile() throws IOException {
        Path file = Files.writeString(folder.resolve("judge.txt"), "{{ prompt }} -> {{ response }} ü");
        assertThat(JudgePrompt.read(file).render(QUESTION, "x")).isEqualTo("What is a cat? -> x ü");
        assertThatThrownBy(() -> JudgePrompt.read(folder)).isInstanceOf(BadInputException.class)
                .hasMessageContaining("found no file at " + folder);
        Files.write(file, new byte[]{(byte) 0xFF});
        assertThatThrownBy(() -> JudgePrompt.read(file)).hasMessageContaining("expected UTF-8")
                .hasMessageContaining(file.toString());
        Files.write(file, new byte[(1 << 20) + 1]);
        assertThatThrownBy(() -> JudgePrompt.read(file)).hasMessageContaining("found 1048577 bytes");
        assertThatThrownBy(() -> JudgePrompt.read(folder.resolve("none"))).isInstanceOf(BadInputException.class)
                .hasMessageContaining("found no file");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"{{ prompt }}|found no {{ response }} in a test; write it",
            "{{ prompt }} {{ response }} {{ respones }}|found {{ respones }} in a test; the nearest is {{ response }}",
            "nothing|found no {{ prompt }}", "{ prompt } {{ response }}|found no {{ prompt }}",
            "{{ prompt }} {{ Response }}|found {{ Response }}"})
    void missingAndUnknownPlaces(String text, String message) {
        assertThatThrownBy(() -> JudgePrompt.of(text, "a test")).isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("expected the places {{ prompt }}, {{ response }} in a prompt")
                .hasMessageContaining(message).hasMessageNotContaining("\n");
    }

    @Test
    void thePairwisePrompt() {
        String text = PairPrompt.sideBySide().render(QUESTION, "An animal.", "A dog.");
        assertThat(text).contains("What is a cat?", "Answer A:\n<answer>\nAn animal.", "Answer B:\n<answer>\nA dog.");
        assertThatThrownBy(() -> PairPrompt.of("{{ prompt }} {{ response_a }}", "a test"))
                .hasMessageContaining("found no {{ response_b }}");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"A is clearer.↵Verdict: A|A", "Verdict: B|B", "verdict: tie|TIE",
            "**Verdict:** B|B",
            "**Verdict: B**|B", "Verdict: [[A]]|A", "so [[B]]|B", "[[C]]|TIE", "Verdict: A. No. Verdict: B|B",
            "The verdict is Answer A.|A", "Verdict: response B|B", "Verdict: draw|TIE", "A|", "Verdict: Able|",
            "Verdict: D|",
            "Answer A is better|", "Verdict:|", "Verdict: A's|"})
    void verdicts(String text, PairPrompt.Verdict expected) {
        assertThat(PairPrompt.sideBySide().parse(text.replace('↵', '\n'))).isEqualTo(Optional.ofNullable(expected));
    }
}
