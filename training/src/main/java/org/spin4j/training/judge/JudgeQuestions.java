package org.spin4j.training.judge;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.IntConsumer;

/**
 * What a judge that reads and writes is asked, and how its answers are read; the same for any model.
 *
 * @param pointwise for the score of a response
 * @param scale     of that score
 * @param pairwise  for the better of two responses
 */
public record JudgeQuestions(JudgePrompt pointwise, ScorePattern scale, PairPrompt pairwise) {
    /** The built-in prompts and their scale. */
    public static JudgeQuestions additive() {
        return new JudgeQuestions(JudgePrompt.additive(), ScorePattern.ADDITIVE, PairPrompt.sideBySide());
    }

    /**
     * A prompt for the writer.
     *
     * @param number names the random streams of its texts
     */
    record Asked(long number, String prompt) {}

    /**
     * What was written.
     *
     * @param cut whether a limit of length ended it
     */
    record Text(String text, boolean cut) {}

    /** Whoever writes judgements. */
    @FunctionalInterface
    interface Writer {
        /**
         * Answers prompts.
         *
         * @param texts answers to each
         * @return the answers to each prompt in order; empty where the prompt is too long for the writer
         */
        List<Optional<List<Text>>> write(List<Asked> prompts, int texts, long seed, IntConsumer done);
    }

    /** As {@link Judge#judge}. */
    List<Assessment> judge(Writer writer, List<Judge.Answer> rows, int judgements, long seed, IntConsumer done) {
        List<Asked> prompts = rows.stream()
                .map(row -> new Asked(row.number(), pointwise.render(row.prompt(), row.response()))).toList();
        List<Assessment> assessments = new ArrayList<>();
        for (Optional<List<Text>> texts : writer.write(prompts, judgements, seed, done)) {
            assessments.add(new Assessment(texts
                    .map(all -> all.stream().map(text -> new Assessment.Judgement(text.text(), score(text))).toList())
                    .orElseGet(() -> Collections.nCopies(judgements,
                            new Assessment.Judgement("", Score.Unusable.TOO_LONG)))));
        }
        return assessments;
    }

    /** Of a text that was cut off only whole lines can be trusted, and only if the line that breaks off says nothing else. */
    private Score score(Text text) {
        Score score = scale.parse(text.text());
        if (!text.cut()) {
            return score;
        }
        Score certain = scale.parse(text.text().substring(0, text.text().lastIndexOf('\n') + 1));
        return certain instanceof Score.Points && certain.equals(score) ? certain : Score.Unusable.CUT;
    }

    /** As {@link PairJudge#compare}: each duel is asked in both orders, a response wins if it does so in both. */
    List<PairJudge.Outcome> compare(Writer writer, List<PairJudge.Duel> duels, long seed, IntConsumer done) {
        List<Asked> prompts = new ArrayList<>();
        for (PairJudge.Duel duel : duels) {
            prompts.add(new Asked(2 * duel.number(), pairwise.render(duel.prompt(), duel.first(), duel.second())));
            prompts.add(new Asked(2 * duel.number() + 1, pairwise.render(duel.prompt(), duel.second(), duel.first())));
        }
        List<Optional<List<Text>>> texts = writer.write(prompts, 1, seed, asked -> done.accept(asked / 2));
        List<PairJudge.Outcome> outcomes = new ArrayList<>();
        for (int i = 0; i < texts.size(); i += 2) {
            outcomes.add(outcome(verdict(texts.get(i)), verdict(texts.get(i + 1))));
        }
        return outcomes;
    }

    private Optional<PairPrompt.Verdict> verdict(Optional<List<Text>> texts) {
        return texts.flatMap(answers -> pairwise.parse(answers.getFirst().text()));
    }

    private static PairJudge.Outcome outcome(Optional<PairPrompt.Verdict> forward,
            Optional<PairPrompt.Verdict> backward) {
        if (forward.isEmpty() || backward.isEmpty()) {
            return PairJudge.Outcome.UNJUDGED;
        }
        if (forward.get() == PairPrompt.Verdict.A && backward.get() == PairPrompt.Verdict.B) {
            return PairJudge.Outcome.FIRST;
        }
        if (forward.get() == PairPrompt.Verdict.B && backward.get() == PairPrompt.Verdict.A) {
            return PairJudge.Outcome.SECOND;
        }
        return PairJudge.Outcome.TIE;
    }
}
