package org.spin4j.training;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import org.spin4j.engine.Decoder;
import org.spin4j.kernels.Kernels;

/** What every method works with: backend, configuration, run folder, progress, the wish to stop. */
public final class RunContext implements AutoCloseable {
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
    static Path requireOutput(TrainConfig config, boolean resume) {
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
    Map<String, String> inputs(Map<String, String> more) {
        Map<String, String> inputs = new TreeMap<>(more);
        // Folders and files are named by what is in them, not by where they lie.
        config.resultKeys().forEach((key, value) -> {
            if (!List.of("model", "ref_model", "tokenizer", "train_data", "eval_data").contains(key)) {
                inputs.put("config/" + key, value);
            }
        });
        return inputs;
    }

    /** All rows of a JSONL file, parsed and turned into examples; an error names the line. */
    static <T> List<T> read(Path file, Function<JsonLines.Line, ? extends Row> parse,
            Function<Row, T> encode) {
        return JsonLines.readAll(file, line -> {
            Row row = parse.apply(line);
            return line.located(() -> encode.apply(row));
        });
    }

    /**
     * Trains the policy as one stage of the run: the trained model is the stage's folder. A stage that is there already is
     * loaded; one that was interrupted goes on from its checkpoint.
     *
     * @param constants logged with every step, for example the iteration
     */
    <T> Path trainStage(String stage, Decoder policy, List<T> items, Objective<T> objective, double learningRate,
            Map<String, String> inputs, Path tokenizer, Map<String, ? extends Number> constants) {
        Map<String, String> all = inputs(inputs);
        Trainer trainer = new Trainer(kernels, config, interrupt);
        int total = trainer.totalSteps(items.size());
        if (run.isComplete(stage, all)) {
            progress.say(stage + ": there already");
            policy.restore(run.resolve(stage));
            stepsBefore += total;
            return run.resolve(stage);
        }
        Path checkpoints = run.resolve("checkpoints/" + stage);
        try (Reporter reporter = new Reporter(stage, stepsBefore, total, constants)) {
            trainer.train(policy, items, objective, new Trainer.Plan(stage, learningRate, all, checkpoints, tokenizer),
                    reporter);
        }
        Path folder = run.stage(stage, all, temporary -> policy.save(temporary, "F32", tokenizer));
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
