package org.spin4j.training.selfreward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.spin4j.engine.Decoder;
import org.spin4j.kernels.Backends;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Kernels;
import org.spin4j.training.AtomicFiles;
import org.spin4j.training.BadInputException;
import org.spin4j.training.DemoModel;
import org.spin4j.training.DemoTasks;
import org.spin4j.training.Interrupt;
import org.spin4j.training.JsonLines;
import org.spin4j.training.Method;
import org.spin4j.training.Progress;
import org.spin4j.training.RunReport;
import org.spin4j.training.TrainConfig;
import org.spin4j.training.TrainingRun;

/** Whole runs of a model that has learnt nothing, judged by a server on this machine. */
class SelfRewardTest {
    private static final List<String> STAGES = List.of("sft/model", "sft/evaluation", "eft", "m1/model",
            "m1/evaluation",
            "m2/prompts", "m2/candidates", "m2/judgements", "m2/pairs", "m2/reference", "m2/checks/step-2", "m2/model",
            "m2/evaluation", "m3/prompts", "m3/candidates", "m3/judgements", "m3/pairs", "m3/reference", "m3/model",
            "m3/evaluation");

    @TempDir
    private static Path dir;
    private static StubJudge judge;

    /** Data, and a run that was never stopped. */
    @BeforeAll
    static void whole() throws IOException {
        // Scores and verdicts that look random, and are the same for the same question.
        judge = new StubJudge(question -> question.contains("Verdict")
                ? "Verdict: " + "AB".charAt(Math.floorMod(question.hashCode(), 2))
                : "Because.\nScore: " + Math.floorMod(question.hashCode(), 6));
        List<DemoTasks.Example> tasks = DemoTasks.splits(3, 40, 0, 0).train();
        DemoModel made = DemoModel.make(dir.resolve("tokenizer"),
                tasks.stream().flatMap(t -> Stream.of(t.prompt(), t.answer())).toList(),
                new DemoModel.Shape(16, 1, 2, 32, 200), 180);
        try (Decoder model = Decoder.random(made.config(), DType.F32, 7)) {
            model.save(dir.resolve("start"), "F32", made.tokenizer());
        }
        Files.write(dir.resolve("ift.jsonl"), tasks.subList(0, 20).stream().map(SelfRewardTest::row).toList());
        Files.write(dir.resolve("held-out.jsonl"), tasks.subList(20, 26).stream().map(SelfRewardTest::row).toList());
        Files.write(dir.resolve("ranked.jsonl"), tasks.subList(26, 38).stream()
                .map(t -> "{\"prompt\":\"%s\",\"responses\":[\"%s\",\"%s\"],\"ranks\":[1,2]}".formatted(t.prompt(),
                        t.answer(), t.wrongRuleAnswer()))
                .toList());
        Files.writeString(dir.resolve("more.txt"), "{{ examples }}");
        Files.writeString(dir.resolve("ids.jsonl"), "{\"input_ids\":[1,2],\"labels\":[1,2]}\n");
        run(config("whole", judge), kernels(2));
    }

    @AfterAll
    static void stop() {
        judge.close();
    }

    private static String row(DemoTasks.Example task) {
        return "{\"messages\":[{\"role\":\"user\",\"content\":\"%s\"},{\"role\":\"assistant\",\"content\":\"%s\"}]}"
                .formatted(task.prompt(), task.answer());
    }

    private static TrainConfig config(String output, StubJudge by, String... more) {
        List<String> all = new ArrayList<>(List.of("model=" + dir.resolve("start"),
                "train_data=" + dir.resolve("ift.jsonl"), "eval_data=" + dir.resolve("held-out.jsonl"),
                "ranked_data=" + dir.resolve("ranked.jsonl"), "prompt_template=" + dir.resolve("more.txt"),
                "output_dir=" + dir.resolve(output), "judge=" + by.judge(), "new_prompts=6", "min_prompt_words=0",
                "seed_shots=2", "generated_shots=1", "prompt_max_new_tokens=40", "prompt_temperature=1",
                "prompt_top_p=1", "max_rouge_l=2", "max_new_tokens=8", "temperature=1", "top_p=1", "candidates=3",
                "judgements=2", "sft_max_steps=2", "max_steps=5", "learning_rate=1e-3", "logging_steps=1",
                "save_steps=2", "early_stopping_steps=2", "early_stopping_patience=0", "max_length=200",
                "max_prompt_length=180"));
        all.addAll(List.of(more));
        return TrainConfig.defaults(Method.SELF_REWARD).with(all.toArray(String[]::new));
    }

    private static Kernels kernels(int threads) {
        return Backends.choose("auto", threads);
    }

    private static TrainingRun.Outcome run(TrainConfig config, Kernels kernels) {
        try (Interrupt interrupt = new Interrupt()) {
            return TrainingRun.run(Method.SELF_REWARD, config, true, kernels, new Progress(true), interrupt);
        }
    }

