package org.spin4j.training.judge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.spin4j.training.judge.PreferencePairsTest.scores;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.spin4j.engine.RandomStream;
import org.spin4j.tokenizer.Message;
import org.spin4j.training.Interval;

class RewardModelReportTest {
    private static RankedPrompt ranked(double... ranks) {
        return new RankedPrompt(List.of(new Message("user", "p")),
                IntStream.range(0, ranks.length).mapToObj(i -> "r" + i).toList(),
                Arrays.stream(ranks).boxed().toList());
    }

    private static List<Assessment> judged(Double... scores) {
        return Arrays.stream(scores).map(s -> new Assessment(List.of(new Assessment.Judgement("",
                s == null ? Score.Unusable.MISSING : new Score.Points(s))))).toList();
    }

    private static RewardModelReport report(RankedPrompt ranked, Double... scores) {
        return RewardModelReport.of(List.of(ranked), List.of(judged(scores)), ScorePattern.ADDITIVE, 1);
    }

    /**
     * Correlations of scipy 1.17.1: {@code spearmanr([-r for r in ranks], scores).statistic} and {@code kendalltau} likewise; pairs and exact
     * match by hand.
     */
    @ParameterizedTest
    @CsvSource({"1 2 3 4,5 4 2 1,1,1,1,1", "1 2 3 4,4 4 2 1,0.8333333333333334,0,0.9486832980505139,0.9128709291752769",
            "1 2 3 4 5,3 5 1 4 2,0.6,0,0.3,0.2", "1 2 2 3,5 3 4 1,1,1,0.9486832980505139,0.912870929175277",
            "1 2 2 3,5 3 3 1,1,1,1,1", "1 2 3,2 2 2.5,0,0,-0.8660254037844387,-0.816496580927726",
            "1 2 3 4,1 2 3 4,0,0,-1,-1", "1 1 2 3 3,5 4 4 4 1.5,0.625,0,0.7071067811865475,0.6681531047810608"})
    void valuesOfScipy(String ranks, String scores, double pairwise, double exact, double spearman, double kendall) {
        RewardModelReport report = report(
                ranked(Arrays.stream(ranks.split(" ")).mapToDouble(Double::parseDouble).toArray()),
                Arrays.stream(scores.split(" ")).map(Double::valueOf).toArray(Double[]::new));
        assertThat(report.pairwise().estimate()).isCloseTo(pairwise, within(1e-12));
        assertThat(report.exact().estimate()).isEqualTo(exact);
        assertThat(report.spearman().estimate()).isCloseTo(spearman, within(1e-12));
        assertThat(report.kendall().estimate()).isCloseTo(kendall, within(1e-12));
        assertThat(report.flat()).isZero();
    }

    /**
     * By hand. First: pairs 3 of 3, exact. Second: 1 of 3, one 5 that is not the best. Third: ranks tie for the first place, 2 of 2 pairs,
     * exact, two 5s, both best.
     */
    @Test
    void averagesOverInstructions() {
        RewardModelReport report = RewardModelReport.of(List.of(ranked(1, 2, 3), ranked(1, 2, 3), ranked(1, 1, 2)),
                List.of(judged(4.0, 3.0, 2.0), judged(3.0, 5.0, 4.0), judged(5.0, 5.0, 1.0)), ScorePattern.ADDITIVE, 1);
        assertThat(report.instructions()).isEqualTo(3);
        assertThat(report.pairwise().estimate()).isCloseTo((1 + 1 / 3.0 + 1) / 3, within(1e-12));
        assertThat(report.exact().estimate()).isCloseTo(2 / 3.0, within(1e-12));
        assertThat(report.fullScores()).isEqualTo(3);
        assertThat(report.fiveBest().orElseThrow().estimate()).isCloseTo(2 / 3.0, within(1e-12));
        assertThat(report.spearman().estimate()).isCloseTo((1 - 0.5 + 1) / 3, within(1e-12));
        assertThat(report.kendall().estimate()).isCloseTo((1 - 1 / 3.0 + 1) / 3, within(1e-12));
        assertThat(report.warnings()).isEmpty();
        assertThat(report.numbers()).containsEntry("five_best", report.fiveBest().get().estimate())
                .containsEntry("pairwise_accuracy_low", report.pairwise().low()).containsEntry("full_scores", 3.0)
                .doesNotContainKey("constant_score");
    }

