package org.spin4j.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.spin4j.engine.Decoder;
import org.spin4j.engine.Tape;
import org.spin4j.engine.Workspace;
import org.spin4j.kernels.Backends;
import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.Storage;

/** DPO number by number as TRL's DPOTrainer does it, from golden files. */
class TrlGoldenTest {
    @TempDir
    private Path dir;
    private final Kernels kernels = Backends.choose("auto", 2);

    private static JsonNode golden(String file) throws IOException {
        return JsonLines.JSON.readTree(Files.readString(SharedData.require("golden/preference/" + file)));
    }

    private static Decoder model(JsonNode golden, String key) {
        return Decoder.load(SharedData.require("golden/" + golden.get(key).asText()));
    }

    private List<Examples.ReferencedPair> pairs(JsonNode golden) {
        List<Examples.Pair> pairs = new ArrayList<>();
        golden.get("pairs").forEach(p -> pairs.add(new Examples.Pair(ids(p, "prompt_ids"), ids(p, "chosen_ids"),
                ids(p, "rejected_ids"))));
        List<Examples.ReferencedPair> out = new ArrayList<>();
        try (Decoder reference = model(golden, "ref_dir")) {
            List<PairLogProbs.Tokens> sums = PairLogProbs.ofPairs(reference, kernels, pairs, n -> {});
            for (int i = 0; i < pairs.size(); i++) {
                out.add(new Examples.ReferencedPair(pairs.get(i), sums.get(i).sums()));
            }
        }
        return out;
    }

    private static int[] ids(JsonNode pair, String key) {
        int[] ids = new int[pair.get(key).size()];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = pair.get(key).get(i).intValue();
        }
        return ids;
    }

    private static double norm(Storage s) {
        double sum = 0;
        for (long i = 0; i < s.size(); i++) {
            sum += s.get(i) * s.get(i);
        }
        return Math.sqrt(sum);
    }

    @Test
    void lossAndGradientsOfAForestOfPairs() throws IOException {
        JsonNode golden = golden("pairs.json");
        double beta = golden.get("beta").asDouble();
        try (Decoder policy = model(golden, "policy_dir");
                Workspace workspace = new Workspace(policy.parameters().data().type())) {
            policy.parameters().requireGradients();
            MetricSums metrics = new MetricSums();
            new PairObjective(PairLoss.of(LossType.SIGMOID, beta, 0), beta).accumulate(
                    Tape.recording(kernels, workspace), policy, pairs(golden), golden.get("pairs").size(), metrics);

            assertThat(metrics.mean("loss")).isCloseTo(golden.get("mean_loss_f64").asDouble(), within(1e-5));
            golden.get("grads_of_mean_loss").properties().forEach(e -> {
                Storage gradient = policy.parameters().grad(e.getKey());
                assertThat(norm(gradient)).as(e.getKey())
                        .isCloseTo(e.getValue().get("l2_f64").asDouble(), Percentage.withPercentage(0.01));
                double typical = norm(gradient) / Math.sqrt((double) gradient.size());
                for (int i = 0; i < e.getValue().get("first8").size(); i++) {
                    double want = e.getValue().get("first8").get(i).asDouble();
                    assertThat(gradient.get(i)).as(e.getKey() + " " + i).isCloseTo(want,
                            within(1e-4 * (Math.abs(want) + typical)));
                }
            });
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"adamw", "adamw_clip1", "rmsprop", "adamw_hinge", "adamw_ipo", "adamw_linear_wd_accum"})
    void trainsAsTrlDoes(String name) throws IOException {
        JsonNode golden = golden("trl_runs.json");
        JsonNode run = golden.get("runs").get(name);
        JsonNode args = run.get("trainer_args");
        List<String> settings = new ArrayList<>(List.of("logging_steps=1",
                "optim=" + (args.get("optim").asText().startsWith("adamw") ? "adamw" : "rmsprop"),
                "loss_type=" + args.get("loss_type").get(0).asText()));
        for (String key : List.of("per_device_train_batch_size", "gradient_accumulation_steps", "max_steps",
                "learning_rate", "lr_scheduler_type", "warmup_steps", "adam_beta1", "adam_beta2", "adam_epsilon",
                "weight_decay", "max_grad_norm", "beta")) {
            settings.add(key + "=" + args.get(key).asText());
        }
        TrainConfig config = TrainConfig.load(Method.DPO, Optional.empty(), settings).config();
        List<Map<String, Number>> log = new ArrayList<>();
        try (Decoder policy = model(golden, "policy_dir"); Interrupt interrupt = new Interrupt()) {
            new Trainer(kernels, config, interrupt).train(policy, pairs(golden),
                    new PairObjective(config.pairLoss(0), config.beta()),
                    new Trainer.Plan(name, config.learningRate(), Map.of(), dir, null, Checks.NONE),
                    new Trainer.Listener() {
                        @Override
                        public void started(int step, int total) {
                            assertThat(total).isEqualTo(args.get("max_steps").asInt());
                        }

                        @Override
                        public void stepped(int step, Map<String, Number> metrics, long tokens) {
                            log.add(metrics);
                        }
                    });
            run.get("final_param_l2").properties().forEach(e -> assertThat(norm(policy.parameters().data(e.getKey())))
                    .as(e.getKey()).isCloseTo(e.getValue().asDouble(), Percentage.withPercentage(0.01)));
        }
        for (int step = 0; step < log.size(); step++) {
            Map<String, Number> row = log.get(step);
            JsonNode want = run.get("log_history").get(step);
            assertThat(row.get("loss").doubleValue()).as("loss at step " + step)
                    .isCloseTo(run.get("losses").get(step).asDouble(),
                            within(1e-4 * Math.max(1, run.get("losses").get(step).asDouble())));
            for (String key : List.of("rewards/chosen", "rewards/rejected", "rewards/accuracies", "rewards/margins")) {
                assertThat(row.get(key).doubleValue()).as(key + " at step " + step).isCloseTo(want.get(key).asDouble(),
                        within(1e-4));
            }
            assertThat(row.get("grad_norm").doubleValue()).as("grad_norm at step " + step)
                    .isCloseTo(want.get("grad_norm").asDouble(), Percentage.withPercentage(0.01));
            assertThat(row.get("learning_rate").doubleValue()).as("learning_rate at step " + step)
                    .isCloseTo(want.get("learning_rate").asDouble(), within(1e-12));
        }
        assertThat(log).hasSize(args.get("max_steps").asInt());
    }
}
