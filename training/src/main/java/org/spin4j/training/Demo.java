package org.spin4j.training;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.spin4j.engine.Decoder;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Kernels;

/**
 * The whole method from nothing, small enough to watch: data with checkable answers, a tokenizer, a base model that was shown
 * every answer wrong half of the time, SFT on a few clean examples, SPIN, and beside it what a sceptic would ask for: more SFT
 * with the same compute, and DPO on labelled pairs. Every model answers the same held-out prompts.
 *
 * <p>Each part is a run of its own below the demo's folder, so the demo can be stopped and gone on with at any point.
 */
public final class Demo {
    /**
     * How large a demo is.
     *
     * @param examples     training prompts
     * @param passes       passes of pre-training over them
     * @param sftExamples  clean examples of SFT
     * @param spinExamples prompts SPIN plays with
     * @param iterations   iterations of SPIN
     */
    public record Scale(int examples, int passes, int sftExamples, int spinExamples, int iterations) {
        /** What the figures in the README are made with. */
        public static final Scale FULL = new Scale(10_500, 7, 600, 10_500, 3);

        /** A look at how it goes, in two minutes. */
        public static final Scale QUICK = new Scale(10_500, 4, 600, 2_500, 3);
    }

    /**
     * What a model did on the held-out prompts.
     *
     * @param model       name in the table
     * @param greedy      right answers, decoding greedily: one entry per prompt, 1 or 0
     * @param sampled     right answers, one sample per prompt at temperature 1
     * @param nll         negative log-likelihood of the right answer, nats per answer
     * @param length      mean tokens of the sampled answer
     */
    public record Score(String model, double[] greedy, double[] sampled, double nll, double length) {
        /** Share of right answers, decoding greedily. */
        public double greedyMean() {
            return Arrays.stream(greedy).average().orElse(Double.NaN);
        }

        /** Share of right answers among samples. */
        public double sampledMean() {
            return Arrays.stream(sampled).average().orElse(Double.NaN);
        }
    }

    /** Names in the table. */
    static final String SFT = "SFT";
    static final String SPIN = "SPIN ";
    static final String CONTINUED = "continued SFT";

    private static final int POSITIONS = 96;
    private static final DemoModel.Shape SHAPE = new DemoModel.Shape(64, 3, 4, 192, POSITIONS);

    private final Kernels kernels;
    private final Path folder;
    private final Scale scale;
    private final long seed;
    private final Progress progress;
    private final Interrupt interrupt;
    private final List<Score> scores = new ArrayList<>();
    private DemoScores scorer;
    private DemoTasks.Splits tasks;
    private DemoModel made;

    /** A demo in a folder; parts that are there already are not made again. */
    public Demo(Kernels kernels, Path folder, Scale scale, long seed, Progress progress, Interrupt interrupt) {
        this.kernels = kernels;
        this.folder = folder;
        this.scale = scale;
        this.seed = seed;
        this.progress = progress;
        this.interrupt = interrupt;
    }

    /** Runs all parts; gives one score per model, in the order of the table. */
    public List<Score> run() {
        try (RunDirectory held = RunDirectory.open(folder)) {
            play(held);
        }
        return List.copyOf(scores);
    }

    /** Writes report.html into the demo's folder. */
    public Path writeReport(List<Score> found) {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("scale", scale.toString());
        facts.put("seed", Long.toString(seed));
        facts.put("backend", kernels.describe());
        Path page = folder.resolve("report.html");
        new DemoReport(found).write(page, facts, RunReport.sections(folder.resolve("spin")));
        return page;
    }

    private void play(RunDirectory demo) {
        tasks = DemoTasks.splits(seed, scale.examples(), 500, 500);
        writeData();
        made = DemoModel.make(folder.resolve("tokenizer"),
                tasks.train().stream().flatMap(e -> Stream.of(e.prompt(), e.answer())).toList(), SHAPE, POSITIONS / 2);
        progress.say("tokenizer: " + made.config().vocabSize() + " tokens in " + made.tokenizer());
        scorer = new DemoScores(kernels, demo, made, tasks.test(), seed, progress);
        try (Decoder model = Decoder.random(made.config(), DType.F32, seed)) {
            pretrain(model);
            scores.add(scorer.of("base, half wrong", "base/model", model));
            sft(model);
            scores.add(scorer.of(SFT, "sft/model", model));
            try (Decoder start = model.copy()) {
                double tokens = spin(model);
                continueSft(start, tokens);
                dpo(start);
            }
        }
    }

    // ---- data and tokenizer ------------------------------------------------------------------------------------------

    private void writeData() {
        Path data = folder.resolve("data");
        Map<String, List<DemoTasks.Example>> parts = new LinkedHashMap<>();
        parts.put("train", tasks.train());
        parts.put("validation", tasks.validation());
        parts.put("test", tasks.test());
        parts.forEach((name, examples) -> {
            Path file = data.resolve(name + ".jsonl");
            if (!Files.exists(file)) {
                JsonLines.writeAll(file, examples.stream().map(Demo::row).toList());
            }
        });
        progress.say("data: " + tasks.train().size() + " training, " + tasks.validation().size() + " validation, "
                + tasks.test().size() + " test prompts in " + data);
    }

