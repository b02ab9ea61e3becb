package org.spin4j.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.spin4j.kernels.Backends;
import org.spin4j.kernels.Kernels;

/** Whole runs of a tiny model: what they leave behind, and that neither threads nor interruptions change a bit of it. */
class TrainingRunTest {
    @TempDir
    private Path dir;
    private Path model;

    @BeforeEach
    void data() throws IOException {
        model = TinyRuns.model(dir.resolve("start"));
        TinyRuns.sftRows(dir.resolve("sft.jsonl"), 20);
        TinyRuns.pairRows(dir.resolve("dpo.jsonl"), 20, "chosen_ids", "rejected_ids");
        TinyRuns.pairRows(dir.resolve("given.jsonl"), 20, "real_ids", "generated_ids");
    }

    private TrainConfig config(Method method, String output, String... more) {
        List<String> all = new ArrayList<>(List.of("model=" + model,
                "train_data=" + dir.resolve(method == Method.DPO ? "dpo.jsonl" : "sft.jsonl"),
                "eval_data=" + dir.resolve(method == Method.DPO ? "dpo.jsonl" : "sft.jsonl"),
                "output_dir=" + dir.resolve(output), "per_device_train_batch_size=4", "gradient_accumulation_steps=2",
                "num_train_epochs=2", "logging_steps=1", "save_steps=2", "learning_rate=1e-2", "max_new_tokens=6",
                "iterations=2", "dropout=0.1"));
        all.addAll(List.of(more));
        return TrainConfig.defaults().with(all.toArray(String[]::new));
    }

    private static TrainingRun.Outcome run(Method method, TrainConfig config, boolean resume, Kernels kernels) {
        try (Interrupt interrupt = new Interrupt()) {
            return TrainingRun.run(method, config, resume, kernels, new Progress(true), interrupt);
        }
    }

    private static Kernels kernels(int threads) {
        return Backends.choose("auto", threads);
    }

    private static void assertSameFiles(Path a, Path b, String... names) throws IOException {
        for (String name : names) {
            assertThat(Files.readAllBytes(a.resolve(name))).as(name).isEqualTo(Files.readAllBytes(b.resolve(name)));
        }
    }

    private static String[] results(Method method) {
        return method == Method.SPIN
                ? new String[]{"metrics.jsonl", "iteration-0/generated/pairs.jsonl",
                        "iteration-1/generated/pairs.jsonl",
                        "iteration-1/evaluation/evaluation.json", "iteration-1/model/model.safetensors"}
                : new String[]{"metrics.jsonl", "evaluation/evaluation.json", "model/model.safetensors"};
    }

    @ParameterizedTest
    @EnumSource(value = Method.class, names = "SELF_REWARD", mode = EnumSource.Mode.EXCLUDE)
    void leavesAModelMetricsAndAReport(Method method) throws IOException {
        TrainingRun.Outcome outcome = run(method, config(method, "run"), false, kernels(2));

        assertThat(outcome.model().resolve("model.safetensors")).isRegularFile();
        assertThat(Files.readString(outcome.report())).contains("<svg").contains("learning_rate");
        assertThat(outcome.results()).hasSize(method == Method.SPIN ? 3 : 2).containsKey("start");
        double before = outcome.results().get("start").get("nll_per_token");
        assertThat(before).isCloseTo(Math.log(48), within(0.1));
        if (method == Method.SFT) {
            assertThat(outcome.results().get("model").get("nll_per_token")).isLessThan(before);
        }
        List<Integer> steps = JsonLines.readAll(outcome.run().resolve("metrics.jsonl"),
                line -> line.object().get("step").intValue());
        assertThat(steps).isSorted().doesNotHaveDuplicates().startsWith(1, 2, 3);
    }

    @Test
    void spinStartsEachIterationAtTheLossOfEqualModels() {
        TrainingRun.Outcome outcome = run(Method.SPIN, config(Method.SPIN, "run"), false, kernels(2));

        int[] last = {-1};
        JsonLines.readAll(outcome.run().resolve("metrics.jsonl"), line -> {
            int iteration = line.object().get("iteration").intValue();
            if (iteration != last[0]) {
                assertThat(line.object().get("loss").doubleValue()).isCloseTo(Math.log(2), within(1e-6));
            }
            last[0] = iteration;
            return line;
        });
        assertThat(last[0]).isEqualTo(1);
    }

    @Test
    void spinTakesGivenResponsesForItsFirstIteration() {
        TrainConfig config = config(Method.SPIN, "run", "train_data=" + dir.resolve("given.jsonl"), "iterations=1");
        TrainingRun.Outcome outcome = run(Method.SPIN, config, false, kernels(2));

        List<String> given = JsonLines.readAll(dir.resolve("given.jsonl"),
                line -> line.object().get("generated_ids").toString());
        List<String> played = JsonLines.readAll(outcome.run().resolve("iteration-0/generated/pairs.jsonl"),
                line -> line.object().get("generated_ids").toString());
        assertThat(played).isEqualTo(given);
    }

