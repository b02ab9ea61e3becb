package org.spin4j.training.selfreward;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.spin4j.engine.Decoder;
import org.spin4j.engine.RandomStream;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Kernels;
import org.spin4j.training.AtomicFiles;
import org.spin4j.training.Demo;
import org.spin4j.training.DemoModel;
import org.spin4j.training.DemoScores;
import org.spin4j.training.DemoTasks;
import org.spin4j.training.Examples;
import org.spin4j.training.Fingerprint;
import org.spin4j.training.Interrupt;
import org.spin4j.training.JsonLines;
import org.spin4j.training.Method;
import org.spin4j.training.Progress;
import org.spin4j.training.RunContext;
import org.spin4j.training.RunDirectory;
import org.spin4j.training.RunReport;
import org.spin4j.training.Sft;
import org.spin4j.training.TrainConfig;
import org.spin4j.training.TrainingRun;
import org.spin4j.training.judge.PairJudge;
import org.spin4j.training.judge.RankedPrompt;

/**
 * Self-rewarding from nothing: the demo's tasks, whose true scores can be computed, a base model that was shown answers wrong half of
 * the time and scores wrong half of the time, and from there a run of {@code self-reward} on files as anybody's would be. Then every
 * model is measured on prompts that none has seen: its answers, its judgement, its answers against those of the model before.
 */
public final class SelfRewardDemo {
    /**
     * How large a demo is.
     *
     * @param examples   training prompts of the base model
     * @param passes     passes over them as tasks
     * @param ratings    passes over them as answers to be rated
     * @param lists      lists of prompts that the base model continues
     * @param held       prompts for validation, and as many for test
     * @param ift        right answers to imitate
     * @param ranked     prompts with ranked answers
     * @param newPrompts prompts that each iteration makes up
     */
    public record Scale(int examples, int passes, int ratings, int lists, int held, int ift, int ranked,
            int newPrompts) {
        /** What the figures in the README are made with. */
        public static final Scale FULL = new Scale(10_500, 7, 6, 3_000, 500, 200, 600, 2_000);

        /** A look at how it goes. */
        public static final Scale QUICK = new Scale(10_500, 3, 3, 1_500, 500, 200, 300, 800);
    }

    private static final int POSITIONS = 224;
    private static final int LONGEST_PROMPT = 180;
    private static final DemoModel.Shape SHAPE = new DemoModel.Shape(64, 3, 4, 192, POSITIONS);

    private final Kernels kernels;
    private final Path folder;
    private final Scale scale;
    private final long seed;
    private final Progress progress;
    private final Interrupt interrupt;
    private final List<String> settings;
    private DemoTasks.Splits tasks;
    private DemoModel made;

    /** A demo in a folder; parts that are there already are not made again. */
    public SelfRewardDemo(Kernels kernels, Path folder, Scale scale, long seed, Progress progress,
            Interrupt interrupt) {
        this(kernels, folder, scale, seed, List.of(), progress, interrupt);
    }

    /**
     * The same.
     *
     * @param settings {@code key=value} over those of the demo's run
     */
    SelfRewardDemo(Kernels kernels, Path folder, Scale scale, long seed, List<String> settings,
            Progress progress, Interrupt interrupt) {
        this.kernels = kernels;
        this.folder = folder;
        this.scale = scale;
        this.seed = seed;
        this.settings = List.copyOf(settings);
        this.progress = progress;
        this.interrupt = interrupt;
    }

    /** Runs all parts. */
    public SelfRewardDemoReport run() {
        try (RunDirectory demo = RunDirectory.open(folder)) {
            tasks = DemoTasks.splits(seed, scale.examples(), scale.held(), scale.held());
            made = DemoModel.make(folder.resolve("tokenizer"),
                    tasks.train().stream().flatMap(e -> Stream.of(e.prompt(), e.answer())).toList(), SHAPE,
                    LONGEST_PROMPT);
            writeData();
            pretrain();
            TrainingRun.Outcome outcome = TrainingRun.run(Method.SELF_REWARD, config(), true, kernels, progress,
                    interrupt);
            return new SelfRewardDemoReport(measure(demo, outcome));
        }
    }

    // ---- data --------------------------------------------------------------------------------------------------------

    private void writeData() {
        write("ift.jsonl", () -> rows(tasks.train().subList(0, scale.ift())));
        write("validation.jsonl", () -> rows(tasks.validation()));
        write("test.jsonl", () -> rows(tasks.test()));
        write("ranked.jsonl", () -> ranked(
                tasks.train().subList(scale.ift(), scale.ift() + scale.ranked()), "ranked").stream().map(
                        SelfRewardDemo::row)
                .toList());
        AtomicFiles.writeText(data("judge.txt"), RatedTasks.JUDGE_TEMPLATE);
        AtomicFiles.writeText(data("prompt.txt"), RatedTasks.PROMPT_TEMPLATE);
        AtomicFiles.writeText(data("keywords.txt"), "");
    }

