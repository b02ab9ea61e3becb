package org.spin4j.kernels.tornado;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.spin4j.engine.Decoder;
import org.spin4j.engine.DecoderConfig;
import org.spin4j.engine.Generator;
import org.spin4j.engine.RandomStream;
import org.spin4j.engine.Sample;
import org.spin4j.engine.Sampling;
import org.spin4j.kernels.Backends;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Kernels;
import org.spin4j.training.Interrupt;
import org.spin4j.training.Method;
import org.spin4j.training.Progress;
import org.spin4j.training.TrainConfig;
import org.spin4j.training.TrainingRun;

/** Training (SFT with dropout) and generation of a model of the demo's shape, beside the vector backend. */
class WholeStepsTest {
    private static final int VOCAB = 259;
    private static final int END = 0;
    private static final Pattern LOSS = Pattern.compile("\"loss\":([-0-9.eE]+)");
    /** Sums in another order; ten updates carry the difference on. */
    private static final double TOLERANCE = 1e-4;

    private final Kernels vector = Backends.choose("vector!", 2);
    private final Kernels tornado = new TornadoKernels(TestDevice.MEMORY, "test");

    @TempDir
    private Path dir;

    @BeforeEach
    void model() throws IOException {
        DecoderConfig config = DecoderConfig.llama(VOCAB, 64, 3, 4, 4, 192, 96, true).withTokens(OptionalInt.empty(),
                List.of(END), OptionalInt.empty());
        try (Decoder model = Decoder.random(config, DType.F32, 7)) {
            model.save(dir.resolve("model"), "F32", null);
        }
        List<String> sft = new ArrayList<>();
        List<String> spin = new ArrayList<>();
        for (int i = 0; i < 80; i++) {
            String prompt = list(ids(i, "prompt", 9));
            String real = list(ids(i, "real", 6));
            spin.add("{\"prompt_ids\":[%s],\"real_ids\":[%s],\"generated_ids\":[%s]}".formatted(prompt, real,
                    list(ids(i, "generated", 5))));
            sft.add("{\"input_ids\":[%s,%s],\"labels\":[%s,%s]}".formatted(prompt, real,
                    prompt.replaceAll("[0-9]+", "-100"), real));
        }
        Files.write(dir.resolve("SFT.jsonl"), sft);
        Files.write(dir.resolve("SPIN.jsonl"), spin);
    }

    private static int[] ids(int row, String what, int atLeast) {
        RandomStream random = RandomStream.of(11, what, row);
        return random.ints(atLeast + random.nextInt(5), 1, VOCAB).toArray();
    }

    private static String list(int[] ids) {
        String text = Arrays.toString(ids).replace(" ", "");
        return text.substring(1, text.length() - 1);
    }

    private List<Double> losses(Method method, Kernels kernels, int steps) throws IOException {
        String output = method + "-" + steps + (kernels == tornado ? "-tornado" : "-vector");
        TrainConfig config = TrainConfig.defaults().with("model=" + dir.resolve("model"),
                "train_data=" + dir.resolve(method + ".jsonl"), "output_dir=" + dir.resolve(output),
                "max_steps=" + steps,
                "per_device_train_batch_size=8", "logging_steps=1", "learning_rate=1e-3", "warmup_steps=3",
                "weight_decay=0.01", "iterations=1", "dropout=0.1");
        try (Interrupt interrupt = new Interrupt()) {
            TrainingRun.Outcome outcome = TrainingRun.run(method, config, false, kernels, new Progress(true),
                    interrupt);
            List<Double> losses = new ArrayList<>();
            Matcher m = LOSS.matcher(Files.readString(outcome.run().resolve("metrics.jsonl")));
            while (m.find()) {
                losses.add(Double.valueOf(m.group(1)));
            }
            return losses;
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"SFT", "SPIN"})
    void tenStepsHaveTheLossesOfTheVectorBackend(Method method) throws IOException {
        List<Double> expected = losses(method, vector, 10);
        List<Double> found = losses(method, tornado, 10);

        assertThat(found).hasSameSizeAs(expected).hasSizeGreaterThanOrEqualTo(10);
        for (int i = 0; i < expected.size(); i++) {
            assertThat(found.get(i)).as("step " + (i + 1)).isCloseTo(expected.get(i),
                    within(TOLERANCE * Math.abs(expected.get(i))));
        }
    }

    @Test
    void aStepBringsNoWeightsToTheDeviceAndNoneBack() throws IOException {
        long[] numbers = new long[2];
        long[] back = new long[2];
        long[] bytes = new long[2];
        for (int i = 0; i < 2; i++) {
            long numbersBefore = TestDevice.MEMORY.uploaded();
            long backBefore = TestDevice.MEMORY.downloaded();
            long bytesBefore = TestDevice.MEMORY.bytesIn();
            losses(Method.SFT, tornado, 3 + 5 * i);
            numbers[i] = TestDevice.MEMORY.uploaded() - numbersBefore;
            back[i] = TestDevice.MEMORY.downloaded() - backBefore;
            bytes[i] = TestDevice.MEMORY.bytesIn() - bytesBefore;
        }
        long weights = 177_000;
        assertThat(numbers[0]).as("at the beginning").isGreaterThan(weights);
        assertThat((numbers[1] - numbers[0]) / 5).as("gradients of losses").isBetween(1L, 200L);
        assertThat((back[1] - back[0]) / 5).as("log-probabilities and the gradients' norm").isBetween(1L, 200L);
        assertThat((bytes[1] - bytes[0]) / 5).as("the same and arguments of kernels").isBetween(1L, 4 * weights);
    }

    static List<Sampling> samplings() {
        Sampling pure = Sampling.pure(70, Set.of(), 3);
        return List.of(Sampling.greedy(70, Set.of(), 3), pure, pure.with(0.8, 40, 0.95).with(0.01, 1.2));
    }

    @ParameterizedTest
    @MethodSource("samplings")
    void generationGivesTheSameTokensAndBringsNothingElseBack(Sampling sampling) {
        List<int[]> prompts = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            prompts.add(ids(i, "prompt", 20));
        }
        try (Decoder model = Decoder.load(dir.resolve("model"))) {
            List<Sample> expected = new Generator(model, vector).generate(prompts, sampling, 1, done -> {});
            long before = TestDevice.MEMORY.downloaded();
            List<Sample> found = new Generator(model, tornado).generate(prompts, sampling, 1, done -> {});
            // The token, its logit and the logarithm of the sum, for each token.
            assertThat(TestDevice.MEMORY.downloaded() - before).isEqualTo(3L * 70 * prompts.size());
            for (int i = 0; i < prompts.size(); i++) {
                assertThat(found.get(i).ids()).isEqualTo(expected.get(i).ids());
            }
        }
    }
}
