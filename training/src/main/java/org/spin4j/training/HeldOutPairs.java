package org.spin4j.training;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.spin4j.engine.Decoder;

/**
 * How a policy ranks pairs that it was not trained on. Pairs whose responses are equal say nothing and are left out.
 *
 * @param margin   mean of β(Δchosen − Δrejected), Δ the policy's log-probability less the frozen model's
 * @param accuracy share of pairs whose margin is above 0
 * @param pairs    number of pairs
 */
record HeldOutPairs(double margin, double accuracy, int pairs) {
    /** The numbers of a policy beside its frozen model; none if all pairs are of equal responses. */
    static Optional<HeldOutPairs> of(RunContext context, Decoder policy, Decoder frozen, List<Examples.Pair> pairs,
            double beta) {
        List<Examples.Pair> differing = pairs.stream().filter(p -> !p.equalResponses()).toList();
        if (differing.isEmpty()) {
            return Optional.empty();
        }
        List<PairLogProbs.Tokens> now = PairLogProbs.ofPairs(policy, context.kernels(), differing, n -> {});
        List<PairLogProbs.Tokens> before = PairLogProbs.ofPairs(frozen, context.kernels(), differing, n -> {});
        double sum = 0;
        int wins = 0;
        for (int i = 0; i < differing.size(); i++) {
            Examples.PairLogProbs a = now.get(i).sums();
            Examples.PairLogProbs b = before.get(i).sums();
            double margin = beta * ((a.chosen() - b.chosen()) - (a.rejected() - b.rejected()));
            sum += margin;
            wins += margin > 0 ? 1 : 0;
        }
        int n = differing.size();
        return Optional.of(new HeldOutPairs(sum / n, wins / (double) n, n));
    }

    /** By name, for an evaluation. */
    Map<String, Double> numbers() {
        Map<String, Double> numbers = new LinkedHashMap<>();
        numbers.put("margin", margin);
        numbers.put("reward_accuracy", accuracy);
        numbers.put("held_out_pairs", (double) pairs);
        return numbers;
    }
}