    @Test
    void scoresAreMeansOfJudgements() {
        RewardModelReport report = RewardModelReport.of(List.of(ranked(1, 2)),
                List.of(List.of(scores(5, 3, null), scores(3, 4))),
                ScorePattern.ADDITIVE, 1);
        assertThat(report.pairwise().estimate()).isEqualTo(1);
        assertThat(report.fullScores()).isZero();
        assertThat(report.fiveBest()).isEmpty();
    }

    @Test
    void aJudgeThatAlwaysSaysOneNumberIsNamed() {
        RewardModelReport report = RewardModelReport.of(List.of(ranked(1, 2, 3), ranked(2, 1)),
                List.of(judged(3.0, 3.0, 3.0), judged(3.0, null)), ScorePattern.ADDITIVE, 1);
        assertThat(report.constant()).isEqualTo(OptionalDouble.of(3));
        assertThat(List.of(report.pairwise().estimate(), report.exact().estimate(), report.spearman().estimate(),
                report.kendall().estimate())).containsOnly(0.0);
        assertThat(report.flat()).isEqualTo(2);
        assertThat(report.warnings()).containsExactly(
                "The judge gives every response the score 3: it tells none from another.",
                "1 responses have no score that can be used.");
        assertThat(report).asString().contains("5-best –", "gives every response the score 3");
    }

    @Test
    void aMissingScoreIsWrongInPairsAndLeftOutOfCorrelations() {
        RewardModelReport report = report(ranked(1, 2, 3, 4), 4.0, null, 2.0, 1.0);
        assertThat(report.pairwise().estimate()).isEqualTo(0.5);
        assertThat(report.exact().estimate()).isZero();
        assertThat(report.spearman().estimate()).isCloseTo(1, within(1e-12));
        assertThat(report.unscored()).isEqualTo(1);
        RewardModelReport none = report(ranked(1, 2), null, null);
        assertThat(List.of(none.pairwise().estimate(), none.kendall().estimate())).containsOnly(0.0);
        assertThat(none.constant()).isEmpty();
        assertThat(none.flat()).isEqualTo(1);
    }

    @Test
    void instructionsThatPeopleDoNotRankAreLeftOut() {
        RewardModelReport report = RewardModelReport.of(List.of(ranked(1, 1), ranked(1, 2)),
                List.of(judged(1.0, 2.0), judged(2.0, 1.0)), ScorePattern.ADDITIVE, 1);
        assertThat(report.instructions()).isEqualTo(1);
        assertThat(report.pairwise().estimate()).isEqualTo(1);
        assertThatThrownBy(() -> report(ranked(1, 1), 1.0, 2.0)).hasMessageContaining("expected at least one prompt");
        assertThatThrownBy(() -> report(ranked(1, 2), 1.0)).hasMessageContaining("found 1 for prompt 1");
    }

    /** The true accuracy of this random judge is one half, and its standard error over 200 pairs is 0.035. */
    @Test
    void intervalsHoldTheTruthAndRepeat() {
        RandomStream random = RandomStream.of(5, "reward model test", 0);
        List<RankedPrompt> ranked = new ArrayList<>();
        List<List<Assessment>> judged = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            ranked.add(ranked(1, 2));
            judged.add(judged(5 * random.nextDouble(), 5 * random.nextDouble()));
        }
        RewardModelReport report = RewardModelReport.of(ranked, judged, ScorePattern.ADDITIVE, 1);
        Interval accuracy = report.pairwise();
        assertThat(accuracy.low()).isBetween(0.35, accuracy.estimate());
        assertThat(accuracy.high()).isBetween(accuracy.estimate(), 0.65);
        assertThat(accuracy.high() - accuracy.low()).isCloseTo(2 * 1.96 * 0.0354, within(0.02));
        assertThat(RewardModelReport.of(ranked, judged, ScorePattern.ADDITIVE, 1)).isEqualTo(report);
        assertThat(RewardModelReport.of(ranked, judged, ScorePattern.ADDITIVE, 2).pairwise()).isNotEqualTo(accuracy);
    }
}
