package org.spin4j.training;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import org.spin4j.engine.Decoder;
import org.spin4j.engine.Generator;
import org.spin4j.engine.Sample;
import org.spin4j.engine.Sampling;
import org.spin4j.kernels.Kernels;

/** What every method works with: backend, configuration, run folder, progress, the wish to stop. */
public final class RunContext implements AutoCloseable {
    /** Keys that name files and folders; what is in them counts, not where they lie. */
    private static final Set<String> CONTENTS = Set.of("model", "ref_model", "tokenizer", "train_data", "eval_data",
            "eft_data", "ranked_data", "prompt_template", "judge", "judge_template", "judge_data",
            "pair_template", "prompt_keywords", "excluded_data");

    private final Kernels kernels;
    private final TrainConfig config;
    private final RunDirectory run;
    private final Progress progress;
    private final Interrupt interrupt;
    private long stepsBefore;

    private RunContext(Kernels kernels, TrainConfig config, RunDirectory run, Progress progress, Interrupt interrupt) {
        this.kernels = kernels;
        this.config = config;
        this.run = run;
        this.progress = progress;
        this.interrupt = interrupt;
    }

    /**
     * Opens the run folder that {@code output_dir} names.
     *
     * @param resume whether a run that is there already may be gone on with
     */
    public static RunContext open(Kernels kernels, TrainConfig config, boolean resume, Progress progress,
            Interrupt interrupt) {
        RunDirectory run = RunDirectory.open(requireOutput(config, resume));
        run.writeConfig(config);
        return new RunContext(kernels, config, run, progress, interrupt);
    }

    /**
     * The folder that {@code output_dir} names.
     *
     * @throws BadInputException if none is named, or a run is there that may not be gone on with
     */
    public static Path requireOutput(TrainConfig config, boolean resume) {
        Path folder = config.require("output_dir");
        if (!resume && Files.exists(folder.resolve("config.yaml"))) {
            throw BadInputException
                    .of("expected a new output_dir, found a run in %s; add --resume to go on with it, or use "
                            + "another output_dir", folder);
        }
        return folder;
    }

    /** The backend. */
    public Kernels kernels() {
        return kernels;
    }

    /** The resolved configuration. */
    public TrainConfig config() {
        return config;
    }

    /** The run's folder. */
    public RunDirectory run() {
        return run;
    }

    /** Where progress is told. */
    public Progress progress() {
        return progress;
    }

    /** Whether the user wants to stop. */
    public Interrupt interrupt() {
        return interrupt;
    }

    /** What a stage depends on: the configuration keys that shape results, and what else the caller names. */
    public Map<String, String> inputs(Map<String, String> more) {
        Map<String, String> inputs = new TreeMap<>(more);
        config.resultKeys().forEach((key, value) -> {
            if (!CONTENTS.contains(key)) {
                inputs.put("config/" + key, value);
            }
        });
        return inputs;
    }

    /** All rows of a JSONL file, parsed and turned into examples; an error names the line. */
    public static <T> List<T> read(Path file, Function<JsonLines.Line, ? extends Row> parse,
            Function<Row, T> encode) {
        return JsonLines.readAll(file, line -> {
            Row row = parse.apply(line);
            return line.located(() -> encode.apply(row));
        });
    }

    /**
     * Samples continuations of prompts, with progress, until the user asks to stop.
     *
     * @param name what is told of
     * @param seed same seed, same samples
     * @return the candidates of each prompt side by side, in the order of the prompts
     * @throws Interrupt.Stopped if the user asked to stop
     */
    public List<Sample> sample(String name, Decoder model, List<int[]> prompts, Sampling sampling, long seed) {
        try (Progress.Task task = progress.start(name, "prompts", prompts.size())) {
            return new Generator(model, kernels).generate(prompts, sampling, seed, n -> {
                task.to(n, 0, "");
                stopIfAsked(name);
            });
        }
    }

