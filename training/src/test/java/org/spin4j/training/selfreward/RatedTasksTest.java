package org.spin4j.training.selfreward;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.spin4j.engine.RandomStream;
import org.spin4j.tokenizer.Message;
import org.spin4j.training.DemoTasks;
import org.spin4j.training.judge.Assessment;
import org.spin4j.training.judge.Judge;
import org.spin4j.training.judge.RankedPrompt;
import org.spin4j.training.judge.Score;

class RatedTasksTest {
    @ParameterizedTest
    @CsvSource({"reverse abcde,edcba,5", "reverse abcde,bcdea,1", "reverse abcde,edcb,4", "reverse abcde,edcab,4",
            "reverse abcde,edc,3", "reverse abcde,xyxyx,0", "upper abc,ABC,5", "upper abc,Abc,1", "sort cab,abc,5",
            "sort cab,cba,1", "vowels banana,3,5", "vowels banana,6,1", "vowels banana,2,3", "vowels banana,1,1",
            "vowels banana,many,0", "say 342,three hundred and forty-two,5", "say 342,three four two,1",
            "say 342,three hundred and forty-one,4", "say 342,'',0"})
    void scoresFollowFromTheAnswer(String prompt, String answer, int score) {
        assertThat(RatedTasks.score(DemoTasks.of(prompt).orElseThrow(), answer)).isEqualTo(score);
    }

    @Test
    void everyTaskIsFoundAgainByItsPrompt() {
        for (DemoTasks.Example task : DemoTasks.splits(5, 500, 50, 50).train()) {
            assertThat(DemoTasks.of(task.prompt())).contains(task);
        }
        for (String other : List.of("", "reverse", "reverse two words", "reverse ABC", "spell abc", "say 1000",
                "say 007",
                "count abc", "upper " + "a".repeat(41))) {
            assertThat(DemoTasks.of(other)).as(other).isEqualTo(Optional.empty());
        }
    }

    @Test
    void rankedAnswersStandInTheOrderOfTheirScores() {
        List<DemoTasks.Example> tasks = DemoTasks.splits(5, 200, 0, 0).train();
        for (int i = 0; i < tasks.size(); i++) {
            RankedPrompt ranked = RatedTasks.ranked(tasks.get(i), RandomStream.of(1, "test", i));
            assertThat(new HashSet<>(ranked.responses())).hasSameSizeAs(ranked.responses()).hasSizeBetween(2, 4);
            for (int a = 0; a < ranked.responses().size(); a++) {
                for (int b = 0; b < ranked.responses().size(); b++) {
                    assertThat(Double.compare(ranked.ranks().get(b), ranked.ranks().get(a)))
                            .isEqualTo(Integer.compare(RatedTasks.score(tasks.get(i), ranked.responses().get(a)),
                                    RatedTasks.score(tasks.get(i), ranked.responses().get(b))));
                }
            }
            assertThat(ranked.ranks().get(ranked.responses().indexOf(tasks.get(i).answer()))).isEqualTo(1);
        }
    }

    @Test
    void theTrueJudgeKnowsWhatItDoesNotKnow() {
        List<Assessment> said = RatedTasks.TRUE.judge(
                List.of(new Judge.Answer(0, List.of(new Message("user", "upper abc")), " ABC\n"),
                        new Judge.Answer(1, List.of(new Message("user", "who are you?")), "a model")),
                3, 1, n -> {});
        assertThat(said.get(0).mean()).hasValue(5);
        assertThat(said.get(1).count(Score.Unusable.NO_REFERENCE)).isEqualTo(1);
    }
}