    private Path data(String name) {
        return folder.resolve("data").resolve(name);
    }

    private void write(String name, Supplier<List<ObjectNode>> rows) {
        if (!Files.exists(data(name))) {
            JsonLines.writeAll(data(name), rows.get());
        }
    }

    private static List<ObjectNode> rows(List<DemoTasks.Example> examples) {
        return examples.stream().map(e -> {
            ObjectNode row = JsonLines.JSON.createObjectNode();
            row.putArray("messages").addObject().put("role", "user").put("content", e.prompt());
            row.withArray("messages").addObject().put("role", "assistant").put("content", e.answer());
            return row;
        }).toList();
    }

    private List<RankedPrompt> ranked(List<DemoTasks.Example> examples, String purpose) {
        return IntStream.range(0, examples.size())
                .mapToObj(i -> RatedTasks.ranked(examples.get(i), RandomStream.of(seed, "demo " + purpose, i)))
                .toList();
    }

    private static ObjectNode row(RankedPrompt ranked) {
        ObjectNode row = JsonLines.JSON.createObjectNode().put("prompt", ranked.prompt().getLast().content());
        ranked.responses().forEach(row.putArray("responses")::add);
        ranked.ranks().forEach(row.putArray("ranks")::add);
        return row;
    }

    // ---- the base model ----------------------------------------------------------------------------------------------

    private void pretrain() {
        TrainConfig config = TrainConfig.defaults().with("output_dir=" + folder.resolve("base"), "seed=" + seed,
                "per_device_train_batch_size=32", "num_train_epochs=1", "max_length=" + POSITIONS,
                "max_prompt_length=" + LONGEST_PROMPT, "learning_rate=4e-3", "lr_scheduler_type=cosine",
                "weight_decay=0.1", "logging_steps=50");
        try (RunContext context = RunContext.open(kernels, config, true, progress, interrupt);
                Decoder model = Decoder.random(made.config(), DType.F32, seed)) {
            Map<String, String> inputs = new LinkedHashMap<>();
            inputs.put("scale", scale.toString());
            inputs.put("tokenizer", Fingerprint.of(made.tokenizer()));
            Sft.run(context, "model", config, model, corpus(), inputs, made.tokenizer());
        }
    }

    /** Tasks answered by the wrong rule half of the time, answers rated by a throw of the dice half of the time, lists of prompts. */
    private List<Examples.Sequence> corpus() {
        List<Examples.Sequence> rows = new ArrayList<>();
        for (int pass = 0; pass < Math.max(scale.passes(), scale.ratings()); pass++) {
            for (int i = 0; i < tasks.train().size(); i++) {
                DemoTasks.Example task = tasks.train().get(i);
                long showing = (long) pass * tasks.train().size() + i;
                if (pass < scale.passes()) {
                    rows.add(made.sequence(task.prompt(), DemoTasks.halfWrongAnswer(task, seed, showing)));
                }
                if (pass < scale.ratings()) {
                    rows.add(rating(task, RandomStream.of(seed, "demo rating", showing)));
                }
            }
        }
        for (int i = 0; i < scale.lists(); i++) {
            rows.add(list(RandomStream.of(seed, "demo list", i)));
        }
        return rows;
    }

    private Examples.Sequence rating(DemoTasks.Example task, RandomStream random) {
        String answer = RatedTasks.answer(task, random);
        int score = random.nextBoolean() ? RatedTasks.score(task, answer) : random.nextInt(6);
        return made.sequence(RatedTasks.JUDGE_TEMPLATE.replace("{{ prompt }}", task.prompt())
                .replace("{{ response }}", answer), "Score: " + score);
    }

    private Examples.Sequence list(RandomStream random) {
        List<String> prompts = IntStream.range(0, 9)
                .mapToObj(i -> tasks.train().get(random.nextInt(tasks.train().size())).prompt()).toList();
        return made.sequence(RatedTasks.PROMPT_TEMPLATE.replace("{{ examples }}",
                NewPrompts.numbered(prompts.subList(0, 8))), prompts.getLast());
    }

    // ---- the run -----------------------------------------------------------------------------------------------------

