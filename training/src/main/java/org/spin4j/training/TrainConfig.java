package org.spin4j.training;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.spin4j.engine.Sampling;

/**
 * Everything a training run can be told, from a YAML file and {@code key=value} overrides. The components below are the one
 * list of keys, types, ranges, defaults, help and users; names are Hugging Face's where one exists. Paths are relative to
 * the working directory.
 */
public record TrainConfig(
        // what
        @Key(help = "the model to start from: a folder in Hugging Face layout, a .gguf file, a .bin file of llama2.c, or hf:OWNER/NAME[@REVISION]") Optional<Path> model,
        @Key(help = "folder of the frozen reference; not set: the model as it starts", use = Method.DPO) Optional<Path> refModel,
        @Key(help = "tokenizer or its folder; not set: the model's folder") Optional<Path> tokenizer,
        @Key(help = "chat template: alpaca, chatml, llama2, llama3, zephyr or a file; not set: the tokenizer's") Optional<Path> chatTemplate,
        @Key(help = "learn all turns of the assistant in rows of messages; false: the last one", initial = "false", use = Method.SFT) boolean assistantOnlyLoss,
        @Key(help = "training rows, JSONL; self-reward: instruction data, whose prompts are the examples for new ones") Optional<Path> trainData,
        @Key(help = "held-out rows, JSONL") Optional<Path> evalData,
        @Key(help = "folder of the run", shapesResult = false) Optional<Path> outputDir,
        @Key(help = "seed of every random choice", initial = "42") long seed,
        // where
        @Key(help = "threads, 0 for all cores; results do not depend on it", initial = "0", min = 0, max = 4096, shapesResult = false) int threads,
        @Key(help = "auto, scalar or vector; with ! at the end, fail instead of falling back", initial = "auto", shapesResult = false) String backend,
        // optimiser
        @Key(help = "optimiser", initial = "adamw") Optim optim,
        @Key(help = "peak learning rate", initial = "5e-5", selfReward = "1e-6", above = 0) double learningRate,
        @Key(help = "rows per forward pass", initial = "8", selfReward = "16", min = 1) int perDeviceTrainBatchSize,
        @Key(help = "forward passes per optimiser step", initial = "1", min = 1) int gradientAccumulationSteps,
        @Key(help = "optimiser steps; -1: as num_train_epochs says (spin, self-reward: in each iteration)", initial = "-1", min = -1) int maxSteps,
        @Key(help = "passes over the rows (spin, self-reward: in each iteration)", initial = "3", above = 0) double numTrainEpochs,
        @Key(help = "shape of the learning rate", initial = "linear", selfReward = "cosine") LearningRateSchedule.Kind lrSchedulerType,
        @Key(help = "where linear and cosine end, as a share of the peak", initial = "0", selfReward = "0.1", min = 0, max = 1) double minLrRate,
        @Key(help = "share of the steps spent warming up", initial = "0", min = 0, max = 1) double warmupRatio,
        @Key(help = "steps spent warming up; above 0 it wins over warmup_ratio", initial = "0", min = 0) int warmupSteps,
        @Key(help = "gradients are scaled down to this total l2 norm; 0: never", initial = "1", min = 0) double maxGradNorm,
        @Key(help = "decoupled weight decay", initial = "0", min = 0) double weightDecay,
        @Key(help = "share of the embeddings and of each sub-layer's output that is dropped while training", initial = "0", min = 0, below = 1, use = Method.SFT) double dropout,
        @Key(help = "AdamW: decay of the mean gradient", initial = "0.9", min = 0, below = 1) double adamBeta1,
        @Key(help = "AdamW: decay of the mean squared gradient", initial = "0.999", min = 0, below = 1) double adamBeta2,
        @Key(help = "added to the root of the mean squared gradient, RMSprop's too", initial = "1e-8", above = 0) double adamEpsilon,
        @Key(help = "RMSprop: decay of the mean squared gradient", initial = "0.99", min = 0, below = 1) double rmspropAlpha,
        // logging
        @Key(help = "optimiser steps between two lines of metrics.jsonl", initial = "10", min = 1, shapesResult = false) int loggingSteps,
        @Key(help = "optimiser steps between two checkpoints", initial = "500", min = 1, shapesResult = false) int saveSteps,
        // preference loss
        @Key(help = "DPO's beta, SPIN's lambda", initial = "0.1", above = 0, use = {
                Method.DPO, Method.SPIN, Method.SELF_REWARD}) double beta,
        @Key(help = "preference loss", initial = "sigmoid", use = {Method.DPO, Method.SPIN,
                Method.SELF_REWARD}) LossType lossType,
        @Key(help = "assumed share of wrong labels", initial = "0", min = 0, below = 0.5, use = {Method.DPO,
                Method.SPIN, Method.SELF_REWARD}) double labelSmoothing,
        // lengths, tokens
        @Key(help = "longest sequence; longer rows are cut", initial = "1024", min = 2) int maxLength,
        @Key(help = "longest prompt; longer ones lose their beginning", initial = "512", min = 1) int maxPromptLength,
        // generation
        @Key(help = "longest generated response", initial = "256", min = 1, use = {Method.SPIN,
                Method.SELF_REWARD}) int maxNewTokens,
        @Key(help = "sampling temperature; 0: greedy", initial = "1", selfReward = "0.7", min = 0, use = {Method.SPIN,
                Method.SELF_REWARD}) double temperature,
        @Key(help = "sample from the smallest set of tokens with this probability", initial = "1", selfReward = "0.9", above = 0, max = 1, use = {
                Method.SPIN, Method.SELF_REWARD}) double topP,
        @Key(help = "sample from this many most probable tokens; 0: all", initial = "0", min = 0, use = {Method.SPIN,
                Method.SELF_REWARD}) int topK,
        @Key(help = "prompts generated at once", initial = "32", min = 1, use = {Method.SPIN,
                Method.SELF_REWARD}, shapesResult = false) int generationBatchSize,
        // self-play
        @Key(help = "rounds of self-play, or of preferences after M1", initial = "3", selfReward = "2", min = 1, max = 1000, use = {
                Method.SPIN, Method.SELF_REWARD}) int iterations,
        @Key(help = "train on the previous iteration's pairs too", initial = "true", use = Method.SPIN) boolean mixPrevious,
        @Key(help = "leave out pairs whose two responses are equal", initial = "true", use = Method.SPIN) boolean dropEqualPairs,
        @Key(help = "learning_rate of each iteration; the last one repeats", above = 0, use = {
                Method.SPIN, Method.SELF_REWARD}) List<Double> iterationLearningRates,
        @Key(help = "beta of each iteration; the last one repeats", above = 0, use = {Method.SPIN,
                Method.SELF_REWARD}) List<Double> iterationBetas,
        // self-rewarding: M1
        @Key(help = "judge examples learnt beside train_data, rows as those of sft", use = Method.SELF_REWARD) Optional<Path> eftData,
        @Key(help = "ranked responses: judge examples are built of one part of them, reward models measured on the other", use = Method.SELF_REWARD) Optional<Path> rankedData,
        @Key(help = "share of ranked_data that is kept for measuring", initial = "0.25", min = 0, max = 1, use = Method.SELF_REWARD) double rankedHeldOut,
        @Key(help = "peak learning rate of SFT", initial = "5.5e-6", above = 0, use = Method.SELF_REWARD) double sftLearningRate,
        @Key(help = "where the rate of SFT ends, as a share of the peak", initial = "0.2", min = 0, max = 1, use = Method.SELF_REWARD) double sftMinLrRate,
        @Key(help = "rows per forward pass of SFT", initial = "16", min = 1, use = Method.SELF_REWARD) int sftBatchSize,
        @Key(help = "passes over the rows of SFT", initial = "3", above = 0, use = Method.SELF_REWARD) double sftNumTrainEpochs,
        @Key(help = "optimiser steps of SFT; -1: as sft_num_train_epochs says", initial = "-1", min = -1, use = Method.SELF_REWARD) int sftMaxSteps,
        @Key(help = "dropout of SFT: share of the embeddings and of each sub-layer's output", initial = "0.1", min = 0, below = 1, use = Method.SELF_REWARD) double sftDropout,
        // self-rewarding: new prompts
        @Key(help = "new prompts in each iteration", initial = "4000", min = 1, use = Method.SELF_REWARD) int newPrompts,
        @Key(help = "examples from train_data that a new prompt is asked with", initial = "6", min = 1, max = 100, use = Method.SELF_REWARD) int seedShots,
        @Key(help = "examples from earlier new prompts", initial = "2", min = 0, max = 100, use = Method.SELF_REWARD) int generatedShots,
        @Key(help = "temperature of new prompts", initial = "0.6", min = 0, use = Method.SELF_REWARD) double promptTemperature,
        @Key(help = "top_p of new prompts", initial = "0.9", above = 0, max = 1, use = Method.SELF_REWARD) double promptTopP,
        @Key(help = "longest new prompt in tokens", initial = "128", min = 1, use = Method.SELF_REWARD) int promptMaxNewTokens,
        @Key(help = "how a new prompt is asked for: a text with {{examples}}; not set: spin4j's own words", use = Method.SELF_REWARD) Optional<Path> promptTemplate,
        @Key(help = "a new prompt whose ROUGE-L with one before it is this or more is refused; above 1: none is", initial = "0.7", above = 0, use = Method.SELF_REWARD) double maxRougeL,
        @Key(help = "rows whose prompts no new prompt may repeat or resemble, a benchmark for instance", use = Method.SELF_REWARD) Optional<Path> excludedData,
        @Key(help = "fewest words of a new prompt", initial = "4", min = 0, use = Method.SELF_REWARD) int minPromptWords,
        @Key(help = "most words of a new prompt", initial = "150", min = 1, use = Method.SELF_REWARD) int maxPromptWords,
        @Key(help = "words that no new prompt may have, one a line; not set: Self-Instruct's, of what text is not", use = Method.SELF_REWARD) Optional<Path> promptKeywords,
        // self-rewarding: candidates and judgements
        @Key(help = "responses to each new prompt", initial = "4", min = 2, max = 1000, use = Method.SELF_REWARD) int candidates,
        @Key(help = "who judges: self, checkpoint:DIR, endpoint:URL, or verifier:exact, verifier:table, verifier:number", initial = "self", use = Method.SELF_REWARD) String judge,
        @Key(help = "what is asked of a judge: a text with {{prompt}} and {{response}}; not set: spin4j's own additive scale", use = Method.SELF_REWARD) Optional<Path> judgeTemplate,
        @Key(help = "what a judge is asked of two responses: a text with {{prompt}}, {{response_a}} and {{response_b}}; not set: spin4j's own", use = Method.SELF_REWARD) Optional<Path> pairTemplate,
        @Key(help = "how two responses are compared: prompt, asked side by side in both orders, or scores, each on its own", initial = "prompt", use = Method.SELF_REWARD) Pairwise pairwise,
        @Key(help = "what a verifier checks with", use = Method.SELF_REWARD) Optional<Path> judgeData,
        @Key(help = "name of the model that an endpoint is asked for", initial = "judge", use = Method.SELF_REWARD) String judgeModel,
        @Key(help = "environment variable that holds the key of an endpoint, where it wants one", initial = "SPIN4J_JUDGE_KEY", use = Method.SELF_REWARD, shapesResult = false) String judgeKeyVariable,
        @Key(help = "requests to an endpoint under way at once", initial = "4", min = 1, max = 1000, use = Method.SELF_REWARD, shapesResult = false) int judgeConcurrency,
        @Key(help = "judgements of each response, averaged", initial = "3", min = 1, max = 1000, use = Method.SELF_REWARD) int judgements,
        @Key(help = "temperature of judgements", initial = "0.7", min = 0, use = Method.SELF_REWARD) double judgeTemperature,
        @Key(help = "top_p of judgements", initial = "0.9", above = 0, max = 1, use = Method.SELF_REWARD) double judgeTopP,
        @Key(help = "longest judgement in tokens", initial = "256", min = 1, use = Method.SELF_REWARD) int judgeMaxNewTokens,
        // self-rewarding: early stopping
        @Key(help = "optimiser steps between two pairwise judgements of the model in training; 0: none", initial = "200", min = 0, use = Method.SELF_REWARD) int earlyStoppingSteps,
        @Key(help = "stop after this many judgements in a row without a win; 0: never, the best is taken all the same", initial = "2", min = 0, use = Method.SELF_REWARD) int earlyStoppingPatience,
        @Key(help = "held-out prompts, the first of eval_data, that pairwise judgements are made on", initial = "253", min = 1, use = Method.SELF_REWARD) int earlyStoppingPrompts){

    /** The optimisers. */
    public enum Optim {
        /** Adam with decoupled weight decay. */
        ADAMW,
        /** RMSprop, not centred, without momentum. */
        RMSPROP;

        /** The name used in a configuration. */
        public String key() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** How a judge compares two responses. */
    public enum Pairwise {
        /** Side by side, in both orders. */
        PROMPT,
        /** Each gets a score of its own. */
        SCORES
    }

    /**
     * What {@link #load} read.
     *
     * @param config every key, with its default where it was not set
     * @param unused keys that were set although the command does not use them, worth a warning
     */
    public record Loaded(TrainConfig config, List<String> unused) {}

    /** Lists are copied. */
    public TrainConfig {
        iterationLearningRates = List.copyOf(iterationLearningRates);
        iterationBetas = List.copyOf(iterationBetas);
    }

    /** The configuration in which every key has its default. */
    public static TrainConfig defaults() {
        return ConfigKeys.build(Map.of(), Optional.empty());
    }

    /** The configuration in which every key has the default of a command. */
    public static TrainConfig defaults(Method method) {
        return ConfigKeys.build(Map.of(), Optional.of(method));
    }

    /**
     * Reads a configuration: defaults, over them the file, over that the overrides in their order.
     *
     * @param method the command the configuration is for
     * @param file a YAML mapping of keys to values
     * @param overrides {@code key=value} each; a list is written {@code a,b} or {@code [a, b]}
     * @throws BadInputException if a key is unknown, a value outside its range, or the file is not such a mapping
     */
    public static Loaded load(Method method, Optional<Path> file, List<String> overrides) {
        return ConfigKeys.load(method, file, overrides);
    }

    /** The same configuration with {@code key=value} settings on top. */
    public TrainConfig with(String... overrides) {
        return ConfigKeys.override(this, List.of(overrides));
    }

    /**
     * How responses are sampled.
     *
     * @param endIds ids that end a response
     */
    public Sampling sampling(List<Integer> endIds) {
        return Sampling.pure(maxNewTokens, new HashSet<>(endIds), generationBatchSize).with(temperature, topK, topP);
    }

    /** The peak learning rate of one iteration, counted from 0. */
    public double learningRate(int iteration) {
        return entry(iterationLearningRates, iteration, learningRate);
    }

    /** β of one iteration, counted from 0. */
    public double beta(int iteration) {
        return entry(iterationBetas, iteration, beta);
    }

    /** The loss that the keys loss_type, beta and label_smoothing describe, for one iteration, counted from 0. */
    public PairLoss pairLoss(int iteration) {
        return PairLoss.of(lossType, beta(iteration), labelSmoothing);
    }

    /**
     * The path of a key that a command cannot do without.
     *
     * @throws BadInputException if it is not set
     */
    public Path require(String key) {
        Object value = ConfigKeys.value(this, key);
        if (value instanceof Optional<?> optional && optional.orElse(null) instanceof Path path) {
            return path;
        }
        throw BadInputException.of(
                "expected a path for %s, found none; write %s=PATH or put it in the file of --config",
                key, key);
    }

    /** Every key with its value, as YAML that {@link #load} reads back to an equal configuration. */
    public String toYaml() {
        StringBuilder yaml = new StringBuilder();
        ConfigKeys.texts(this, false).forEach((key, text) -> yaml.append(key).append(": ").append(text).append('\n'));
        return yaml.toString();
    }

    /** The keys that the trained weights depend on, with their values as YAML text: part of a run's fingerprint. */
    public Map<String, String> resultKeys() {
        return ConfigKeys.texts(this, true);
    }

    /** The names of all keys. */
    public static List<String> keys() {
        return ConfigKeys.names();
    }

    /** The list of keys with type, default and meaning; of one command, or of all. */
    public static String help(Optional<Method> method) {
        return ConfigKeys.help(method);
    }

    private static double entry(List<Double> list, int iteration, double otherwise) {
        return list.isEmpty() ? otherwise : list.get(Math.min(iteration, list.size() - 1));
    }
}
