package org.spin4j.training;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.spin4j.engine.Decoder;
import org.spin4j.kernels.Kernels;
import org.spin4j.training.hub.Hub;
import org.spin4j.training.selfreward.SelfReward;

/**
 * From a configuration to a finished run: opens model and data, trains by one of the methods, evaluates on held-out rows
 * before and after, and writes the report. Everything that can be wrong with the input is found before the run's folder is
 * made.
 */
public final class TrainingRun {
    /** What of a model folder a result depends on. */
    private static final Pattern MODEL_FILE = Pattern
            .compile(
                    "config\\.json|.*\\.safetensors(\\.index\\.json)?|tokenizer(_config)?\\.json|chat_template\\.jinja");

    private final Method method;
    private final TrainConfig config;
    private final boolean resume;
    private final Kernels kernels;
    private final Progress progress;
    private final Interrupt interrupt;

    /**
     * What a run came to.
     *
     * @param run     its folder
     * @param model   folder of the trained model
     * @param report  the page that explains it
     * @param results evaluations on held-out rows by the name of the model, in order; empty without {@code eval_data}
     */
    public record Outcome(Path run, Path model, Path report, Map<String, Map<String, Double>> results) {}

    private TrainingRun(Method method, TrainConfig config, boolean resume, Kernels kernels, Progress progress,
            Interrupt interrupt) {
        this.method = method;
        this.config = config;
        this.resume = resume;
        this.kernels = kernels;
        this.progress = progress;
        this.interrupt = interrupt;
    }

    /**
     * Runs a method to its end.
     *
     * @param resume whether a run that is in {@code output_dir} already may be gone on with
     * @throws BadInputException     if something about the configuration, the model or the data cannot be used
     * @throws Interrupt.Stopped     if the user asked to stop; everything done so far is saved
     */
    public static Outcome run(Method method, TrainConfig config, boolean resume, Kernels kernels, Progress progress,
            Interrupt interrupt) {
        return new TrainingRun(method, config, resume, kernels, progress, interrupt).run();
    }

    private Outcome run() {
        Path folder = RunContext.requireOutput(config, resume);
        Path modelFolder = Hub.local(config.require("model"), Hub.Part.MODEL, progress);
        Path trainData = config.require("train_data");
        try (Decoder policy = Decoder.load(modelFolder)) {
            Optional<Path> tokenizer = config.tokenizer().map(t -> Hub.local(t, Hub.Part.TOKENIZER, progress));
            ModelText own = ModelText.of(modelFolder, tokenizer, config.chatTemplate().map(Path::toString));
            TextData text = TextData.open(own, policy.config(), config.maxLength(), config.maxPromptLength());
            Map<String, String> inputs = new TreeMap<>();
            inputs.put("model", fingerprint(modelFolder));
            tokenizer.ifPresent(t -> inputs.put("tokenizer", Fingerprint.of(t)));
            inputs.put("train_data", dataFingerprint(trainData));
            config.chatTemplate().filter(Files::isRegularFile)
                    .ifPresent(file -> inputs.put("chat_template", Fingerprint.of(file)));
            Work work = switch (method) {
                case SFT -> sft(policy, text, trainData, inputs);
                case DPO -> dpo(policy, text, trainData, inputs);
                case SPIN -> spin(policy, text, trainData, inputs);
                case SELF_REWARD -> selfReward(policy, text, inputs);
            };
            if (text.cuts() > 0) {
                progress.say(String.format("%,d prompts or responses were cut to max_prompt_length or max_length",
                        text.cuts()));
            }
            try (RunContext context = RunContext.open(kernels, config, resume, progress, interrupt)) {
                writeFacts(context.run());
                Path companions = config.chatTemplate().isEmpty() && own.folder().isPresent()
                        ? own.folder().get()
                        : context.run().stage("tokenizer", context.inputs(inputs),
                                own::save);
                Trained trained = work.in(context, companions);
                Path report = RunReport.write(folder);
                return new Outcome(folder, trained.model(), report, trained.results());
            }
        }
    }

    /** A method with its data, ready to run. */
    @FunctionalInterface
    private interface Work {
        /** Trains; the tokenizer's files in a folder go along with every model. */
        Trained in(RunContext context, Path tokenizer);
    }

    private record Trained(Path model, Map<String, Map<String, Double>> results) {}

    // ---- the methods -------------------------------------------------------------------------------------------------

