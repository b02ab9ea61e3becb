package org.spin4j.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.spin4j.kernels.DType;

/** Two models that were trained elsewhere on stories, against what transformers says of them. */
class StoriesTest {
    @Test
    void stories260kLogProbsLossAndGradients() {
        Path dir = SharedData.require("data/models/stories260K/hf");
        JsonNode golden = Golden.read(dir.resolve("golden.json"));
        try (Decoder model = Decoder.load(dir); Workspace w = new Workspace(DType.F32)) {
            model.parameters().requireGradients();
            Golden.Batch batch = Golden.Batch.of(Golden.ints(golden.get("ids")));
            Tape tape = Tape.inference(TestKernels.DEFAULT, w);
            TokenLogProbs p = TokenLogProbs.apply(tape,
                    SelectRows.apply(tape, model.forward(tape, batch.ids(), batch.forest()), batch.rows()),
                    model.head(),
                    batch.targets());
            JsonNode wanted = golden.get("token_logprobs");
            for (int i = 0; i < wanted.size(); i++) {
                assertThat(p.logProbs().data().get(i)).isCloseTo(wanted.get(i).asDouble(), within(1e-4));
            }
            double loss = Golden.loss(model, Tape.recording(TestKernels.DEFAULT, w), batch);
            assertThat(loss).isCloseTo(golden.get("mean_ce_loss").asDouble(), within(1e-5));
            for (Map.Entry<String, JsonNode> e : golden.get("grad_l2").properties()) {
                var grad = model.parameters().grad(e.getKey());
                double want = e.getValue().asDouble();
                assertThat(Math.sqrt(TestKernels.DEFAULT.sumOfSquares(grad.size(), grad))).as(e.getKey()).isCloseTo(
                        want,
                        within(1e-3 * want)); // the loss of 0.1 is itself a difference of numbers near 10
            }
        }
    }

    @Test
    void stories260kGreedyTokens() {
        Path dir = SharedData.require("data/models/stories260K/hf");
        int[] want = Golden.ints(Golden.read(dir.resolve("golden.json")).get("greedy_from_bos"));
        try (Decoder model = Decoder.load(dir)) {
            Sample sample = new Generator(model, TestKernels.DEFAULT).generate(List.of(new int[]{want[0]}),
                    Sampling.greedy(want.length - 1, Set.of(), 1), 0, n -> {}).getFirst();
            assertThat(sample.ids()).containsExactly(Arrays.copyOfRange(want, 1, want.length));
        }
    }

    @Test
    void chatModelLogProbs() {
        Path dir = SharedData.require("data/models/tinystories-instruct-3m-chat-q4/hf");
        try (Decoder model = Decoder.load(dir); Workspace w = new Workspace(DType.F32)) {
            for (JsonNode c : Golden.read(dir.resolve("golden.json")).get("cases")) {
                Golden.Batch batch = Golden.Batch.of(Golden.ints(c.get("ids")));
                Tape tape = Tape.inference(TestKernels.DEFAULT, w);
                TokenLogProbs p = TokenLogProbs.apply(tape,
                        SelectRows.apply(tape, model.forward(tape, batch.ids(), batch.forest()), batch.rows()),
                        model.head(),
                        batch.targets());
                JsonNode wanted = c.get("token_logprobs");
                for (int i = 0; i < wanted.size(); i++) {
                    assertThat(p.logProbs().data().get(i)).isCloseTo(wanted.get(i).asDouble(), within(2e-4));
                }
            }
        }
    }
}
