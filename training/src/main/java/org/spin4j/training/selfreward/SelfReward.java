package org.spin4j.training.selfreward;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.spin4j.engine.Decoder;
import org.spin4j.kernels.Kernels;
import org.spin4j.training.AtomicFiles;
import org.spin4j.training.BadInputException;
import org.spin4j.training.Dpo;
import org.spin4j.training.Evaluation;
import org.spin4j.training.Examples;
import org.spin4j.training.Fingerprint;
import org.spin4j.training.JsonLines;
import org.spin4j.training.Progress;
import org.spin4j.training.RunContext;
import org.spin4j.training.Sft;
import org.spin4j.training.TextData;
import org.spin4j.training.TrainConfig;
import org.spin4j.training.TrainingRun;
import org.spin4j.training.judge.Assessment;
import org.spin4j.training.judge.EftBuilder;
import org.spin4j.training.judge.Judge;
import org.spin4j.training.judge.PreferencePairs;
import org.spin4j.training.judge.RankedPrompt;

/**
 * Self-rewarding language models (Yuan et al. 2024, arXiv 2401.10020) as a run. M1 is the start model after SFT on instruction data
 * (IFT) and judge data (EFT). M(t+1) is M(t) after DPO on preferences that M(t) made itself: new prompts, candidates, judgements of
 * the candidates, best against worst; the reference is M(t).
 *
 * <p>Stages: {@code sft/model} and {@code eft} where there is judge data, {@code m1/model}, and for each further model
 * {@code m2/prompts}, {@code m2/candidates}, {@code m2/judgements}, {@code m2/pairs}, {@code m2/reference}, {@code m2/checks},
 * {@code m2/model}; of every model {@code evaluation}. One that is there already is not made again.
 */
public final class SelfReward {
    /**
     * What the loop works with.
     *
     * @param ift      instruction data
     * @param seeds    prompts of the instruction data, examples for new ones
     * @param eft      judge data that is given; may be empty
     * @param ranked   ranked responses that judge data is built from, and that judges are measured on; may be empty
     * @param heldOut  prompts with responses for evaluation and early stopping; may be empty
     * @param keptAway prompts that no new one may resemble besides the seeds
     * @param text     of the model
     * @param judging  who judges
     */
    record Data(List<Examples.Sequence> ift, List<String> seeds, List<Examples.Sequence> eft,
            EftBuilder.Split ranked, List<Examples.Response> heldOut, List<String> keptAway, TextData text,
            Judging judging) {}

    /**
     * A model of the run.
     *
     * @param name    {@code sft}, {@code m1}, {@code m2}, …
     * @param folder  where it is saved
     * @param numbers evaluation: name to value; empty where there is nothing to evaluate on
     */
    public record Result(String name, Path folder, Map<String, Double> numbers) {}

    /**
     * A run that has all it needs.
     *
     * @param inputs fingerprints of the files that the configuration names besides {@code train_data}
     */
    public record Prepared(Data data, Map<String, String> inputs) {
        /**
         * Makes all models; trains the policy in place.
         *
         * @param all       fingerprints of the start model and of all files
         * @param tokenizer folder whose tokenizer files go along, or null
         * @return the models in the order they were made
         */
        public List<Result> run(RunContext context, Decoder policy, Map<String, String> all, Path tokenizer) {
            try (Judging judging = data.judging()) {
                SelfReward loop = new SelfReward(context, data, new TreeMap<>(all), tokenizer);
                loop.inputs.putAll(judging.inputs());
                loop.start(policy);
                List<String> prompts = new ArrayList<>();
                for (int t = 0; t < context.config().iterations(); t++) {
                    loop.iterate(policy, t, prompts);
                }
                return List.copyOf(loop.results);
            }
        }
    }

    /**
     * Reads and opens everything that a configuration names; changes nothing.
     *
     * @param vocab number of tokens that the model has
     * @throws BadInputException if something cannot be used
     */
    public static Prepared prepare(Kernels kernels, TrainConfig config, TextData text, int vocab, Progress progress) {
        Map<String, String> inputs = new TreeMap<>();
        SelfRewardData.files(config).forEach((key, file) -> inputs.put(key, TrainingRun.dataFingerprint(file)));
        NewPrompts.template(config);
        NewPrompts.limits(config);
        Judging judging = new Judging(kernels, config, text, progress);
        return new Prepared(SelfRewardData.read(config, text, vocab, judging), inputs);
    }

