package org.spin4j.training.judge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.spin4j.tokenizer.Message;
import org.spin4j.training.judge.PairJudge.Duel;
import org.spin4j.training.judge.PairJudge.Outcome;

class HeadToHeadTest {
    private static Duel duel(int number, String first, String second) {
        return new Duel(number, List.of(new Message("user", "p")), first, second);
    }

    @Test
    void countsSharesAndLengths() {
        List<Duel> duels = List.of(duel(0, "ab", "a"), duel(1, "😀😀", ""), duel(2, "abcd", "abcd"), duel(3, "", "abc"),
                duel(4, "x", "y"));
        HeadToHead result = HeadToHead.of(duels,
                List.of(Outcome.FIRST, Outcome.FIRST, Outcome.TIE, Outcome.SECOND, Outcome.UNJUDGED), 1);
        assertThat(List.of(result.wins(), result.ties(), result.losses(), result.unjudged())).containsExactly(2, 1, 1,
                1);
        assertThat(result.winShare().estimate()).isEqualTo(0.5);
        assertThat(result.tieShare().estimate()).isEqualTo(0.25);
        assertThat(result.lossShare().estimate()).isEqualTo(0.25);
        assertThat(result.advantage().estimate()).isEqualTo(0.25);
        assertThat(result.winShare().low()).isBetween(0.0, 0.25);
        assertThat(result.winShare().high()).isBetween(0.75, 1.0);
        assertThat(result.firstLength()).isEqualTo(9 / 5.0);
        assertThat(result.secondLength()).isEqualTo(9 / 5.0);
        assertThat(result).asString().contains("win 0.500 [", "of 4 duels, 1.8 and 1.8 characters long; 1 not judged");
        assertThat(result.numbers()).containsEntry("advantage", 0.25).containsEntry("unjudged", 1.0);
    }

    /** The usual interval of a share, ±1.96·√(0.6·0.4/500), to which the bootstrap tends. */
    @Test
    void theIntervalIsThatOfAShare() {
        List<Duel> duels = IntStream.range(0, 500).mapToObj(i -> duel(i, "a", "b")).toList();
        List<Outcome> outcomes = IntStream.range(0, 500).mapToObj(i -> i % 5 < 3 ? Outcome.FIRST : Outcome.SECOND)
                .toList();
        HeadToHead result = HeadToHead.of(duels, outcomes, 1);
        assertThat(result.winShare().low()).isCloseTo(0.6 - 0.043, within(0.006));
        assertThat(result.winShare().high()).isCloseTo(0.6 + 0.043, within(0.006));
        assertThat(HeadToHead.of(duels, outcomes, 1)).isEqualTo(result);
    }

    @Test
    void nothingJudgedIsNotKnown() {
        HeadToHead result = HeadToHead.of(List.of(duel(0, "a", "b")), List.of(Outcome.UNJUDGED), 1);
        assertThat(result.winShare().estimate()).isNaN();
        assertThat(result.winShare().high()).isEqualTo(1);
        assertThat(result.advantage().low()).isEqualTo(-1);
        assertThat(result.numbers()).containsEntry("unjudged", 1.0).doesNotContainValue(Double.NaN);
        assertThat(result).hasToString("no winner known, 1.0 and 1.0 characters long; 1 not judged");
        assertThatThrownBy(() -> HeadToHead.of(List.of(), List.of(), 1)).hasMessageContaining("at least one duel");
    }

    // ---- judges of pairs -----------------------------------------------------------------------------------------------

    @Test
    void higherScoresWin() {
        VerifierJudge verifier = new VerifierJudge(VerifierJudge.Kind.EXACT, prompt -> List.of("right"),
                ScorePattern.ADDITIVE);
        List<Integer> done = new ArrayList<>();
        assertThat(PairJudge.ofScores(verifier, 3).compare(
                List.of(duel(0, "right", "wrong"), duel(1, "wrong", "right"), duel(2, "right", "right"),
                        duel(3, "a", "b")),
                1, done::add))
                .containsExactly(Outcome.FIRST, Outcome.SECOND, Outcome.TIE, Outcome.TIE);
        assertThat(done).containsExactly(4);
        VerifierJudge ignorant = new VerifierJudge(VerifierJudge.Kind.EXACT, prompt -> List.of(),
                ScorePattern.ADDITIVE);
        assertThat(PairJudge.ofScores(ignorant, 1).compare(List.of(duel(0, "a", "b")), 1, n -> {}))
                .containsExactly(Outcome.UNJUDGED);
    }

    /** Writers that stand for a model: each is shown both orders under numbers of their own. */
    @Test
    void aPairIsAskedInBothOrders() {
        JudgeQuestions questions = new JudgeQuestions(JudgePrompt.additive(), ScorePattern.ADDITIVE,
                PairPrompt.of("{{ prompt }}: {{ response_a }} or {{ response_b }}", "a test"));
        List<Duel> duels = List.of(duel(7, "long answer", "x"), duel(8, "x", "long answer"), duel(9, "x", "x"));
        assertThat(questions.compare((asked, texts, seed, done) -> {
            assertThat(asked).hasSize(6);
            assertThat(asked.subList(0, 2)).containsExactly(new JudgeQuestions.Asked(14, "p: long answer or x"),
                    new JudgeQuestions.Asked(15, "p: x or long answer"));
            return answers(asked,
                    p -> p.startsWith("p: long") ? "Verdict: A" : p.endsWith("answer") ? "Verdict: B" : "Verdict: tie");
        }, duels, 1, n -> {})).containsExactly(Outcome.FIRST, Outcome.SECOND, Outcome.TIE);
        assertThat(
                questions.compare((asked, texts, seed, done) -> answers(asked, p -> "Verdict: A"), duels, 1, n -> {}))
                .containsOnly(Outcome.TIE);
        assertThat(questions.compare(
                (asked, texts, seed, done) -> answers(asked, p -> p.startsWith("p: x or l") ? "?" : "Verdict: A"),
                duels, 1, n -> {})).containsExactly(Outcome.UNJUDGED, Outcome.UNJUDGED, Outcome.TIE);
        assertThat(questions.compare(
                (asked, texts, seed, done) -> asked.stream().map(a -> Optional.<List<JudgeQuestions.Text>>empty())
                        .toList(),
                duels, 1, n -> {})).containsOnly(Outcome.UNJUDGED);
    }

    private static List<Optional<List<JudgeQuestions.Text>>> answers(List<JudgeQuestions.Asked> asked,
            UnaryOperator<String> answer) {
        return asked.stream().map(a -> Optional.of(List.of(new JudgeQuestions.Text(answer.apply(a.prompt()), false))))
                .toList();
    }
}
