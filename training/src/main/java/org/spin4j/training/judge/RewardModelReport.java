package org.spin4j.training.judge;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.ToDoubleBiFunction;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.apache.commons.math3.stat.correlation.KendallsCorrelation;
import org.apache.commons.math3.stat.correlation.SpearmansCorrelation;
import org.spin4j.engine.RandomStream;
import org.spin4j.training.Interval;
import org.spin4j.training.Intervals;

/**
 * How well a judge's scores agree with people's rankings (Yuan et al. 2024, arXiv 2401.10020, section 3.1.2). The paper leaves open what
 * equal scores are; {@link #RULES} says what they are here. A response has the mean of its judgements; intervals are 95 % bootstrap intervals
 * over instructions.
 *
 * @param instructions measured: those whose responses people do not all rank the same
 * @param pairwise     pairwise accuracy: share of pairs of one instruction's responses that are ordered as people did, averaged over instructions
 * @param fiveBest     of the responses with the full score, the share that people rank first; none if no response has the full score
 * @param fullScores   how many responses have it
 * @param exact        share of instructions whose whole ranking is that of people
 * @param spearman     rank correlation ρ, averaged over instructions
 * @param kendall      rank correlation τ-b, averaged over instructions
 * @param flat         instructions without a correlation, because fewer than two responses, or only equal ones, have a score; they count as 0
 * @param unscored     responses without a score that can be used
 * @param constant     the score of every response, if it is the same for all: such a judge tells nothing apart
 */
