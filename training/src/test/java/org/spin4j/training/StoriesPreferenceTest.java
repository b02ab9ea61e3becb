package org.spin4j.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.spin4j.engine.Decoder;
import org.spin4j.engine.Tape;
import org.spin4j.engine.Workspace;
import org.spin4j.kernels.Backends;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.Storage;

/** Preference losses and every gradient on stories260K against plain PyTorch; the reference is the policy times 0.97. */
class StoriesPreferenceTest {
    private static final Map<String, LossType> LOSSES = Map.of("sigmoid (also SPIN logistic)", LossType.SIGMOID,
            "hinge",
            LossType.HINGE, "ipo (summed logps)", LossType.IPO_SUM);

    private static int[] ids(JsonNode array, int from) {
        int[] all = StreamSupport.stream(array.spliterator(), false).mapToInt(JsonNode::asInt).toArray();
        return Arrays.copyOfRange(all, from, all.length);
    }

    @Test
    void lossesAndGradients() {
        Path dir = SharedData.require("data/models/stories260K/hf");
        Kernels kernels = Backends.choose("vector!", 2);
        try (Decoder policy = Decoder.load(dir);
                Decoder reference = policy.copy();
                Workspace workspace = new Workspace(DType.F32)) {
            Storage weights = reference.parameters().data();
            for (long i = 0; i < weights.size(); i++) {
                weights.set(i, 0.97 * weights.get(i));
            }
            policy.parameters().requireGradients();
            for (JsonNode c : JsonLines.readWhole(dir.resolve("golden_dpo.json")).get("cases")) {
                List<Examples.Pair> pairs = new ArrayList<>();
                for (JsonNode p : c.get("pairs")) {
                    int prompt = p.get("prompt_len").asInt();
                    pairs.add(new Examples.Pair(Arrays.copyOf(ids(p.get("chosen_ids"), 0), prompt),
                            ids(p.get("chosen_ids"), prompt), ids(p.get("rejected_ids"), prompt)));
                }
                List<PairLogProbs.Tokens> frozen = PairLogProbs.ofPairs(reference, kernels, pairs, n -> {});
                List<Examples.ReferencedPair> rows = new ArrayList<>();
                for (int i = 0; i < pairs.size(); i++) {
                    rows.add(new Examples.ReferencedPair(pairs.get(i), frozen.get(i).sums()));
                }
                double beta = c.get("beta").asDouble();
                policy.parameters().grad().zero();
                MetricSums metrics = new MetricSums();
                new PairObjective(PairLoss.of(LOSSES.get(c.get("loss_type").asText()), beta, 0), beta)
                        .accumulate(Tape.recording(kernels, workspace), policy, rows, rows.size(), metrics);
                double loss = c.get("mean_loss").asDouble();
                assertThat(metrics.mean("loss")).as(c.get("loss_type").asText()).isCloseTo(loss,
                        within(1e-4 * Math.max(1, loss)));
                for (Map.Entry<String, JsonNode> e : c.get("grad_l2").properties()) {
                    Storage g = policy.parameters().grad(e.getKey());
                    double want = e.getValue().asDouble();
                    // Gradients here are differences of two responses that share most of their context.
                    assertThat(Math.sqrt(kernels.sumOfSquares(g.size(), g))).as(e.getKey()).isCloseTo(want,
                            within(2e-4 * want));
                }
            }
        }
    }
}
