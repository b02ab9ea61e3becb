package org.spin4j.training.judge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.Scale;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ScorePatternTest {
    /** Judgements as models and people write them; ↵ is a line break. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\0', value = {
            // as asked for, and what differs only in its surroundings
            "Fine and useful.↵Score: 4|4", "Score: 4|4", "Score: 4↵|4", "Score: 0|0", "Score: 5.|5", "Score:4|4",
            "Score : 4|4", "SCORE: 4|4", "score: 4.5|4.5", "Score: 4.5.|4.5", "Score: 4. Well done.|4",
            "Score: 4, as it is clear|4", "Total score: 3|3", "Final Score: 3|3", "Score: 3 points|3",
            "Score: 3 (good)|3",
            "Score: +3|3", "Score：4|4", "\"Score: 4\"|4", "{\"score\": 4}|4", "Score: 0004|4", "Scores: 4|4",
            // Markdown, TeX and brackets
            "**Score:** 3|3", "**Score**: 3|3", "**Score: 3**|3", "*Score:* **3**|3", "__Score:__ 3|3", "Score: `3`|3",
            "Score: \"3\"|3", "Score: <3>|3", "Score: [3]|3", "Score: [[3]]|3", "Score: (3)|3",
            "$\\text{Score: } 3$|missing",
            "Score: $\\boxed{3}$|3", "Score: \\boxed{3.5}|3.5",
            // out of how many
            "**Score:** 3/5|3", "**Score: 3/5**|3", "Score: 3 / 5|3", "Score: 3 out of 5|3",
            "Score: **3** out of **5**|3",
            "Score: 3 of 5|3", "Score: 4.5/5.0|4.5", "Score: [3]/5|3", "Score: 3/10|out of range",
            "Score: 3 out of 10|out of range", "Score: 80/100|out of range", "Score: 3/5/5|missing",
            // other separators
            "score - 3|3", "Score – 3|3", "Score — 3|3", "Score-3|3", "Score–3|3", "Score = 3|3", "Score => 3|3",
            "Score -> 3|3", "The score is 3.|3", "My score is **3** out of 5|3", "Score (0-5): 3|3",
            "**Score (out of 5):** 3|3",
            // a heading
            "## Score↵4|4", "**Score:**↵↵4/5|4", "Score↵**4**|4", "Final score:↵4.|4",
            "It earns a good score↵↵1. It is short|missing", "Score:↵1. It is short|missing",
            // nothing but a number
            "4.5|4.5", "4|4", " 3/5 ↵|3", "**4**|4", "7|out of range", "4 5|missing",
            // several: the last
            "Score: 2. No, better:↵Score: 4|4", "Score: 4↵Score: 9|out of range", "Score: 9↵Score: 4|4",
            "Score: 4↵The score: it stands.|4", "Score: 2↵## Score↵3|3", "## Score↵3↵Score: 2|2",
            // outside the scale
            "Score: 6|out of range", "Score: 5.01|out of range", "Score: -1|out of range", "Score: 40|out of range",
            "Score: 99999999999999999999999999999999999|out of range", "The score is -1|out of range",
            // no score, and nothing that is only like one
            "''|missing", "A fine answer.|missing", "Score: <total points>|missing", "Score:|missing",
            "Score: n|missing",
            "Score: four|missing", "It scored 4|missing", "Underscore: 4|missing", "Score: 3-4|missing",
            "Score: 3 - 4|missing", "Score: 3 to 4|missing", "Score: 3 or 4|missing", "Score: 4,5|missing",
            "Score: 4.5.1|missing", "Score: 80%|missing", "Score: 80 %|missing", "Score: 4th|missing",
            "Score: 4½|missing",
            "Score: 1,000|missing", "Score: .5|missing", "score -3|missing", "A score of 5 would take more|missing",
            "Score: 1e0|missing", "Score: ٤|missing"})
    void forms(String text, String expected) {
        Score score = ScorePattern.ADDITIVE.parse(text.replace('↵', '\n').replace("''", ""));
        assertThat(score instanceof Score.Points points
                ? Double.toString(points.value()).replaceFirst("\\.0$", "")
                : score.toString()).isEqualTo(expected);
    }

    @Test
    void theScaleIsAParameter() {
        assertThat(new ScorePattern(1, 10).parse("Score: 8/10")).isEqualTo(new Score.Points(8));
        assertThat(new ScorePattern(1, 10).parse("Score: 0")).isEqualTo(Score.Unusable.OUT_OF_RANGE);
        assertThat(new ScorePattern(-1, 1).parse("Score: -0.5")).isEqualTo(new Score.Points(-0.5));
        assertThatThrownBy(() -> new ScorePattern(5, 5)).hasMessageContaining("found 5.0 to 5.0");
    }

    @Property(tries = 300)
    void whatStandsBeforeChangesNothing(@ForAll String before, @ForAll @DoubleRange(max = 5) @Scale(2) double points) {
        assertThat(ScorePattern.ADDITIVE.parse(before + "\nScore: " + points)).isEqualTo(new Score.Points(points));
    }

    @Property(tries = 300)
    void aScoreLiesOnTheScale(@ForAll String text, @ForAll int number) {
        for (String judgement : new String[]{text, "Score: " + text, "Score: " + number, text + "score - " + number}) {
            ScorePattern.ADDITIVE.parse(judgement).points()
                    .ifPresent(points -> assertThat(points).isBetween(0.0, 5.0));
        }
    }

    /** A judge may write anything: no text makes the pattern try for long. */
    @Test
    void hostileTextsAreReadInNoTime() {
        for (String part : new String[]{"Score: ", "Score: *", "score\n", "score (", "Score: 1", "Score: 1 ", "9",
                "Score:\n\n",
                "Score: [[", "****", "Score: 3/", "Score: 3 - "}) {
            String text = part.repeat(200_000 / part.length());
            Assertions.assertTimeoutPreemptively(Duration.ofSeconds(5), () -> ScorePattern.ADDITIVE.parse(text), part);
        }
        String open = "Score: " + "*".repeat(200_000);
        Assertions.assertTimeoutPreemptively(Duration.ofSeconds(5), () -> ScorePattern.ADDITIVE.parse(open));
        String spaces = "Score: 3" + " ".repeat(200_000) + "!";
        Assertions.assertTimeoutPreemptively(Duration.ofSeconds(5),
                () -> ScorePattern.ADDITIVE.parse(spaces.repeat(3)));
    }
}
