package org.spin4j.training.judge;

import java.util.List;
import java.util.function.IntConsumer;
import org.spin4j.tokenizer.Message;

/** Says which of two responses is better. */
@FunctionalInterface
public interface PairJudge {
    /**
     * Two responses to one prompt.
     *
     * @param number as in {@link Judge.Answer}
     * @param prompt the conversation up to the responses
     */
    record Duel(long number, List<Message> prompt, String first, String second) {
        /** The list is copied. */
        public Duel {
            prompt = List.copyOf(prompt);
        }
    }

    /** How a duel ends. */
    enum Outcome {
        /** The first response is better, whichever is shown first. */
        FIRST,
        /** The second response is better, whichever is shown first. */
        SECOND,
        /** Neither is better, or the judge changes its mind with the order. */
        TIE,
        /** A judgement cannot be used. */
        UNJUDGED
    }

    /**
     * Decides duels.
     *
     * @param seed same seed, same outcomes
     * @param done told the number of decided duels now and then; what it throws ends the work
     * @return one for each duel, in their order
     */
    List<Outcome> compare(List<Duel> duels, long seed, IntConsumer done);

    /** The higher mean of {@code judgements} scores wins; it is a tie where they are equal. */
    static PairJudge ofScores(Judge judge, int judgements) {
        return new ScorePairJudge(judge, judgements);
    }
}
