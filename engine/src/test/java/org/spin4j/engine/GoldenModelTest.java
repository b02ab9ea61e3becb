package org.spin4j.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.Storage;

/** Logits, losses, every gradient, greedy ids and ten optimiser steps against transformers and PyTorch. */
class GoldenModelTest {
    /** Ours, in the test resources: a clone alone tests something. */
    private static final List<String> OWN = List.of("llama", "gpt_neo");

    private static final List<String> SHARED = List.of("llama", "llama-gqa-tied", "llama-bias", "llama3-rope",
            "llama-bf16",
            "llama-sharded", "mistral", "gpt_neo");

    /** Our own models on both backends; the shared ones, which take the specification long, on the fast one. */
    static Stream<Arguments> models() {
        return Stream.concat(
                OWN.stream().flatMap(n -> Stream.of(Arguments.of("own/" + n, TestKernels.SCALAR),
                        Arguments.of("own/" + n, TestKernels.DEFAULT))),
                SHARED.stream().map(n -> Arguments.of("shared/" + n, TestKernels.DEFAULT)));
    }

    private static Path folder(String model) throws URISyntaxException {
        String name = model.substring(model.indexOf('/') + 1);
        return model.startsWith("own/")
                ? Path.of(GoldenModelTest.class.getResource("/golden/" + name + "/config.json").toURI()).getParent()
                : SharedData.require("golden/models/" + name);
    }

    private static Golden.Batch batch(JsonNode golden) {
        return Golden.Batch.of(Golden.ints(golden.get("input_ids").get(0)),
                Golden.ints(golden.get("input_ids").get(1)));
    }

