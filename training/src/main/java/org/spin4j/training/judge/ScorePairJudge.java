package org.spin4j.training.judge;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.IntConsumer;

/**
 * Compares the scores that a judge gives two responses, each on its own. The order in which they are shown has no part in it, so asking in both
 * orders would be asking twice.
 */
record ScorePairJudge(Judge judge, int judgements) implements PairJudge {
    @Override
    public List<Outcome> compare(List<Duel> duels, long seed, IntConsumer done) {
        List<Judge.Answer> rows = new ArrayList<>();
        for (Duel duel : duels) {
            rows.add(new Judge.Answer(2 * duel.number(), duel.prompt(), duel.first()));
            rows.add(new Judge.Answer(2 * duel.number() + 1, duel.prompt(), duel.second()));
        }
        List<Assessment> found = judge.judge(rows, judgements, seed, rowsDone -> done.accept(rowsDone / 2));
        List<Outcome> outcomes = new ArrayList<>();
        for (int i = 0; i < duels.size(); i++) {
            outcomes.add(outcome(found.get(2 * i).mean(), found.get(2 * i + 1).mean()));
        }
        return outcomes;
    }

    private static Outcome outcome(OptionalDouble first, OptionalDouble second) {
        if (first.isEmpty() || second.isEmpty()) {
            return Outcome.UNJUDGED;
        }
        int order = Double.compare(first.getAsDouble(), second.getAsDouble());
        return order > 0 ? Outcome.FIRST : order < 0 ? Outcome.SECOND : Outcome.TIE;
    }
}