    private static ObjectNode row(DemoTasks.Example e) {
        ObjectNode row = JsonLines.JSON.createObjectNode();
        row.putArray("messages").addObject().put("role", "user").put("content", e.prompt());
        row.withArray("messages").addObject().put("role", "assistant").put("content", e.answer());
        return row;
    }

    private Examples.Response example(DemoTasks.Example e, String answer) {
        return made.example(e.prompt(), answer);
    }

    // ---- the parts ---------------------------------------------------------------------------------------------------

    private RunContext open(String part, String... settings) {
        List<String> all = new ArrayList<>(List.of("output_dir=" + folder.resolve(part), "seed=" + seed,
                "per_device_train_batch_size=32", "num_train_epochs=1", "max_length=" + POSITIONS,
                "max_prompt_length=" + POSITIONS / 2));
        all.addAll(List.of(settings));
        return RunContext.open(kernels, TrainConfig.defaults().with(all.toArray(String[]::new)), true, progress,
                interrupt);
    }

    private Map<String, String> inputs() {
        Map<String, String> inputs = new HashMap<>();
        inputs.put("data", Fingerprint.of(folder.resolve("data/train.jsonl")));
        inputs.put("scale", scale.toString());
        return inputs;
    }

    private void pretrain(Decoder model) {
        try (RunContext context = open("base", "learning_rate=4e-3", "lr_scheduler_type=cosine", "weight_decay=0.1",
                "logging_steps=50")) {
            List<Examples.Sequence> rows = new ArrayList<>();
            for (int pass = 0; pass < scale.passes(); pass++) {
                for (int i = 0; i < tasks.train().size(); i++) {
                    DemoTasks.Example e = tasks.train().get(i);
                    rows.add(made.sequence(e.prompt(),
                            DemoTasks.halfWrongAnswer(e, seed, (long) pass * tasks.train().size() + i)));
                }
            }
            Sft.run(context, model, rows, inputs(), made.tokenizer());
        }
    }

    private void sft(Decoder model) {
        try (RunContext context = open("sft", "learning_rate=1.5e-4", "per_device_train_batch_size=8",
                "logging_steps=5")) {
            Sft.run(context, model, clean(scale.sftExamples()), inputs(), made.tokenizer());
        }
    }

    private List<Examples.Sequence> clean(int count) {
        return tasks.train().subList(0, count).stream().map(e -> made.sequence(e.prompt(), e.answer())).toList();
    }

    /** Self-play from the SFT model; returns the number of tokens trained on. */
    private double spin(Decoder model) {
        try (RunContext context = open("spin", "learning_rate=2e-4", "warmup_ratio=0.1", "num_train_epochs=2", "beta=1",
                "iterations=" + scale.iterations(), "max_new_tokens=" + DemoScores.MAX_NEW_TOKENS,
                "generation_batch_size=" + DemoScores.STREAMS,
                "logging_steps=20")) {
            List<Examples.Response> rows = tasks.train().subList(0, scale.spinExamples()).stream()
                    .map(e -> example(e, e.answer())).toList();
            List<Examples.Response> heldOut = tasks.validation().stream().map(e -> example(e, e.answer())).toList();
            double tokens = 0;
            for (Spin.Result result : Spin.run(context, model,
                    new Spin.Game(rows, heldOut, made.text(), inputs(), made.tokenizer()))) {
                if (result.iteration() >= 0) {
                    tokens += result.numbers().get("train_tokens");
                    model.restore(result.model());
                    scores.add(scorer.of(SPIN + result.iteration(), "spin/iteration-" + result.iteration() + "/model",
                            model));
                }
            }
            return tokens;
        }
    }

    /** What a sceptic would try: as many tokens of plain SFT on the same clean examples. */
    private void continueSft(Decoder start, double tokens) {
        List<Examples.Sequence> rows = clean(scale.spinExamples());
        double epochs = tokens / rows.stream().mapToLong(r -> r.ids().length).sum();
        try (Decoder model = start.copy();
                RunContext context = open("sft-continued", "learning_rate=2e-4", "warmup_ratio=0.1",
                        "num_train_epochs=" + epochs, "logging_steps=20")) {
            Sft.run(context, model, rows, inputs(), made.tokenizer());
            scores.add(scorer.of(CONTINUED, "sft-continued/model", model));
        }
    }

    private void dpo(Decoder start) {
        try (Decoder model = start.copy();
                RunContext context = open("dpo", "learning_rate=2e-4", "warmup_ratio=0.1", "num_train_epochs=2",
                        "beta=1",
                        "logging_steps=20")) {
            List<Examples.Pair> pairs = tasks.train().subList(0, scale.spinExamples()).stream().map(e -> {
                Examples.Response right = example(e, e.answer());
                return new Examples.Pair(right.prompt(), right.response(), example(e, e.wrongRuleAnswer()).response());
            }).toList();
            Dpo.run(context, Dpo.Place.ALONE, model, start, pairs, inputs(), made.tokenizer());
            scores.add(scorer.of("DPO, labelled pairs", "dpo/model", model));
        }
    }
}