    /** The baseline: instruction data alone. */
    static final String SFT = "sft";
    /** What the stages of pairs and of judge data say of themselves. */
    static final String SUMMARY = "summary.json";

    private final RunContext context;
    private final TrainConfig config;
    private final Data data;
    private final Path tokenizer;
    private final List<Result> results = new ArrayList<>();
    /** What the next stage depends on; grows with every stage. */
    private final Map<String, String> inputs;

    private SelfReward(RunContext context, Data data, Map<String, String> inputs, Path tokenizer) {
        this.context = context;
        this.config = context.config();
        this.data = data;
        this.inputs = inputs;
        this.tokenizer = tokenizer;
    }

    // ---- M1 ----------------------------------------------------------------------------------------------------------

    private TrainConfig sftSettings() {
        return config.with("learning_rate=" + config.sftLearningRate(), "min_lr_rate=" + config.sftMinLrRate(),
                "per_device_train_batch_size=" + config.sftBatchSize(),
                "num_train_epochs=" + config.sftNumTrainEpochs(), "max_steps=" + config.sftMaxSteps(),
                "dropout=" + config.sftDropout());
    }

    private void start(Decoder policy) {
        List<Examples.Sequence> rows = new ArrayList<>(data.ift());
        if (!data.eft().isEmpty() || !data.ranked().train().isEmpty()) {
            try (Decoder baseline = policy.copy()) {
                Path folder = Sft.run(context, SFT + "/model", sftSettings(), baseline, data.ift(), inputs, tokenizer);
                evaluate(SFT, folder, baseline, data.judging().of(baseline));
                rows.addAll(data.eft());
                rows.addAll(built(baseline));
            }
        }
        Path folder = Sft.run(context, "m1/model", sftSettings(), policy, rows, inputs, tokenizer);
        evaluate("m1", folder, policy, data.judging().of(policy));
    }

    /** Judge data from ranked responses: the baseline's own judgements where they agree with the ranking. */
    private List<Examples.Sequence> built(Decoder baseline) {
        List<RankedPrompt> ranked = data.ranked().train();
        if (ranked.isEmpty()) {
            return List.of();
        }
        Path folder = context.run().stage("eft", context.inputs(inputs), temporary -> {
            List<List<Assessment>> said = Evaluator.assess(context, "eft", data.judging().of(baseline).scores(),
                    ranked);
            EftBuilder.Result built = EftBuilder.build(data.judging().questions().pointwise(), ranked, said,
                    config.seed());
            JsonLines.writeAll(temporary.resolve("eft.jsonl"),
                    built.examples().stream().map(EftBuilder.Example::json).toList());
            ObjectNode summary = JsonLines.JSON.createObjectNode();
            summary.put("prompts", built.prompts()).put("agreeing", built.agreeing()).put("unusable", built.unusable())
                    .put("thinned", built.thinned()).put("examples", built.examples().size());
            built.histogram().forEach((score, n) -> summary.withObject("/histogram").put(score.toString(), n));
            AtomicFiles.writeText(temporary.resolve(SUMMARY), summary.toPrettyString() + "\n");
        });
        Map<String, Double> summary = RewardFigures.read(folder.resolve(SUMMARY));
        context.progress().say(String.format("eft: %.0f judge examples from %.0f of %.0f ranked prompts",
                summary.get("examples"), summary.get("agreeing"), summary.get("prompts")));
        inputs.put("eft", Fingerprint.of(folder.resolve("eft.jsonl")));
        return SelfRewardData.sequences(folder.resolve("eft.jsonl"), data.text(), baseline.config().vocabSize());
    }

    // ---- M2, M3, … ---------------------------------------------------------------------------------------------------

    /** From M(t+1) to M(t+2), t from 0. */
    private void iterate(Decoder policy, int t, List<String> earlier) {
        String name = "m" + (t + 2);
        String at = name + "/";
        try (Decoder frozen = policy.copy()) {
            Judging.Judges judges = data.judging().of(frozen);
            inputs.put(results.getLast().name(),
                    Fingerprint.of(results.getLast().folder().resolve("model.safetensors")));
            NewPrompts prompts = NewPrompts.of(context, at + "prompts", frozen, data, earlier, inputs);
            earlier.addAll(prompts.prompts());
            inputs.put(at + "prompts", Fingerprint.of(context.run().resolve(at + "prompts")));
            List<Candidates> candidates = Candidates.of(context, at + "candidates", frozen, data.text(),
                    prompts.prompts(), inputs);
            inputs.put(at + "candidates", Fingerprint.of(context.run().resolve(at + "candidates")));
            List<List<Assessment>> judged = Judgements.of(context, at + "judgements", judges.scores(), candidates,
                    inputs);
            inputs.put(at + "judgements", Fingerprint.of(context.run().resolve(at + "judgements")));
            List<Examples.Pair> pairs = pairs(at + "pairs", candidates, judged);
            inputs.put(at + "pairs", Fingerprint.of(context.run().resolve(at + "pairs")));
            EarlyStopping checks = new EarlyStopping(context, at,
                    heldOut().first(config.earlyStoppingPrompts()), judges.pairs(), Map.copyOf(inputs));
            Path folder = Dpo.run(context, new Dpo.Place(at, t, Map.of("model", t + 2), checks), policy, frozen, pairs,
                    inputs, tokenizer);
            evaluate(name, folder, policy, judges);
        }
    }