    @ParameterizedTest
    @MethodSource("models")
    void logitsAndLogProbs(String name, Kernels kernels) throws Exception {
        Path dir = folder(name);
        JsonNode golden = Golden.read(dir.resolve("golden.json"));
        try (Decoder model = Decoder.loadFrozen(dir); Workspace w = new Workspace(DType.F32)) {
            for (int s = 0; s < 2; s++) {
                Golden.Batch batch = Golden.Batch.of(Golden.ints(golden.get("input_ids").get(s)));
                Tape tape = Tape.inference(kernels, w);
                Tensor hidden = model.forward(tape, batch.ids(), batch.forest());
                Tensor logits = model.head().logits(tape, hidden);
                // fp32 in another order of summation: the oracle itself is 1.2e-5 away from its float64 run.
                assertThat(logits.data().toFloats()).containsExactly(Golden.floats(golden.get("logits").get(s)),
                        within(1e-4f));
                TokenLogProbs p = TokenLogProbs.apply(tape, SelectRows.apply(tape, hidden, batch.rows()), model.head(),
                        batch.targets());
                assertThat(p.logProbs().data().toFloats())
                        .containsExactly(Golden.floats(golden.get("next_token_logprobs").get(s)), within(1e-4f));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void lossAndEveryGradient(String name, Kernels kernels) throws Exception {
        Path dir = folder(name);
        JsonNode golden = Golden.read(dir.resolve("golden.json"));
        try (Decoder model = Decoder.load(dir); Workspace w = new Workspace(DType.F32)) {
            model.parameters().requireGradients();
            double loss = Golden.loss(model, Tape.recording(kernels, w), batch(golden));
            assertThat(loss).isCloseTo(golden.get("loss").asDouble(), within(1e-5));
            Map<String, JsonNode> wanted = new TreeMap<>();
            golden.get("grads").properties().forEach(e -> wanted.put(e.getKey(), e.getValue()));
            assertThat(model.parameters().names()).containsExactlyInAnyOrderElementsOf(wanted.keySet());
            wanted.forEach((tensor, want) -> assertGradient(tensor, want, model.parameters().grad(tensor)));
        }
    }

    private static void assertGradient(String name, JsonNode want, Storage grad) {
        double squares = 0;
        double sum = 0;
        for (long i = 0; i < grad.size(); i++) {
            squares += grad.get(i) * grad.get(i);
            sum += grad.get(i);
        }
        double l2 = want.get("l2").asDouble();
        // Key biases without position encoding and the like have a gradient of zero but for rounding: hence the floor.
        assertThat(Math.sqrt(squares)).as(name + " l2").isCloseTo(l2, within(1e-4 * l2 + 1e-6));
        assertThat(sum).as(name + " sum").isCloseTo(want.get("sum").asDouble(),
                within(1e-4 * want.get("l1").asDouble() + 1e-6));
        double typical = l2 / Math.sqrt((double) grad.size());
        for (int i = 0; i < Math.min(8, grad.size()); i++) {
            double first = want.get("first8").get(i).asDouble();
            assertThat(grad.get(i)).as(name + "[" + i + "]").isCloseTo(first,
                    within(1e-4 * (Math.abs(first) + typical) + 1e-7));
            double last = want.get("last8").get(i).asDouble();
            assertThat(grad.get(grad.size() - 8 + i)).as(name + " last8[" + i + "]").isCloseTo(last,
                    within(1e-4 * (Math.abs(last) + typical) + 1e-7));
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void greedyIds(String name, Kernels kernels) throws Exception {
        Path dir = folder(name);
        JsonNode golden = Golden.read(dir.resolve("golden.json")).get("greedy");
        int[] want = Golden.ints(golden.get("new_ids"));
        try (Decoder model = Decoder.load(dir)) {
            Sample sample = new Generator(model, kernels)
                    .generate(List.of(Golden.ints(golden.get("prompt"))),
                            Sampling.greedy(want.length, Set.of(), 4), 0, done -> {})
                    .getFirst();
            assertThat(sample.ids()).containsExactly(want);
            assertThat(sample.finish()).isEqualTo(Sample.Finish.LENGTH);
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void tenAdamWSteps(String name, Kernels kernels) throws Exception {
        JsonNode golden = Golden.read(folder(name).resolve("golden.json"));
        JsonNode run = golden.get("adamw");
        train(kernels, folder(name), golden, run, 1e-4, (p, m, v, step) -> kernels.adamW(p.data().size(), p.data(),
                p.grad(), m, v, run.get("lr").asDouble(), run.get("beta1").asDouble(), run.get("beta2").asDouble(),
                run.get("eps").asDouble(), run.get("weight_decay").asDouble(), 1, step));
    }

    @ParameterizedTest
    @MethodSource("models")
    void tenRmsPropSteps(String name, Kernels kernels) throws Exception {
        JsonNode golden = Golden.read(folder(name).resolve("golden.json"));
        JsonNode run = golden.get("rmsprop");
        train(kernels, folder(name), golden, run, 2e-4, (p, m, v, step) -> kernels.rmsProp(p.data().size(), p.data(),
                p.grad(), v, run.get("lr").asDouble(), run.get("alpha").asDouble(), run.get("eps").asDouble(), 0, 1));
    }

    @FunctionalInterface
    private interface Optimizer {
        void step(Parameters p, Storage m, Storage v, int step);
    }

    private static void train(Kernels kernels, Path dir, JsonNode golden, JsonNode run, double tolerance,
            Optimizer optimizer) {
        try (Decoder model = Decoder.load(dir); Workspace w = new Workspace(DType.F32)) {
            Parameters p = model.parameters();
            p.requireGradients();
            Storage m = Storage.of(DType.F32, new double[(int) p.data().size()]);
            Storage v = Storage.of(DType.F32, new double[(int) p.data().size()]);
            for (int step = 0; step <= 10; step++) {
                p.grad().zero();
                double loss = Golden.loss(model, Tape.recording(kernels, w), batch(golden));
                assertThat(loss).as("loss before step " + step).isCloseTo(run.get("losses").get(step).asDouble(),
                        within(tolerance));
                if (step < 10) {
                    optimizer.step(p, m, v, step + 1);
                }
            }
            for (Map.Entry<String, JsonNode> e : run.get("final_param_l2").properties()) {
                Storage s = p.data(e.getKey());
                double l2 = Math.sqrt(kernels.sumOfSquares(s.size(), s));
                assertThat(l2).as(e.getKey()).isCloseTo(e.getValue().asDouble(),
                        within(1e-4 * e.getValue().asDouble()));
            }
        }
    }
}
