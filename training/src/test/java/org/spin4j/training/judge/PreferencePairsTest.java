package org.spin4j.training.judge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.spin4j.training.judge.PreferencePairs.Candidate;
import org.spin4j.training.judge.PreferencePairs.Pair;
import org.spin4j.training.judge.Score.Unusable;

class PreferencePairsTest {
    /** An assessment with these scores; null is a judgement without one. */
    static Assessment scores(Integer... scores) {
        return new Assessment(Arrays.stream(scores).map(s -> new Assessment.Judgement("Score: " + s,
                s == null ? Unusable.MISSING : new Score.Points(s))).toList());
    }

    private static Candidate candidate(String text, Integer... scores) {
        return new Candidate(text, scores(scores));
    }

    @Test
    void bestAgainstWorst() {
        PreferencePairs pairs = PreferencePairs.of(List.of(
                List.of(candidate("a", 3, 4), candidate("b", 5, 5), candidate("c", 1, 2), candidate("d", 5, 5),
                        candidate("e", 2, 1))));
        // Of equals the first.
        assertThat(pairs.pairs()).containsExactly(new Pair(0, 1, 2, 5, 1.5));
        assertThat(pairs.histogram()).containsExactly(Map.entry(1.0, 2), Map.entry(2.0, 2), Map.entry(3.0, 1),
                Map.entry(4.0, 1),
                Map.entry(5.0, 4));
    }

    /** A fault of public code: a tie discards the whole batch it is in. */
    @Test
    void aTieDropsOnePromptNeverABatch() {
        PreferencePairs pairs = PreferencePairs.of(List.of(List.of(candidate("a", 4), candidate("b", 2)),
                List.of(candidate("a", 3, 4, 4), candidate("b", 4, 4, 3)),
                List.of(candidate("a", 0), candidate("b", 1)),
                List.of(candidate("same", 5), candidate("same", 1)), List.of()));
        assertThat(pairs.pairs()).containsExactly(new Pair(0, 0, 1, 4, 2), new Pair(2, 1, 0, 1, 0));
        assertThat(List.of(pairs.prompts(), pairs.ties(), pairs.equal(), pairs.unjudged())).containsExactly(5, 1, 1, 1);
    }

    @Test
    void unusableJudgementsAreCountedAndLeftOut() {
        Candidate outside = new Candidate("x",
                new Assessment(List.of(new Assessment.Judgement("Score: 9", Unusable.OUT_OF_RANGE))));
        PreferencePairs pairs = PreferencePairs
                .of(List.of(List.of(candidate("a", 5, null), candidate("b", null, null), outside),
                        List.of(candidate("a", 5, null), candidate("b", null, 4))));
        assertThat(pairs.pairs()).containsExactly(new Pair(1, 0, 1, 5, 4));
        assertThat(pairs.unjudged()).isEqualTo(1);
        assertThat(pairs.unusable()).isEqualTo(Map.of(Unusable.MISSING, 5, Unusable.OUT_OF_RANGE, 1));
        assertThat(pairs.histogram()).containsExactly(Map.entry(4.0, 1), Map.entry(5.0, 2));
    }

    @Test
    void assessments() throws Exception {
        Assessment assessment = scores(4, null, 5);
        assertThat(assessment.mean()).isEqualTo(OptionalDouble.of(4.5));
        assertThat(assessment.unusable()).isEqualTo(1);
        assertThat(assessment.count(Unusable.MISSING)).isEqualTo(1);
        assertThat(assessment.count(Unusable.TOO_LONG)).isZero();
        assertThat(scores((Integer) null).mean()).isEmpty();
        assertThat(Assessment.of(assessment.json())).isEqualTo(assessment);
        assertThat(assessment.json().get(1)).hasToString("{\"text\":\"Score: null\",\"unusable\":\"missing\"}");
        for (String broken : List.of("[]", "{}", "[{\"score\":1}]", "[{\"text\":\"a\"}]",
                "[{\"text\":\"a\",\"unusable\":\"x\"}]",
                "[1]")) {
            assertThatThrownBy(() -> Assessment.of(new ObjectMapper().readTree(broken)))
                    .hasMessageContaining("judge again");
        }
    }
}