    private Work sft(Decoder policy, TextData text, Path trainData, Map<String, String> inputs) {
        int vocab = policy.config().vocabSize();
        Function<Row, Examples.Sequence> encode = row -> checked(text.sequence(row, config.assistantOnlyLoss()), vocab);
        List<Examples.Sequence> rows = nonEmpty(RunContext.read(trainData, RowParser::sft, encode), trainData);
        if (rows.stream().allMatch(row -> row.targets() == 0)) {
            throw BadInputException.of("expected a labelled token to learn, found none in %s; labels of -100 are not "
                    + "learnt, and cut rows may have lost theirs", trainData);
        }
        List<Examples.Sequence> heldOut = config.evalData().map(f -> RunContext.read(f, RowParser::sft, encode))
                .orElse(List.of());
        return (context, tokenizer) -> {
            Map<String, Map<String, Double>> results = new LinkedHashMap<>();
            Supplier<Map<String, Double>> numbers = () -> Map.of("nll_per_token",
                    HeldOut.ofSequences(context, policy, heldOut).nllPerToken());
            evaluate(context, "start", inputs, heldOut, numbers, results);
            Path model = Sft.run(context, policy, rows, inputs, tokenizer);
            evaluate(context, "model", inputs, heldOut, numbers, results);
            return new Trained(model, results);
        };
    }

    private Work dpo(Decoder policy, TextData text, Path trainData, Map<String, String> inputs) {
        int vocab = policy.config().vocabSize();
        Function<Row, Examples.Pair> encode = row -> checked(text.pair((Row.Pair) row), vocab);
        List<Examples.Pair> rows = nonEmpty(RunContext.read(trainData, RowParser::dpo, encode), trainData);
        List<Examples.Pair> heldOut = config.evalData().map(f -> RunContext.read(f, RowParser::dpo, encode))
                .orElse(List.of());
        Optional<Path> refModel = config.refModel().map(r -> Hub.local(r, Hub.Part.MODEL, progress));
        refModel.ifPresent(r -> inputs.put("ref_model", fingerprint(r)));
        return (context, tokenizer) -> {
            try (Decoder reference = refModel.isPresent() ? Decoder.load(refModel.get()) : policy.copy()) {
                Map<String, Map<String, Double>> results = new LinkedHashMap<>();
                Supplier<Map<String, Double>> numbers = () -> {
                    Map<String, Double> out = new LinkedHashMap<>();
                    out.put("nll_per_token", HeldOut.of(context, policy, heldOut.stream()
                            .map(p -> new Examples.Response(p.prompt(), p.chosen())).toList()).nllPerToken());
                    HeldOutPairs.of(context, policy, reference, heldOut, config.beta())
                            .ifPresent(p -> out.putAll(p.numbers()));
                    return out;
                };
                evaluate(context, "start", inputs, heldOut, numbers, results);
                Path model = Dpo.run(context, Dpo.Place.ALONE, policy, reference, rows, inputs, tokenizer);
                evaluate(context, "model", inputs, heldOut, numbers, results);
                return new Trained(model, results);
            }
        };
    }

    private Work spin(Decoder policy, TextData text, Path trainData, Map<String, String> inputs) {
        int vocab = policy.config().vocabSize();
        Function<Row, Examples.Response> encode = row -> checked(text.response(row), vocab);
        List<int[]> generated = new ArrayList<>();
        List<Examples.Response> rows = nonEmpty(RunContext.read(trainData, RowParser::spin, row -> {
            if (row instanceof Row.Pair pair) {
                generated.add(checked(text.pair(pair), vocab).rejected());
            }
            return encode.apply(row);
        }), trainData);
        if (!generated.isEmpty() && generated.size() < rows.size()) {
            throw BadInputException.of("expected a generated response in every row or in none, found one in %d of %d "
                    + "rows in %s; split the file", generated.size(), rows.size(), trainData);
        }
        List<Examples.Response> heldOut = config.evalData().map(f -> RunContext.read(f, RowParser::spin, encode))
                .orElse(List.of());
        config.evalData().ifPresent(f -> inputs.put("eval_data", dataFingerprint(f)));
        return (context, tokenizer) -> {
            List<Spin.Result> results = Spin.run(context, policy,
                    new Spin.Game(rows, heldOut, text, inputs, tokenizer, generated));
            Map<String, Map<String, Double>> numbers = new LinkedHashMap<>();
            results.forEach(
                    r -> numbers.put(r.iteration() < 0 ? "start" : "iteration " + r.iteration(), r.numbers()));
            return new Trained(results.getLast().model(), numbers);
        };
    }