    private TrainConfig config() {
        List<String> all = new ArrayList<>(List.of("model=" + folder.resolve("base/model"),
                "train_data=" + data("ift.jsonl"), "ranked_data=" + data("ranked.jsonl"),
                "eval_data=" + data("validation.jsonl"), "excluded_data=" + data("test.jsonl"),
                "judge_template=" + data("judge.txt"), "prompt_template=" + data("prompt.txt"),
                "prompt_keywords=" + data("keywords.txt"), "output_dir=" + folder.resolve("run"), "seed=" + seed,
                "max_length=" + POSITIONS, "max_prompt_length=" + LONGEST_PROMPT, "pairwise=scores",
                "new_prompts=" + scale.newPrompts(), "min_prompt_words=2", "prompt_max_new_tokens=24",
                "max_new_tokens=" + DemoScores.MAX_NEW_TOKENS, "judge_max_new_tokens=16",
                "generation_batch_size=" + DemoScores.STREAMS, "logging_steps=10",
                // A small model that starts from little wants larger steps than one of 70 billion weights, and seeing each row
                // once it has nothing to be kept from but learning: dropout of .1 costs M1 a quarter of its exact answers.
                "sft_learning_rate=1.5e-4", "sft_batch_size=8", "sft_num_train_epochs=1", "sft_dropout=0",
                "learning_rate=1e-4",
                "per_device_train_batch_size=32", "num_train_epochs=2", "warmup_ratio=0.1", "beta=2",
                "early_stopping_steps=25", "early_stopping_prompts=250"));
        all.addAll(settings);
        return TrainConfig.defaults(Method.SELF_REWARD).with(all.toArray(String[]::new));
    }

    // ---- measures ----------------------------------------------------------------------------------------------------

    /** Every model on the test prompts: exact match, judgement of ranked answers, duels with the model before by the true score. */
    private List<SelfRewardDemoReport.Row> measure(RunDirectory demo, TrainingRun.Outcome outcome) {
        DemoScores scorer = new DemoScores(kernels, demo, made, tasks.test(), seed, progress);
        TrainConfig config = config().with("output_dir=" + folder.resolve("measures"));
        List<SelfRewardDemoReport.Row> rows = new ArrayList<>();
        try (RunContext context = RunContext.open(kernels, config, true, progress, interrupt);
                Judging judging = new Judging(kernels, config, made.text(), progress)) {
            Evaluator evaluator = new Evaluator(context, new HeldOutPrompts(made.text(),
                    tasks.test().stream().map(e -> made.example(e.prompt(), e.answer())).toList()),
                    ranked(tasks.test(), "ranked test"));
            Map<String, String> inputs = new TreeMap<>(judging.inputs());
            Optional<Path> before = Optional.empty();
            for (String name : SelfRewardReport.models(outcome.run())) {
                String path = outcome.run().getFileName() + "/" + name + "/model";
                inputs.put(name, Fingerprint.of(folder.resolve(path).resolve("model.safetensors")));
                try (Decoder model = Decoder.load(folder.resolve(path))) {
                    Demo.Score score = scorer.of(name.toUpperCase(Locale.ROOT), path, model);
                    evaluator.of(name, model, inputs, PairJudge.ofScores(RatedTasks.TRUE, 1), before,
                            Optional.of(judging.of(model).scores()));
                    Path stage = context.run().resolve(name);
                    rows.add(new SelfRewardDemoReport.Row(score,
                            RewardFigures.read(stage.resolve(RewardFigures.FILE)), before.isEmpty()
                                    ? Map.of()
                                    : RewardFigures.read(stage.resolve(Evaluator.HEAD_TO_HEAD)),
                            pairs(outcome.run().resolve(name).resolve("pairs/pairs.jsonl"))));
                    before = Optional.of(stage);
                }
            }
        }
        return rows;
    }

    /** How the true scores of the two answers of each preference pair compare: better chosen, equal, worse chosen, of no task. */
    private static int[] pairs(Path file) {
        int[] counts = new int[4];
        if (Files.exists(file)) {
            JsonLines.readAll(file, line -> {
                int place = DemoTasks.of(line.object().path("prompt").asText()).map(task -> {
                    int chosen = RatedTasks.score(task, line.object().path("chosen").asText());
                    int rejected = RatedTasks.score(task, line.object().path("rejected").asText());
                    return chosen > rejected ? 0 : chosen == rejected ? 1 : 2;
                }).orElse(3);
                return counts[place]++;
            });
        }
        return counts;
    }

    /** Writes report.html into the demo's folder. */
    public Path writeReport(SelfRewardDemoReport report) {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("scale", scale.toString());
        facts.put("seed", Long.toString(seed));
        facts.put("backend", kernels.describe());
        Path page = folder.resolve("report.html");
        report.write(page, facts, RunReport.sections(folder.resolve("run")));
        return page;
    }
}