public record RewardModelReport(int instructions, Interval pairwise, Optional<Interval> fiveBest, int fullScores,
        Interval exact, Interval spearman, Interval kendall, int flat, int unscored, OptionalDouble constant) {
    /** The rules for ties and missing scores, for a person who reads the figures. */
    public static final String RULES = "Pairs that people rank equal are left out. Two equal scores, or a missing one, are wrong in "
            + "pairwise accuracy and in exact match. Spearman gives ties their mean rank, Kendall is tau-b; responses without a score are "
            + "left out of both, and a judge that gives all responses of an instruction one score has correlation 0 there. 5-best: of the "
            + "responses whose mean score is the full score, those that people rank first, ties of first rank included.";
    private static final int RESAMPLES = 2000;
    private static final double ROUNDING = 1e-9;

    /** An instruction: higher preference is better; NaN where a response has no score. */
    private record Judged(double[] preference, double[] scores) {
        /** The pairs that people do not rank equal, better one first. */
        List<int[]> pairs() {
            List<int[]> pairs = new ArrayList<>();
            for (int a = 0; a < preference.length; a++) {
                for (int b = 0; b < preference.length; b++) {
                    if (preference[a] > preference[b]) {
                        pairs.add(new int[]{a, b});
                    }
                }
            }
            return pairs;
        }

        double pairwise() {
            List<int[]> pairs = pairs();
            return (double) pairs.stream().filter(p -> scores[p[0]] > scores[p[1]]).count() / pairs.size();
        }

        /** Only responses with a score. */
        Judged scored() {
            int[] places = IntStream.range(0, scores.length).filter(i -> !Double.isNaN(scores[i])).toArray();
            return new Judged(Arrays.stream(places).mapToDouble(i -> preference[i]).toArray(),
                    Arrays.stream(places).mapToDouble(i -> scores[i]).toArray());
        }

        boolean isFlat() {
            return Arrays.stream(preference).distinct().count() < 2 || Arrays.stream(scores).distinct().count() < 2;
        }

        /** A correlation of the responses with a score; 0 where it is not defined. */
        double correlation(ToDoubleBiFunction<double[], double[]> of) {
            Judged scored = scored();
            return scored.isFlat() ? 0 : of.applyAsDouble(scored.preference, scored.scores);
        }

        boolean isFull(int response, ScorePattern scale) {
            return scores[response] >= scale.highest() - ROUNDING;
        }

        double fulls(ScorePattern scale) {
            return IntStream.range(0, scores.length).filter(i -> isFull(i, scale)).count();
        }

        double fullsThatAreBest(ScorePattern scale) {
            double best = Arrays.stream(preference).max().orElseThrow();
            return IntStream.range(0, scores.length).filter(i -> isFull(i, scale) && preference[i] == best).count();
        }
    }

    /**
     * Measures a judge.
     *
     * @param ranked      instructions with people's ranks
     * @param assessments of the responses of each instruction, in their order
     * @param scale       whose highest score is the full score
     * @param seed        of the intervals
     * @throws IllegalArgumentException if there is no instruction whose ranks differ
     */
    public static RewardModelReport of(List<RankedPrompt> ranked, List<List<Assessment>> assessments,
            ScorePattern scale,
            long seed) {
        List<Judged> all = new ArrayList<>();
        for (int i = 0; i < ranked.size(); i++) {
            double[] preference = ranked.get(i).ranks().stream().mapToDouble(rank -> -rank).toArray();
            double[] scores = assessments.get(i).stream().mapToDouble(a -> a.mean().orElse(Double.NaN)).toArray();
            if (scores.length != preference.length) {
                throw new IllegalArgumentException("expected an assessment of each of " + preference.length
                        + " responses, found " + scores.length + " for prompt " + (i + 1));
            }
            if (Arrays.stream(preference).distinct().count() > 1) {
                all.add(new Judged(preference, scores));
            }
        }
        if (all.isEmpty()) {
            throw new IllegalArgumentException(
                    "expected at least one prompt whose responses people rank differently, found none of "
                            + ranked.size() + "; give other ranked prompts");
        }
        double[] scores = all.stream().flatMapToDouble(j -> Arrays.stream(j.scores)).filter(s -> !Double.isNaN(s))
                .toArray();
        return new RewardModelReport(all.size(), mean(all, Judged::pairwise, "pairwise", seed),
                fiveBest(all, scale, seed),
                (int) all.stream().mapToDouble(j -> j.fulls(scale)).sum(),
                mean(all, j -> j.pairwise() == 1 ? 1 : 0, "exact", seed),
                mean(all, j -> j.correlation((a, b) -> new SpearmansCorrelation().correlation(a, b)), "spearman", seed),
                mean(all, j -> j.correlation((a, b) -> new KendallsCorrelation().correlation(a, b)), "kendall", seed),
                (int) all.stream().filter(j -> j.scored().isFlat()).count(),
                (int) all.stream().flatMapToDouble(j -> Arrays.stream(j.scores)).filter(Double::isNaN).count(),
                Arrays.stream(scores).distinct().count() == 1 ? OptionalDouble.of(scores[0]) : OptionalDouble.empty());
    }

    private static Interval mean(List<Judged> all, ToDoubleFunction<Judged> metric, String name, long seed) {
        return Intervals.bootstrapMean(all.stream().mapToDouble(metric).toArray(), RESAMPLES,
                RandomStream.of(seed, "reward model " + name, 0));
    }

    private static Optional<Interval> fiveBest(List<Judged> all, ScorePattern scale, long seed) {
        List<Judged> full = all.stream().filter(j -> j.fulls(scale) > 0).toList();
        return full.isEmpty()
                ? Optional.empty()
                : Optional.of(
                        Intervals.bootstrapRatio(full.stream().mapToDouble(j -> j.fullsThatAreBest(scale)).toArray(),
                                full.stream().mapToDouble(j -> j.fulls(scale)).toArray(), RESAMPLES,
                                RandomStream.of(seed, "reward model 5-best", 0)));
    }

    /** For files and plots: name to value; {@code five_best} is missing where no response has the full score. */
    public Map<String, Double> numbers() {
        Map<String, Double> numbers = new LinkedHashMap<>();
        put(numbers, "pairwise_accuracy", pairwise);
        fiveBest.ifPresent(interval -> put(numbers, "five_best", interval));
        put(numbers, "exact_match", exact);
        put(numbers, "spearman", spearman);
        put(numbers, "kendall_tau_b", kendall);
        numbers.put("instructions", (double) instructions);
        numbers.put("full_scores", (double) fullScores);
        numbers.put("flat_instructions", (double) flat);
        numbers.put("unscored_responses", (double) unscored);
        constant.ifPresent(score -> numbers.put("constant_score", score));
        return numbers;
    }

    /** An estimate under its name, and the ends of its interval under {@code name_low} and {@code name_high}. */
    static void put(Map<String, Double> numbers, String name, Interval interval) {
        numbers.put(name, interval.estimate());
        numbers.put(name + "_low", interval.low());
        numbers.put(name + "_high", interval.high());
    }

    /** What a reader of the figures must know besides, one sentence each: a judge that says one number always is named. */
    public List<String> warnings() {
        List<String> warnings = new ArrayList<>();
        constant.ifPresent(score -> warnings.add(String.format(Locale.ROOT,
                "The judge gives every response the score %s: it tells none from another.", plain(score))));
        if (constant.isEmpty() && flat > 0) {
            warnings.add(flat + " of " + instructions
                    + " instructions have no two different scores; their correlation counts as 0.");
        }
        if (unscored > 0) {
            warnings.add(unscored + " responses have no score that can be used.");
        }
        return warnings;
    }

    private static String plain(double score) {
        return score == Math.rint(score) ? Long.toString((long) score) : Double.toString(score);
    }

    /** One line with all figures, and what must be known besides. */
    @Override
    public String toString() {
        return "pairwise accuracy " + pairwise + ", 5-best " + fiveBest.map(Interval::toString).orElse("–")
                + ", exact match "
                + exact + ", Spearman " + spearman + ", Kendall tau-b " + kendall + " over " + instructions
                + " instructions"
                + warnings().stream().map(w -> " " + w).reduce(".", String::concat);
    }
}
