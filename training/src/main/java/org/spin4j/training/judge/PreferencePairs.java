package org.spin4j.training.judge;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Preference pairs of judged candidates: of each prompt the one with the highest mean score against the one with the lowest (Yuan et al. 2024,
 * arXiv 2401.10020, section 2.4). A prompt whose candidates all have one score gives no pair; the others are not touched by it. Of several
 * candidates with the same highest or lowest score the first is taken.
 *
 * @param pairs      in the order of the prompts
 * @param prompts    how many there were
 * @param ties       prompts without a pair because the highest score is the lowest
 * @param equal      prompts without a pair because best and worst are the same text
 * @param unjudged   prompts without a pair because fewer than two candidates have a score that can be used
 * @param unusable   judgements that cannot be used, by reason; reasons that did not occur are left out
 * @param histogram  number of judgements with each score
 */
public record PreferencePairs(List<Pair> pairs, int prompts, int ties, int equal, int unjudged,
        Map<Score.Unusable, Integer> unusable, SortedMap<Double, Integer> histogram) {
    /**
     * Two candidates of a prompt, by their places.
     *
     * @param prompt        place of the prompt
     * @param chosen        place of the better candidate among those of the prompt
     * @param rejected      place of the worse
     * @param chosenScore   mean score of the better
     * @param rejectedScore of the worse
     */
    public record Pair(int prompt, int chosen, int rejected, double chosenScore, double rejectedScore) {}

    /**
     * A candidate and what the judge says of it.
     *
     * @param text the response
     */
    public record Candidate(String text, Assessment assessment) {}

    /** The pairs of prompts, each with its candidates. */
    public static PreferencePairs of(List<List<Candidate>> prompts) {
        List<Pair> pairs = new ArrayList<>();
        int ties = 0;
        int equal = 0;
        int unjudged = 0;
        for (int p = 0; p < prompts.size(); p++) {
            List<Candidate> candidates = prompts.get(p);
            int best = -1;
            int worst = -1;
            int judged = 0;
            for (int c = 0; c < candidates.size(); c++) {
                if (mean(candidates, c).isEmpty()) {
                    continue;
                }
                judged++;
                double score = mean(candidates, c).getAsDouble();
                best = best < 0 || score > mean(candidates, best).getAsDouble() ? c : best;
                worst = worst < 0 || score < mean(candidates, worst).getAsDouble() ? c : worst;
            }
            if (judged < 2) {
                unjudged++;
            } else if (best == worst) {
                ties++;
            } else if (candidates.get(best).text().equals(candidates.get(worst).text())) {
                equal++;
            } else {
                pairs.add(new Pair(p, best, worst, mean(candidates, best).getAsDouble(),
                        mean(candidates, worst).getAsDouble()));
            }
        }
        Map<Score.Unusable, Integer> unusable = new EnumMap<>(Score.Unusable.class);
        SortedMap<Double, Integer> histogram = new TreeMap<>();
        prompts.stream().flatMap(List::stream).flatMap(c -> c.assessment().judgements().stream()).forEach(judgement -> {
            switch (judgement.score()) {
                case Score.Points points -> histogram.merge(points.value(), 1, Integer::sum);
                case Score.Unusable reason -> unusable.merge(reason, 1, Integer::sum);
            }
        });
        return new PreferencePairs(List.copyOf(pairs), prompts.size(), ties, equal, unjudged, unusable, histogram);
    }

    private static OptionalDouble mean(List<Candidate> candidates, int place) {
        return candidates.get(place).assessment().mean();
    }
}