    /** All files of the stages but the manifests' time-free contents are compared too: a run is its files. */
    private static void assertSameAsWhole(String b) throws IOException {
        String a = "whole";
        for (String stage : STAGES) {
            try (Stream<Path> files = Files.list(dir.resolve(a).resolve(stage))) {
                for (Path file : files.filter(Files::isRegularFile).toList()) {
                    Path other = dir.resolve(b).resolve(stage).resolve(file.getFileName());
                    assertThat(other).as("%s", file).hasSameBinaryContentAs(file);
                }
            }
        }
        assertThat(dir.resolve(b).resolve("metrics.jsonl"))
                .hasSameBinaryContentAs(dir.resolve(a).resolve("metrics.jsonl"));
    }

    @Test
    void leavesEveryStageReadableAndAReport() throws IOException {
        Path run = dir.resolve("whole");
        int asked = judge.asked();
        TrainingRun.Outcome outcome = run(config("whole", judge), kernels(1));

        assertThat(judge.asked()).as("nothing is made again").isEqualTo(asked);
        STAGES.forEach(stage -> assertThat(run.resolve(stage).resolve("manifest.json")).isRegularFile());
        assertThat(outcome.model()).isEqualTo(run.resolve("m3/model"));
        assertThat(outcome.results()).containsOnlyKeys("sft", "m1", "m2", "m3");
        assertThat(outcome.results().get("m2")).containsKeys("nll_per_token", "answer_characters", "wins", "losses");
        assertThat(Files.readString(outcome.report())).contains("Preference pairs", "Scores that the judge gave",
                "New prompts, and why others were refused", "Early stopping", "Judge examples built", "<svg",
                "self-reward");
        JsonNode judged = JsonLines.readAll(run.resolve("m2/judgements/judgements.jsonl"), line -> line.object())
                .getFirst();
        assertThat(judged.at("/responses/0/judgements/1/text").asText()).startsWith("Because.");
        assertThat(judged.at("/responses")).hasSize(3);
    }

    @Test
    void sameSeedSameBitsForAnyThreadsAndStreams() throws IOException {
        run(config("again", judge, "generation_batch_size=1", "judge_concurrency=16"), kernels(1));

        assertSameAsWhole("again");
    }

    @Test
    void endsTheSameHoweverOftenItIsStopped() throws IOException {
        int stops = 0;
        List<Path> unfinished = Stream.of("m2", "m3")
                .map(round -> dir.resolve("stopped/checkpoints/" + round + "/candidates.jsonl.partial"))
                .collect(Collectors.toCollection(ArrayList::new));
        boolean done = false;
        while (!done) {
            // A stage that keeps nothing half done, new prompts for instance, has to fit between two stops.
            assertThat(stops).as("the run makes progress").isLessThan(60);
            AtomicInteger calls = new AtomicInteger();
            int most = 100 + 400 * stops;
            // Anywhere, and every other time where some rows of a stage are written.
            BooleanSupplier now = stops % 2 == 0
                    ? () -> calls.incrementAndGet() == most
                    : () -> unfinished.stream().anyMatch(file -> file.toFile().length() > 0);
            try (Interrupt interrupt = new Interrupt()) {
                TrainingRun.run(Method.SELF_REWARD, config("stopped", judge, "generation_batch_size=3"), true,
                        stopping(now, interrupt), new Progress(true), interrupt);
                done = true;
            } catch (Interrupt.Stopped e) {
                assertThat(e).hasMessageStartingWith("stopped ");
                stops++;
                for (Path file : unfinished) {
                    if (Files.exists(file)) {
                        // As a kill would have left it.
                        Files.writeString(file, "{\"index\":5,\"ro", StandardOpenOption.APPEND);
                    }
                }
                unfinished.removeIf(Files::exists);
            }
        }
        assertThat(stops).isGreaterThan(2);
        assertThat(unfinished).as("never stopped there").isEmpty();
        assertSameAsWhole("stopped");
    }