    private Work selfReward(Decoder policy, TextData text, Map<String, String> inputs) {
        SelfReward.Prepared prepared = SelfReward.prepare(kernels, config, text, policy.config().vocabSize(), progress);
        inputs.putAll(prepared.inputs());
        return (context, tokenizer) -> {
            List<SelfReward.Result> results = prepared.run(context, policy, inputs, tokenizer);
            Map<String, Map<String, Double>> numbers = new LinkedHashMap<>();
            results.stream().filter(r -> !r.numbers().isEmpty()).forEach(r -> numbers.put(r.name(), r.numbers()));
            return new Trained(results.getLast().folder(), numbers);
        };
    }

    /** Numbers on held-out rows as a stage of the run, {@code start/evaluation} or {@code evaluation}. */
    private void evaluate(RunContext context, String name, Map<String, String> inputs, List<?> heldOut,
            Supplier<Map<String, Double>> numbers, Map<String, Map<String, Double>> results) {
        if (heldOut.isEmpty()) {
            return;
        }
        Map<String, String> all = new TreeMap<>(inputs);
        all.put("eval_data", dataFingerprint(config.require("eval_data")));
        Path folder = context.run().stage(name.equals("start") ? "start/evaluation" : "evaluation",
                context.inputs(all), temporary -> new Evaluation(numbers.get(), List.of()).write(temporary));
        results.put(name, Evaluation.read(folder.resolve(Evaluation.FILE)).numbers());
    }

    // ---- input -------------------------------------------------------------------------------------------------------

    private static <T> List<T> nonEmpty(List<T> rows, Path file) {
        if (rows.isEmpty()) {
            throw BadInputException.of("expected at least one row, found none in %s; check the path", file);
        }
        return rows;
    }

    private static Examples.Sequence checked(Examples.Sequence row, int vocab) {
        requireIds(row.ids(), vocab);
        for (int label : row.labels()) {
            if (label >= vocab) {
                requireIds(new int[]{label}, vocab);
            }
        }
        return row;
    }

    private static Examples.Response checked(Examples.Response row, int vocab) {
        requireIds(row.prompt(), vocab);
        requireIds(row.response(), vocab);
        return row;
    }

    private static Examples.Pair checked(Examples.Pair row, int vocab) {
        requireIds(row.prompt(), vocab);
        requireIds(row.chosen(), vocab);
        requireIds(row.rejected(), vocab);
        return row;
    }

    /** Refuses ids that the model does not have. */
    public static void requireIds(int[] ids, int vocab) {
        for (int id : ids) {
            if (id >= vocab) {
                throw BadInputException.of(
                        "expected token ids below %d (vocab_size), found %d; use the model's tokenizer",
                        vocab, id);
            }
        }
    }

    /** Of a model's file, or of the files in its folder that training depends on; notes and licences beside them may change. */
    public static String fingerprint(Path folder) {
        if (Files.isRegularFile(folder)) {
            return Fingerprint.of(folder);
        }
        StringBuilder listing = new StringBuilder();
        for (String name : AtomicFiles.names(folder)) {
            if (MODEL_FILE.matcher(name).matches()) {
                listing.append(Fingerprint.of(folder.resolve(name))).append("  ").append(name).append('\n');
            }
        }
        return Fingerprint.of(listing.toString());
    }

    /**
     * Of a file of rows.
     *
     * @throws BadInputException if there is no such file
     */
    public static String dataFingerprint(Path file) {
        if (!Files.isRegularFile(file)) {
            throw BadInputException.of("expected a file of JSON lines, found %s at %s; check the path",
                    Files.isDirectory(file) ? "a folder" : "nothing", file);
        }
        return Fingerprint.of(file);
    }

    /** {@code run.json}: what the run is made by, for the report; no result depends on it. */
    private void writeFacts(RunDirectory run) {
        ObjectNode facts = JsonLines.JSON.createObjectNode();
        facts.put("command", method.command()).put("backend", kernels.describe())
                .put("java", Runtime.version().toString())
                .put("system", System.getProperty("os.name") + " " + System.getProperty("os.arch"));
        AtomicFiles.writeText(run.resolve(RunReport.FACTS), facts.toPrettyString() + "\n");
    }
}
