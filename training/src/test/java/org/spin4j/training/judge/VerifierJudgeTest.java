package org.spin4j.training.judge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.spin4j.tokenizer.Message;
import org.spin4j.training.BadInputException;
import org.spin4j.training.judge.VerifierJudge.Kind;

class VerifierJudgeTest {
    @TempDir
    private Path folder;

    private static Assessment.Judgement judge(Kind kind, List<String> right, String response) {
        VerifierJudge verifier = new VerifierJudge(kind, prompt -> right, ScorePattern.ADDITIVE);
        return verifier.judge(List.of(new Judge.Answer(0, List.of(new Message("user", "?")), response)), 3, 1, n -> {})
                .getFirst().judgements().getFirst();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {"EXACT|tac|tac|5", "EXACT|tac| tac↵|5",
            "EXACT|two  words|two words|5",
            "EXACT|tac|Tac|0", "EXACT|tac|tac.|0", "EXACT|tac|the tac|0", "EXACT|caf\u00e9|cafe\u0301|5",
            "EXACT|tac|``|0",
            "TABLE|Paris|paris.|5", "TABLE|Paris|It is Paris, in France.|2.5", "TABLE|Paris|parish|0",
            "TABLE|New York|new   york!|5",
            "TABLE|Paris|London|0", "TABLE|!|?|5", "TABLE|Paris|``|0",
            "NUMBER|72|She sold 48 + 24 = 72 clips.|5", "NUMBER|#### 72|72|5", "NUMBER|72|72.0|5",
            "NUMBER|1000|$1,000.|5",
            "NUMBER|72|72 of 100|0", "NUMBER|72|none|0", "NUMBER|-3|it is -3|5", "NUMBER|3|10-3|5", "NUMBER|3|−3|0",
            "NUMBER|0.5|so 0.50 it is|5", "NUMBER|5|0.5|0", "NUMBER|2|1,2|5", "NUMBER|12|1,2|0"})
    void kinds(Kind kind, String right, String response, double points) {
        assertThat(judge(kind, List.of(right), response.replace('↵', '\n')).score())
                .isEqualTo(new Score.Points(points));
    }

    @Test
    void theBestOfSeveralAnswersCounts() {
        assertThat(judge(Kind.EXACT, List.of("a", "b"), "b").score()).isEqualTo(new Score.Points(5));
        assertThat(judge(Kind.TABLE, List.of("x y", "x"), "x and x y").text())
                .isEqualTo("Right in part: the answer is x y or x.\nScore: 2.5");
        assertThat(judge(Kind.EXACT, List.of(), "b").score()).isEqualTo(Score.Unusable.NO_REFERENCE);
        assertThatThrownBy(() -> judge(Kind.NUMBER, List.of("many"), "1")).isInstanceOf(BadInputException.class)
                .hasMessageContaining("expected a number in the right answer, found 'many'");
    }

    @Test
    void anotherScale() {
        VerifierJudge verifier = new VerifierJudge(Kind.EXACT, prompt -> List.of("a"), new ScorePattern(-1, 1));
        List<Assessment> found = verifier.judge(List.of(answer("p", "a"), answer("p", "b")), 1, 1, n -> {});
        assertThat(found).extracting(a -> a.mean().orElseThrow()).containsExactly(1.0, -1.0);
    }

    /** What a verifier writes can be read, and learnt, as any judgement. */
    @Property(tries = 100)
    void theTextSaysTheScore(@ForAll String right, @ForAll String response) {
        for (Kind kind : List.of(Kind.EXACT, Kind.TABLE)) {
            Assessment.Judgement judgement = judge(kind, List.of(right), response);
            assertThat(ScorePattern.ADDITIVE.parse(judgement.text())).isEqualTo(judgement.score());
        }
    }

    @Test
    void answersFromAFile() throws IOException {
        Path file = Files.writeString(folder.resolve("answers.jsonl"), """
                {"prompt":"capital of France ","answer":"Paris"}
                {"messages":[{"role":"user","content":"a colour"}],"answer":["red","blue"]}
                {"prompt":"a colour","answer":"green"}
                {"prompt":"six times seven","answer":42}
                """);
        VerifierJudge table = VerifierJudge.read(Kind.TABLE, file, ScorePattern.ADDITIVE);
        List<Assessment> found = table.judge(List.of(answer("capital of France", "paris"), answer("a colour", "Blue"),
                answer("a colour", "green"), answer("six times seven", "42"), answer("another", "x")), 1, 1, n -> {});
        assertThat(found).extracting(a -> a.mean().orElse(-1)).containsExactly(5.0, 5.0, 5.0, 5.0, -1.0);
        Files.writeString(file, "{\"prompt\":\"p\",\"answers\":\"x\"}");
        assertThatThrownBy(() -> VerifierJudge.read(Kind.TABLE, file, ScorePattern.ADDITIVE))
                .isInstanceOf(BadInputException.class).hasMessageContaining("found no such key in " + file + ":1");
    }

    @Test
    void aHugeNumberIsNoAnswer() {
        assertThat(VerifierJudge.lastNumber("9".repeat(100_000))).isEmpty();
        assertThat(judge(Kind.NUMBER, List.of("9"), "9".repeat(100_000)).score()).isEqualTo(new Score.Points(0));
    }

    private static Judge.Answer answer(String prompt, String response) {
        return new Judge.Answer(0, List.of(new Message("user", prompt)), response);
    }
}