    private HeldOutPrompts heldOut() {
        return new HeldOutPrompts(data.text(), data.heldOut());
    }

    /** Best against worst candidate of each prompt; what gives no pair is counted and told. */
    private List<Examples.Pair> pairs(String stage, List<Candidates> candidates, List<List<Assessment>> judged) {
        Path folder = context.run().stage(stage, context.inputs(inputs), temporary -> {
            List<List<PreferencePairs.Candidate>> all = new ArrayList<>();
            for (int p = 0; p < candidates.size(); p++) {
                List<PreferencePairs.Candidate> row = new ArrayList<>();
                for (int c = 0; c < judged.get(p).size(); c++) {
                    row.add(new PreferencePairs.Candidate(candidates.get(p).responses().get(c).text(),
                            judged.get(p).get(c)));
                }
                all.add(row);
            }
            PreferencePairs found = PreferencePairs.of(all);
            JsonLines.writeAll(temporary.resolve("pairs.jsonl"),
                    found.pairs().stream().map(pair -> row(candidates.get(pair.prompt()), pair)).toList());
            PairSummary.of(found).write(temporary.resolve(SUMMARY));
        });
        PairSummary summary = PairSummary.read(folder.resolve(SUMMARY));
        summary.lines().forEach(line -> context.progress().say(stage + ": " + line));
        List<Examples.Pair> pairs = JsonLines.readAll(folder.resolve("pairs.jsonl"),
                line -> new Examples.Pair(JsonLines.ids(line.object().path("prompt_ids")),
                        JsonLines.ids(line.object().path("chosen_ids")),
                        JsonLines.ids(line.object().path("rejected_ids"))));
        if (pairs.isEmpty()) {
            throw BadInputException.of("expected at least one pair of candidates with different scores, found none in "
                    + "%s (%s); use a judge that tells them apart, a higher temperature or more candidates", folder,
                    summary.lines().getFirst());
        }
        return pairs;
    }

    private static ObjectNode row(Candidates of, PreferencePairs.Pair pair) {
        Candidates.Response chosen = of.responses().get(pair.chosen());
        Candidates.Response rejected = of.responses().get(pair.rejected());
        ObjectNode row = JsonLines.JSON.createObjectNode();
        row.put("prompt", of.prompt()).put("chosen", chosen.text()).put("rejected", rejected.text())
                .put("chosen_score", pair.chosenScore()).put("rejected_score", pair.rejectedScore());
        row.set("prompt_ids", JsonLines.ids(of.promptIds()));
        row.set("chosen_ids", JsonLines.ids(chosen.ids()));
        row.set("rejected_ids", JsonLines.ids(rejected.ids()));
        return row;
    }

    // ---- evaluation --------------------------------------------------------------------------------------------------

    /**
     * Measures a model on what is held out.
     *
     * @param judges of the duels; where the model judges itself, M(t) judges M(t+1) and M1 judges M1
     */
    private void evaluate(String name, Path folder, Decoder model, Judging.Judges judges) {
        Map<String, String> all = new TreeMap<>(inputs);
        all.put("evaluated", Fingerprint.of(folder.resolve("model.safetensors")));
        Optional<Path> before = results.isEmpty()
                ? Optional.empty()
                : Optional.of(context.run().resolve(results.getLast().name() + "/evaluation"));
        Optional<Judge> judge = data.judging().bySelf()
                ? Optional.of(data.judging().of(model).scores())
                : Optional.empty();
        Evaluation found = new Evaluator(context, heldOut(), data.ranked().heldOut()).of(name + "/evaluation", model,
                all, judges.pairs(), before, judge);
        results.add(new Result(name, folder, found.numbers()));
    }
}
