package org.spin4j.training.judge;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads the score out of a judgement, in the forms in which models and people write it: {@code Score: 4}, {@code **Score:** 3/5},
 * {@code score - 3}, {@code The score is 4.5}, {@code Score (0-5): 3 out of 5}, a heading with the number on the line below it, or a text that
 * is nothing but a number. Where several stand in the text the last counts, as a judge concludes with its score.
 *
 * <p>
 * Nothing is guessed. A range (3-4), a percentage, 4,5 or 4.5.1 is no score; a number outside the scale, or out of another number than the
 * scale's highest, is {@link Score.Unusable#OUT_OF_RANGE}, even where an earlier score would do. A dash between spaces, or between word and
 * number without any, separates; after a separator it is a sign.
 *
 * @param lowest  fewest points
 * @param highest most points
 */
public record ScorePattern(double lowest, double highest) {
    /** The additive scale of Yuan et al. 2024, arXiv 2401.10020, figure 2. */
    public static final ScorePattern ADDITIVE = new ScorePattern(0, 5);

    private static final String OPEN = "[*_`\"'“$<\\[({\\h]*+";
    private static final String CLOSE = "[*_`\"'”$>\\])}]*+";
    private static final String DIGITS = "\\d++(?:\\.\\d++)?+";
    /** Not a part of a larger number or of a range. */
    private static final String WHOLE = "(?!\\h?%|[\\p{L}\\p{N}]|[.,:]\\d|" + CLOSE
            + "\\h*+(?:[–—-]|to\\b|or\\b)" + OPEN + "\\d)";
    private static final String NUMBER = OPEN + "(?:\\\\boxed\\{)?+(?<number>[+-]?+" + DIGITS + ")" + WHOLE
            + "(?:" + CLOSE + "\\h*+(?:/|out\\h++of\\b|of\\b)" + OPEN + "(?<most>" + DIGITS + ")" + WHOLE + ")?+"
            + "(?!" + CLOSE + "\\h*+/" + OPEN + "\\d)";
    private static final String WORD = "(?<![\\p{L}\\p{N}])scores?" + CLOSE + "(?:\\h?\\([^()\\n]{1,40}\\))?+" + CLOSE;
    private static final String SEPARATOR = "(?:\\h?(?:[=-]>|[:：=→])|\\h[–—-](?=\\h)|[–—-](?=\\d)|\\his\\b)" + CLOSE;

    private static final Pattern STATED = pattern(WORD + SEPARATOR + NUMBER);
    private static final Pattern HEADING = pattern(
            WORD + "[:：]?+" + CLOSE + "\\h*+\\R\\s*+" + NUMBER + CLOSE + "\\.?+\\h*+$");
    private static final Pattern BARE = pattern("\\s*+" + NUMBER + CLOSE + "\\.?+\\s*+");

    /** Checks the scale. */
    public ScorePattern {
        if (!(lowest < highest) || Double.isInfinite(lowest) || Double.isInfinite(highest)) {
            throw new IllegalArgumentException(
                    "expected a scale from a lower to a higher score, found " + lowest + " to " + highest);
        }
    }

    /** A number as the text has it. */
    private record Stated(int at, double number, Optional<Double> most) {
        static Stated of(Matcher matcher) {
            return new Stated(matcher.start(), Double.parseDouble(matcher.group("number")),
                    Optional.ofNullable(matcher.group("most")).map(Double::parseDouble));
        }
    }

    /** The score of a judgement. */
    public Score parse(String judgement) {
        Matcher bare = BARE.matcher(judgement);
        Stated last = bare.matches() ? Stated.of(bare) : null;
        for (Pattern pattern : new Pattern[]{STATED, HEADING}) {
            Matcher matcher = pattern.matcher(judgement);
            while (matcher.find()) {
                if (last == null || matcher.start() > last.at()) {
                    last = Stated.of(matcher);
                }
            }
        }
        if (last == null) {
            return Score.Unusable.MISSING;
        }
        boolean inside = last.number() >= lowest && last.number() <= highest
                && last.most().orElse(highest) == highest;
        return inside ? new Score.Points(last.number()) : Score.Unusable.OUT_OF_RANGE;
    }

    private static Pattern pattern(String regex) {
        return Pattern.compile(regex, Pattern.CASE_INSENSITIVE | Pattern.MULTILINE);
    }
}