    /**
     * To be called now and then in long work.
     *
     * @param name of the work
     * @throws Interrupt.Stopped if the user asked to stop
     */
    public void stopIfAsked(String name) {
        if (interrupt.requested()) {
            throw new Interrupt.Stopped("stopped during " + name);
        }
    }

    /**
     * A training as one stage of the run.
     *
     * @param stage        the stage, whose folder the trained model is
     * @param settings     of optimiser and schedule
     * @param learningRate peak rate
     * @param inputs       what the stage depends on besides the configuration of the run
     * @param tokenizer    folder whose tokenizer files go along, or null
     * @param constants    logged with every step, for example the iteration
     * @param checks       may end it early
     */
    record Training<T>(String stage, TrainConfig settings, List<T> items, Objective<T> objective, double learningRate,
            Map<String, String> inputs, Path tokenizer, Map<String, ? extends Number> constants, Checks checks) {}

    /**
     * Trains the policy in place. A stage that is there already is loaded; one that was interrupted goes on from its
     * checkpoint.
     *
     * @return the stage's folder
     */
    <T> Path train(Decoder policy, Training<T> training) {
        String stage = training.stage();
        Map<String, String> all = inputs(training.inputs());
        Trainer trainer = new Trainer(kernels, training.settings(), interrupt);
        int total = trainer.totalSteps(training.items().size());
        if (run.isComplete(stage, all)) {
            progress.say(stage + ": there already");
            policy.restore(run.resolve(stage));
            stepsBefore += total;
            return run.resolve(stage);
        }
        Path checkpoints = run.resolve("checkpoints/" + stage);
        try (Reporter reporter = new Reporter(stage, stepsBefore, total, training.constants())) {
            trainer.train(policy, training.items(), training.objective(), new Trainer.Plan(stage,
                    training.learningRate(), all, checkpoints, training.tokenizer(), training.checks()), reporter);
        }
        Path folder = run.stage(stage, all, temporary -> policy.save(temporary, "F32", training.tokenizer()));
        try {
            AtomicFiles.deleteTree(checkpoints);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        stepsBefore += total;
        return folder;
    }

    /** Logs steps to metrics.jsonl, to TensorBoard and to the progress bar. */
    private final class Reporter implements Trainer.Listener, AutoCloseable {
        private final String stage;
        private final long offset;
        private final Map<String, ? extends Number> constants;
        private final Progress.Task task;
        private MetricsLog log;
        private TensorBoardLog board;
        private String note = "";

        Reporter(String stage, long offset, int total, Map<String, ? extends Number> constants) {
            this.stage = stage;
            this.offset = offset;
            this.constants = constants;
            this.task = progress.start("train " + stage, "steps", total);
        }

        @Override
        public void started(int step, int total) {
            if (step > 0) {
                progress.say("train " + stage + ": goes on after step " + step + " of " + total);
            }
            task.from(step);
            // Lines after the checkpoint were written by a process that did not live to save the next.
            long last = offset + step;
            log = run.metrics(last == 0 ? -1 : last);
            board = run.tensorBoard(last == 0 ? -1 : last);
        }

        @Override
        public void stepped(int step, Map<String, Number> metrics, long tokens) {
            if (metrics != null) {
                Map<String, Number> row = new LinkedHashMap<>(metrics);
                row.putAll(constants);
                log.log(offset + step, row);
                board.log(offset + step, row);
                Number margin = metrics.get("rewards/margins");
                note = String.format("loss %.4f%s", metrics.get("loss").doubleValue(),
                        margin == null ? "" : String.format(" margin %.3f", margin.doubleValue()));
            }
            task.to(step, tokens, note);
        }

        @Override
        public void close() {
            task.close();
            Optional.ofNullable(log).ifPresent(MetricsLog::close);
            Optional.ofNullable(board).ifPresent(TensorBoardLog::close);
        }
    }

    /** Lets go of the run folder. */
    @Override
    public void close() {
        run.close();
    }
}