    /** Kernels that ask to stop when one of them is called and it is time to. */
    private static Kernels stopping(BooleanSupplier now, Interrupt interrupt) {
        Kernels kernels = kernels(2);
        return (Kernels) Proxy.newProxyInstance(Kernels.class.getClassLoader(), new Class<?>[]{Kernels.class},
                (proxy, method, arguments) -> {
                    if (now.getAsBoolean()) {
                        interrupt.request();
                    }
                    try {
                        return method.invoke(kernels, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    /** A kill leaves whole stages and a folder with a temporary name. */
    @ParameterizedTest
    @ValueSource(strings = {"eft", "m2/judgements", "m3/reference"})
    void goesOnAfterAKillInAnyStage(String stage) throws IOException {
        Path run = dir.resolve("killed");
        copy(dir.resolve("whole"), run);
        for (String later : STAGES.subList(STAGES.indexOf(stage), STAGES.size())) {
            AtomicFiles.deleteTree(run.resolve(later));
        }
        Path half = run.resolve(stage).resolveSibling("." + run.resolve(stage).getFileName() + ".tmp");
        Files.createDirectories(half);
        Files.writeString(half.resolve("candidates.jsonl"), "{\"prompt\":");
        run(config("killed", judge), kernels(2));

        assertSameAsWhole("killed");
        AtomicFiles.deleteTree(run);
    }

    @Test
    void aTieDropsOnePromptAndNoOther() throws IOException {
        // Half of the prompts have candidates that all get the same score.
        try (StubJudge half = new StubJudge(question -> {
            String prompt = question.substring(question.indexOf("<question>"), question.indexOf("</question>"));
            return "Score: " + (prompt.hashCode() % 2 == 0 ? 3 : Math.floorMod(question.hashCode(), 6));
        })) {
            run(config("tied", half, "iterations=1", "ranked_data=", "pairwise=scores", "early_stopping_steps=0"),
                    kernels(2));
        }
        List<String> withPair = JsonLines.readAll(dir.resolve("tied/m2/pairs/pairs.jsonl"), line -> {
            assertThat(line.object().get("chosen_score").asDouble())
                    .isGreaterThan(line.object().get("rejected_score").asDouble());
            return line.object().get("prompt").asText();
        });
        List<String> expected = new ArrayList<>();
        JsonLines.readAll(dir.resolve("tied/m2/judgements/judgements.jsonl"), line -> {
            List<Double> scores = new ArrayList<>();
            line.object().get("responses").forEach(r -> scores.add(r.get("score").asDouble()));
            if (scores.stream().distinct().count() > 1) {
                expected.add(line.object().get("prompt").asText());
            }
            return line;
        });
        assertThat(withPair).isNotEmpty().isEqualTo(expected);
        PairSummary summary = summary("tied");
        assertThat(summary.ties()).isPositive();
        assertThat(summary.pairs() + summary.ties()).isEqualTo(summary.prompts()).isEqualTo(6);
    }

    private static PairSummary summary(String run) {
        return PairSummary.read(dir.resolve(run).resolve("m2/pairs").resolve(SelfReward.SUMMARY));
    }

    @Test
    void aJudgeThatSaysOneNumberAlwaysIsNamed() throws IOException {
        try (StubJudge same = new StubJudge(question -> "Score: 4")) {
            assertThatThrownBy(() -> run(config("flat", same, "ranked_data="), kernels(1)))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("0 pairs of 6 prompts").hasMessageContaining("6 ties");
        }
        assertThat(summary("flat").lines()).anyMatch(line -> line.contains("the judge says 4 of everything"));
        assertThat(RunReport.write(dir.resolve("flat"))).content().contains("the judge said 4 of everything");
    }

    @Test
    void theBestOfTheLooksIsKept() throws IOException {
        // The answer shown first always wins: every duel is a tie, so no later step is better than the first look.
        try (StubJudge first = new StubJudge(question -> question.contains("Verdict")
                ? "Verdict: A"
                : "Score: " + Math.floorMod(question.hashCode(), 6))) {
            run(config("best", first, "iterations=1", "ranked_data=", "early_stopping_patience=1", "max_steps=20",
                    "learning_rate=2e-2"), kernels(2));
        }
        Path m2 = dir.resolve("best/m2");
        List<EarlyStopping.Verdict> looks = EarlyStopping.Verdict.all(m2.resolve("checks"));
        assertThat(looks).extracting(EarlyStopping.Verdict::step).containsExactly(2, 4);
        assertThat(looks).extracting(EarlyStopping.Verdict::best).containsExactly(2, 2);
        assertThat(looks.getLast().inOrder()).containsExactly(0, 6, 0, 0);
        assertThat(m2.resolve("evaluation/answers.jsonl"))
                .hasSameBinaryContentAs(m2.resolve("checks/step-2/answers.jsonl"));
        assertThat(Files.readString(m2.resolve("checks/step-4/answers.jsonl")))
                .isNotEqualTo(Files.readString(m2.resolve("checks/step-2/answers.jsonl")));
        assertThat(dir.resolve("best/checkpoints/m2/model")).doesNotExist();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"judge=me|expected self, checkpoint:DIR, endpoint:URL or verifier:KIND",
            "judge=verifier:wrong|expected exact, table or number",
            "judge=verifier:exact|expected a path for judge_data",
            "judge=endpoint:nowhere|expected the address of an API", "seed_shots=50|expected at least seed_shots",
            "min_prompt_words=9 max_prompt_words=3|min_prompt_words <= max_prompt_words",
            "eft_data=$DIR/no.jsonl|no.jsonl", "train_data=$DIR/ids.jsonl|expected rows {\"messages\":[…]}"})
    void badInputLeavesNoRunBehind(String settings, String message) {
        TrainConfig config = config("run", judge, settings.replace("$DIR", dir.toString()).split(" "));
        assertThatThrownBy(() -> run(config, kernels(1))).isInstanceOf(BadInputException.class)
                .hasMessageContaining(message).hasMessageNotContaining("\n");
        assertThat(dir.resolve("run")).doesNotExist();
    }

    /** A folder with all that is in it. */
    static void copy(Path from, Path to) throws IOException {
        Files.createDirectories(to.toAbsolutePath().getParent());
        try (Stream<Path> all = Files.walk(from)) {
            for (Path path : all.toList()) {
                Files.copy(path, to.resolve(from.relativize(path).toString()));
            }
        }
    }
}