    @ParameterizedTest
    @EnumSource(value = Method.class, names = "SELF_REWARD", mode = EnumSource.Mode.EXCLUDE)
    void doesNotDependOnTheNumberOfThreads(Method method) throws IOException {
        run(method, config(method, "one"), false, kernels(1));
        run(method, config(method, "two"), false, kernels(2));

        assertSameFiles(dir.resolve("one"), dir.resolve("two"), results(method));
    }

    @ParameterizedTest
    @EnumSource(value = Method.class, names = "SELF_REWARD", mode = EnumSource.Mode.EXCLUDE)
    void endsTheSameHoweverOftenItIsStopped(Method method) throws IOException {
        run(method, config(method, "whole"), false, kernels(2));
        int stops = 0;
        boolean done = false;
        while (!done) {
            assertThat(stops).as("the run makes progress").isLessThan(40);
            try (Interrupt interrupt = new Interrupt()) {
                // Odd steps leave a checkpoint that save_steps alone would not have made.
                TrainingRun.run(method, config(method, "stopped"), stops > 0, stoppingAfter(3, interrupt),
                        new Progress(true), interrupt);
                done = true;
            } catch (Interrupt.Stopped e) {
                assertThat(e).hasMessageStartingWith("stopped ");
                stops++;
            }
        }
        assertThat(stops).isPositive();
        assertSameFiles(dir.resolve("whole"), dir.resolve("stopped"), results(method));
    }

    /** Kernels that ask to stop when the optimiser is called for the n-th time. */
    private static Kernels stoppingAfter(int updates, Interrupt interrupt) {
        AtomicInteger count = new AtomicInteger();
        return watched((name, arguments) -> {
            if (name.equals("adamW") && count.incrementAndGet() == updates) {
                interrupt.request();
            }
        });
    }

    /** Kernels with a watcher who is told of every call before it is made. */
    private static Kernels watched(BiConsumer<String, Object[]> watcher) {
        Kernels kernels = kernels(2);
        return (Kernels) Proxy.newProxyInstance(Kernels.class.getClassLoader(), new Class<?>[]{Kernels.class},
                (proxy, method, arguments) -> {
                    watcher.accept(method.getName(), arguments);
                    try {
                        return method.invoke(kernels, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    @ParameterizedTest
    @EnumSource(value = Method.class, names = "SELF_REWARD", mode = EnumSource.Mode.EXCLUDE)
    void onlyTrainingPassesOfSftDropAndEachOtherPlaces(Method method) {
        List<Object> keys = new ArrayList<>();
        Kernels kernels = watched((name, arguments) -> {
            if (name.equals("dropout")) {
                assertThat(arguments[1]).isEqualTo(0.1);
                keys.add(arguments[2]);
            }
        });
        run(method, config(method, "run"), false, kernels);

        // 20 rows are 5 passes of 4 in each of 2 epochs; the model of 2 layers drops at 5 places, forward and backward.
        int masks = method == Method.SFT ? 5 * 2 * 5 : 0;
        assertThat(keys).hasSize(2 * masks);
        assertThat(new HashSet<>(keys)).hasSize(masks);
    }

    @Test
    void refusesToGoOnWithOtherSettings() {
        run(Method.SFT, config(Method.SFT, "run"), false, kernels(1));

        assertThatThrownBy(() -> run(Method.SFT, config(Method.SFT, "run"), false, kernels(1)))
                .isInstanceOf(BadInputException.class).hasMessageContaining("add --resume");
        assertThatThrownBy(
                () -> run(Method.SFT, config(Method.SFT, "run", "learning_rate=1e-3"), true, kernels(1)))
                .isInstanceOf(BadInputException.class).hasMessageContaining("learning_rate");
        assertThatThrownBy(() -> run(Method.SFT, config(Method.SFT, "run", "dropout=0"), true, kernels(1)))
                .isInstanceOf(BadInputException.class).hasMessageContaining("dropout");
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"input_ids\":[1,48],\"labels\":[-100,48]}", "{\"text\":\"no tokenizer\"}", "{}",
            "{\"input_ids\":[1,2],\"labels\":[-100]}", "[1]"})
    void badRowsLeaveNoRunBehind(String row) throws IOException {
        Path data = Files.write(dir.resolve("bad.jsonl"), List.of(row));

        assertThatThrownBy(
                () -> run(Method.SFT, config(Method.SFT, "run", "train_data=" + data), false, kernels(1)))
                .isInstanceOf(BadInputException.class).hasMessageContaining("bad.jsonl:1");
        assertThat(dir.resolve("run")).doesNotExist();
    }
}
