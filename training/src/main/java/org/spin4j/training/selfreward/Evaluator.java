package org.spin4j.training.selfreward;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.spin4j.engine.Decoder;
import org.spin4j.engine.RandomStream;
import org.spin4j.training.AtomicFiles;
import org.spin4j.training.Evaluation;
import org.spin4j.training.Examples;
import org.spin4j.training.HeldOut;
import org.spin4j.training.Progress;
import org.spin4j.training.RunContext;
import org.spin4j.training.Spin;
import org.spin4j.training.judge.Assessment;
import org.spin4j.training.judge.HeadToHead;
import org.spin4j.training.judge.Judge;
import org.spin4j.training.judge.PairJudge;
import org.spin4j.training.judge.RankedPrompt;
import org.spin4j.training.judge.RewardModelReport;
import org.spin4j.training.judge.ScorePattern;

/**
 * Measures models on what is held out: the likelihood of the data's responses, the model's own answers and their duels with those of
 * the model before, its judgement of ranked responses.
 *
 * @param prompts may be empty
 * @param ranked  may be empty
 */
record Evaluator(RunContext context, HeldOutPrompts prompts, List<RankedPrompt> ranked) {
    /** Name of the file of duels with the model before. */
    static final String HEAD_TO_HEAD = "head-to-head.json";
    private static final int SHOWN = 12;

    /**
     * One model, as a stage of the run.
     *
     * @param duels  decides between answers
     * @param before folder of the evaluation of the model before; none for the first
     * @param judge  the model as a judge of ranked responses, if that is to be measured
     */
    Evaluation of(String stage, Decoder model, Map<String, String> inputs, PairJudge duels, Optional<Path> before,
            Optional<Judge> judge) {
        Path folder = context.run().stage(stage, context.inputs(inputs), temporary -> {
            Map<String, Double> numbers = new LinkedHashMap<>();
            List<Spin.Shown> samples = new ArrayList<>();
            if (!prompts.isEmpty()) {
                numbers.put("nll_per_token", HeldOut.of(context, model, prompts.rows()).nllPerToken());
                List<String> answers = prompts.answers(context, "answer " + stage, model, temporary);
                numbers.put("answer_characters",
                        answers.stream().mapToInt(a -> a.codePointCount(0, a.length())).average().orElseThrow());
                before.ifPresent(other -> numbers.putAll(against(stage, duels, answers, other, temporary)));
                for (int i = 0; i < Math.min(SHOWN, answers.size()); i++) {
                    Examples.Source source = prompts.rows().get(i).source().orElseThrow();
                    samples.add(new Spin.Shown(source.turns().getLast().content(), source.answer(), answers.get(i)));
                }
            }
            if (judge.isPresent() && !ranked.isEmpty()) {
                RewardModelReport report = RewardModelReport.of(ranked, assess(context, stage, judge.get(), ranked),
                        ScorePattern.ADDITIVE, context.config().seed());
                report.warnings().forEach(warning -> context.progress().say(stage + ": " + warning));
                RewardFigures.write(temporary, report);
                numbers.putAll(RewardFigures.main(report.numbers()));
            }
            new Evaluation(numbers, samples).write(temporary);
        });
        return Evaluation.read(folder.resolve(Evaluation.FILE));
    }

    private Map<String, Double> against(String stage, PairJudge judge, List<String> answers, Path before, Path to) {
        HeadToHead duels = prompts.duels(context, judge, answers, HeldOutPrompts.read(before), stage);
        context.progress().say(stage + ", against the model before: " + duels);
        AtomicFiles.writeText(to.resolve(HEAD_TO_HEAD), RewardFigures.json(duels.numbers()));
        Map<String, Double> numbers = new LinkedHashMap<>();
        numbers.put("wins", (double) duels.wins());
        numbers.put("ties", (double) duels.ties());
        numbers.put("losses", (double) duels.losses());
        return numbers;
    }

    /** What a judge says of all ranked responses, by prompt. */
    static List<List<Assessment>> assess(RunContext context, String name, Judge judge, List<RankedPrompt> ranked) {
        List<Judge.Answer> rows = new ArrayList<>();
        for (RankedPrompt prompt : ranked) {
            prompt.responses().forEach(response -> rows.add(new Judge.Answer(rows.size(), prompt.prompt(), response)));
        }
        List<Assessment> said;
        try (Progress.Task task = context.progress().start("judge for " + name, "responses", rows.size())) {
            said = judge.judge(rows, context.config().judgements(),
                    RandomStream.of(context.config().seed(), "ranked responses", 0).nextLong(), n -> {
                        task.to(n, 0, "");
                        context.stopIfAsked("judge for " + name);
                    });
        }
        List<List<Assessment>> byPrompt = new ArrayList<>();
        int at = 0;
        for (RankedPrompt prompt : ranked) {
            byPrompt.add(said.subList(at, at + prompt.responses().size()));
            at += prompt.responses().size();
        }
        return byPrompt;
    }
}
