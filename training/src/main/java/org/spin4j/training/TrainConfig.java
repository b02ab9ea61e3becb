package org.spin4j.training;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

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
        @Key(help = "training rows, JSONL") Optional<Path> trainData,
        @Key(help = "held-out rows, JSONL") Optional<Path> evalData,
        @Key(help = "folder of the run", shapesResult = false) Optional<Path> outputDir,
        @Key(help = "seed of every random choice", initial = "42") long seed,
        // where
        @Key(help = "threads, 0 for all cores; results do not depend on it", initial = "0", min = 0, max = 4096, shapesResult = false) int threads,
        @Key(help = "auto, scalar or vector; with ! at the end, fail instead of falling back", initial = "auto", shapesResult = false) String backend,
        // optimiser
        @Key(help = "optimiser", initial = "adamw") Optim optim,
        @Key(help = "peak learning rate", initial = "5e-5", above = 0) double learningRate,
        @Key(help = "rows per forward pass", initial = "8", min = 1) int perDeviceTrainBatchSize,
        @Key(help = "forward passes per optimiser step", initial = "1", min = 1) int gradientAccumulationSteps,
        @Key(help = "optimiser steps; -1: as num_train_epochs says (SPIN: in each iteration)", initial = "-1", min = -1) int maxSteps,
        @Key(help = "passes over the rows (SPIN: in each iteration)", initial = "3", above = 0) double numTrainEpochs,
        @Key(help = "shape of the learning rate", initial = "linear") LearningRateSchedule.Kind lrSchedulerType,
        @Key(help = "share of the steps spent warming up", initial = "0", min = 0, max = 1) double warmupRatio,
        @Key(help = "steps spent warming up; above 0 it wins over warmup_ratio", initial = "0", min = 0) int warmupSteps,
        @Key(help = "gradients are scaled down to this total l2 norm; 0: never", initial = "1", min = 0) double maxGradNorm,
        @Key(help = "decoupled weight decay", initial = "0", min = 0) double weightDecay,
        @Key(help = "AdamW: decay of the mean gradient", initial = "0.9", min = 0, below = 1) double adamBeta1,
        @Key(help = "AdamW: decay of the mean squared gradient", initial = "0.999", min = 0, below = 1) double adamBeta2,
        @Key(help = "added to the root of the mean squared gradient, RMSprop's too", initial = "1e-8", above = 0) double adamEpsilon,
        @Key(help = "RMSprop: decay of the mean squared gradient", initial = "0.99", min = 0, below = 1) double rmspropAlpha,
        // logging
        @Key(help = "optimiser steps between two lines of metrics.jsonl", initial = "10", min = 1, shapesResult = false) int loggingSteps,
        @Key(help = "optimiser steps between two checkpoints", initial = "500", min = 1, shapesResult = false) int saveSteps,
        // preference loss
        @Key(help = "DPO's beta, SPIN's lambda", initial = "0.1", above = 0, use = {
                Method.DPO, Method.SPIN}) double beta,
        @Key(help = "preference loss", initial = "sigmoid", use = {Method.DPO, Method.SPIN}) LossType lossType,
        @Key(help = "assumed share of wrong labels", initial = "0", min = 0, below = 0.5, use = {Method.DPO,
                Method.SPIN}) double labelSmoothing,
        // lengths, tokens
        @Key(help = "longest sequence; longer rows are cut", initial = "1024", min = 2) int maxLength,
        @Key(help = "longest prompt; longer ones lose their beginning", initial = "512", min = 1) int maxPromptLength,
        // generation
        @Key(help = "longest generated response", initial = "256", min = 1, use = Method.SPIN) int maxNewTokens,
        @Key(help = "sampling temperature; 0: greedy", initial = "1", min = 0, use = Method.SPIN) double temperature,
        @Key(help = "sample from the smallest set of tokens with this probability", initial = "1", above = 0, max = 1, use = Method.SPIN) double topP,
        @Key(help = "sample from this many most probable tokens; 0: all", initial = "0", min = 0, use = Method.SPIN) int topK,
        @Key(help = "prompts generated at once", initial = "32", min = 1, use = Method.SPIN, shapesResult = false) int generationBatchSize,
        // self-play
        @Key(help = "rounds of self-play", initial = "3", min = 1, max = 1000, use = Method.SPIN) int iterations,
        @Key(help = "train on the previous iteration's pairs too", initial = "true", use = Method.SPIN) boolean mixPrevious,
        @Key(help = "leave out pairs whose two responses are equal", initial = "true", use = Method.SPIN) boolean dropEqualPairs,
        @Key(help = "learning_rate of each iteration; the last one repeats", above = 0, use = Method.SPIN) List<Double> iterationLearningRates,
        @Key(help = "beta of each iteration; the last one repeats", above = 0, use = Method.SPIN) List<Double> iterationBetas){

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
        return ConfigKeys.build(Map.of());
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

    /** The peak learning rate of one SPIN iteration, counted from 0. */
    public double learningRate(int iteration) {
        return entry(iterationLearningRates, iteration, learningRate);
    }

    /** β of one SPIN iteration, counted from 0. */
    public double beta(int iteration) {
        return entry(iterationBetas, iteration, beta);
    }

    /** The loss that the keys loss_type, beta and label_smoothing describe, for one SPIN iteration (DPO: 0). */
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
