package org.spin4j.training.selfreward;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.spin4j.engine.RandomStream;
import org.spin4j.tokenizer.Message;
import org.spin4j.training.DemoTasks;
import org.spin4j.training.Spelling;
import org.spin4j.training.judge.Assessment;
import org.spin4j.training.judge.Judge;
import org.spin4j.training.judge.RankedPrompt;
import org.spin4j.training.judge.Score;

/** What answers to the demo's tasks are worth: the score that a perfect judge would give, and answers of every worth to learn it from. */
final class RatedTasks {
    /** How the demo asks for a judgement: as short as a small model needs it. */
    static final String JUDGE_TEMPLATE = "rate {{ prompt }}={{ response }}";
    /** How the demo asks for a new prompt. */
    static final String PROMPT_TEMPLATE = "more\n{{ examples }}";

    /** A judge that is always right: {@link #score} of the task in the prompt. */
    static final Judge TRUE = new Judge() {
        @Override
        public List<Assessment> judge(List<Answer> rows, int judgements, long seed, IntConsumer done) {
            List<Assessment> all = rows.stream().map(row -> DemoTasks.of(row.prompt().getLast().content())
                    .<Score>map(task -> new Score.Points(score(task, row.response())))
                    .orElse(Score.Unusable.NO_REFERENCE))
                    .map(score -> new Assessment(List.of(new Assessment.Judgement("", score)))).toList();
            done.accept(rows.size());
            return all;
        }
    };

    private RatedTasks() {}

    /**
     * Points from 0 to 5. The right answer has 5, the wrong rule's 1; any other has a point for each fifth of it that is right, at most
     * 4: one less the edits that make it right, as a share of its length. A count that is one off has 3, any other 1.
     */
    static int score(DemoTasks.Example task, String response) {
        String answer = response.strip();
        if (DemoTasks.correct(task, answer)) {
            return 5;
        }
        if (answer.equals(task.wrongRuleAnswer())) {
            return 1;
        }
        if (task.family() == DemoTasks.Family.VOWELS) {
            return !answer.matches("[0-9]{1,2}")
                    ? 0
                    : Math.abs(Integer.parseInt(answer) - Integer.parseInt(task.answer())) == 1 ? 3 : 1;
        }
        int longer = Math.max(answer.length(), task.answer().length());
        int right = longer - Spelling.editDistance(answer, task.answer());
        return Math.min(4, 5 * right / longer);
    }

    /** An answer that a model under way may give: right, by the wrong rule, or either with slips. */
    static String answer(DemoTasks.Example task, RandomStream random) {
        int kind = random.nextInt(20);
        if (kind < 6) {
            return task.answer();
        }
        if (kind < 11) {
            return task.wrongRuleAnswer();
        }
        if (task.family() == DemoTasks.Family.VOWELS) {
            return Integer.toString(random.nextInt(6));
        }
        return withSlips(kind < 17 ? task.answer() : task.wrongRuleAnswer(), random);
    }

    /** One or two letters wrong, missing, swapped or doubled. */
    private static String withSlips(String answer, RandomStream random) {
        StringBuilder text = new StringBuilder(answer);
        int slips = 1 + random.nextInt(2);
        for (int s = 0; s < slips; s++) {
            int at = random.nextInt(text.length());
            char other = text.charAt(random.nextInt(text.length()));
            switch (random.nextInt(4)) {
                case 0 -> text.setCharAt(at, other);
                case 1 -> text.delete(at, text.length() > 1 ? at + 1 : at);
                case 2 -> {
                    int next = Math.min(text.length() - 1, at + 1);
                    char here = text.charAt(at);
                    text.setCharAt(at, text.charAt(next));
                    text.setCharAt(next, here);
                }
                default -> text.insert(at, other);
            }
        }
        return text.toString();
    }

    /** Answers to a task with their ranks by the true score: the right one, the wrong rule's and up to two others. */
    static RankedPrompt ranked(DemoTasks.Example task, RandomStream random) {
        Set<String> answers = new LinkedHashSet<>(List.of(task.answer(), task.wrongRuleAnswer()));
        for (int tries = 0; tries < 20 && answers.size() < 4; tries++) {
            answers.add(answer(task, random));
        }
        List<String> all = new ArrayList<>(answers);
        int[] order = random.permutation(all.size());
        List<String> responses = IntStream.of(order).mapToObj(all::get).toList();
        List<Integer> scores = responses.stream().map(a -> score(task, a)).toList();
        List<Integer> best = scores.stream().distinct().sorted(Comparator.reverseOrder()).toList();
        return new RankedPrompt(List.of(new Message("user", task.prompt())), responses,
                scores.stream().map(s -> 1.0 + best.indexOf(s)).toList());
    }
}
