package org.spin4j.training.judge;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.spin4j.tokenizer.Message;
import org.spin4j.training.judge.JudgeQuestions.Text;

class JudgeQuestionsTest {
    private static List<Assessment> judge(int judgements, Optional<List<Text>> written) {
        Judge.Answer answer = new Judge.Answer(4, List.of(new Message("user", "p")), "r");
        return JudgeQuestions.additive().judge((asked, texts, seed, done) -> {
            assertThat(asked)
                    .containsExactly(new JudgeQuestions.Asked(4, JudgePrompt.additive().render(answer.prompt(), "r")));
            assertThat(texts).isEqualTo(judgements);
            return List.of(written);
        }, List.of(answer), judgements, 1, n -> {});
    }

    @Test
    void textsBecomeScores() {
        assertThat(judge(2, Optional.of(List.of(new Text("Score: 4", false), new Text("no", false))))).containsExactly(
                new Assessment(List.of(new Assessment.Judgement("Score: 4", new Score.Points(4)),
                        new Assessment.Judgement("no", Score.Unusable.MISSING))));
    }

    @Test
    void whatTheWriterCannotReadIsUnusableAsOftenAsAsked() {
        assertThat(judge(3, Optional.empty()).getFirst().count(Score.Unusable.TOO_LONG)).isEqualTo(3);
    }

    /** What broke off within its last line, ↵ is a line break: the number there may be a part of one. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"Score: 4|cut", "Score: 4↵|4", "Score: 4↵as it is|4",
            "Score: 4↵No, score: 3|cut",
            "Score: 4↵Again, score: 4|4", "It is a|cut", "Score: 9↵so|cut", "Score: 4↵Score:|4"})
    void textsThatWereCutOff(String text, String expected) {
        Score score = judge(1, Optional.of(List.of(new Text(text.replace('↵', '\n'), true)))).getFirst().judgements()
                .getFirst()
                .score();
        assertThat(score instanceof Score.Points p ? Long.toString((long) p.value()) : score.toString())
                .isEqualTo(expected);
    }
}
