package org.spin4j.training.judge;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntConsumer;
import java.util.function.ToDoubleFunction;
import org.spin4j.engine.RandomStream;
import org.spin4j.training.Interval;
import org.spin4j.training.Intervals;
import org.spin4j.training.judge.PairJudge.Duel;
import org.spin4j.training.judge.PairJudge.Outcome;

/**
 * The answers of two models to the same prompts, held against each other: how often the first wins. A judge that reads both answers at once is
 * asked in both orders, and a duel that it decides differently is a tie. Intervals are 95 % bootstrap intervals over the duels that could be
 * judged; without any such duel an estimate is NaN and its interval all that is possible. The mean lengths belong beside the shares, as judges
 * are known to favour longer answers.
 *
 * @param wins         duels that the first model wins
 * @param ties         duels that nobody wins
 * @param losses       duels that the second model wins
 * @param unjudged     duels without a judgement that can be used; in no share
 * @param winShare     of judged duels
 * @param tieShare     of judged duels
 * @param lossShare    of judged duels
 * @param advantage    share of wins less share of losses: above 0 the first model is the better one
 * @param firstLength  mean length of the first model's answers over all duels, in Unicode characters
 * @param secondLength of the second model's
 */
public record HeadToHead(int wins, int ties, int losses, int unjudged, Interval winShare, Interval tieShare,
        Interval lossShare, Interval advantage, double firstLength, double secondLength) {
    private static final int RESAMPLES = 2000;

    /**
     * Decides duels and counts.
     *
     * @param duels at least one
     * @param seed  of judgements and intervals
     * @param done  as in {@link PairJudge#compare}
     */
    public static HeadToHead of(PairJudge judge, List<Duel> duels, long seed, IntConsumer done) {
        return of(duels, judge.compare(duels, seed, done), seed);
    }

    /** Counts outcomes, one for each duel. */
    public static HeadToHead of(List<Duel> duels, List<Outcome> outcomes, long seed) {
        if (duels.isEmpty() || duels.size() != outcomes.size()) {
            throw new IllegalArgumentException(
                    "expected at least one duel and an outcome of each, found " + duels.size()
                            + " and " + outcomes.size());
        }
        Map<Outcome, Integer> counts = new EnumMap<>(Outcome.class);
        outcomes.forEach(outcome -> counts.merge(outcome, 1, Integer::sum));
        List<Outcome> judged = new ArrayList<>(outcomes);
        judged.removeIf(outcome -> outcome == Outcome.UNJUDGED);
        return new HeadToHead(counts.getOrDefault(Outcome.FIRST, 0), counts.getOrDefault(Outcome.TIE, 0),
                counts.getOrDefault(Outcome.SECOND, 0), counts.getOrDefault(Outcome.UNJUDGED, 0),
                mean(judged, o -> o == Outcome.FIRST ? 1 : 0, 0, seed),
                mean(judged, o -> o == Outcome.TIE ? 1 : 0, 0, seed),
                mean(judged, o -> o == Outcome.SECOND ? 1 : 0, 0, seed),
                mean(judged, o -> o == Outcome.FIRST ? 1 : o == Outcome.SECOND ? -1 : 0, -1, seed),
                duels.stream().mapToInt(d -> length(d.first())).average().orElseThrow(),
                duels.stream().mapToInt(d -> length(d.second())).average().orElseThrow());
    }

    /** The same draws for all four, so that their intervals belong together. */
    private static Interval mean(List<Outcome> judged, ToDoubleFunction<Outcome> value, double least, long seed) {
        return judged.isEmpty()
                ? new Interval(Double.NaN, least, 1)
                : Intervals.bootstrapMean(judged.stream().mapToDouble(value).toArray(), RESAMPLES,
                        RandomStream.of(seed, "head to head", 0));
    }

    private static int length(String text) {
        return text.codePointCount(0, text.length());
    }

    /** How many duels the shares are of. */
    public int judged() {
        return wins + ties + losses;
    }

    /** For files and plots: name to value; shares are missing where nothing could be judged. */
    public Map<String, Double> numbers() {
        Map<String, Double> numbers = new LinkedHashMap<>();
        if (judged() > 0) {
            RewardModelReport.put(numbers, "win", winShare);
            RewardModelReport.put(numbers, "tie", tieShare);
            RewardModelReport.put(numbers, "loss", lossShare);
            RewardModelReport.put(numbers, "advantage", advantage);
        }
        numbers.put("wins", (double) wins);
        numbers.put("ties", (double) ties);
        numbers.put("losses", (double) losses);
        numbers.put("unjudged", (double) unjudged);
        numbers.put("first_length", firstLength);
        numbers.put("second_length", secondLength);
        return numbers;
    }

    /** One line: shares with intervals, lengths, and what was not judged. */
    @Override
    public String toString() {
        String shares = judged() == 0
                ? "no winner known"
                : "win " + winShare + ", tie " + tieShare + ", loss " + lossShare + " of " + judged() + " duels";
        return String.format(Locale.ROOT, "%s, %.1f and %.1f characters long%s", shares, firstLength, secondLength,
                unjudged == 0 ? "" : "; " + unjudged + " not judged");
    }
}
