package org.spin4j.training;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.spin4j.engine.Decoder;

/** Direct preference optimisation (arXiv 2305.18290) as a run: stages {@code reference}, {@code model}. */
public final class Dpo {
    private Dpo() {}

    /**
     * Trains the policy in place.
     *
     * @param reference the frozen model that the policy is compared with
     * @param inputs    fingerprints of both models and the data
     * @param tokenizer folder whose tokenizer files go along, or null
     * @return the folder of the trained model
     */
    static Path run(RunContext context, Decoder policy, Decoder reference, List<Examples.Pair> pairs,
            Map<String, String> inputs, Path tokenizer) {
        TrainConfig config = context.config();
        List<Examples.ReferencedPair> rows = References.of(context, "reference", reference, pairs, inputs);
        return context.trainStage("model", policy, rows, new PairObjective(config.pairLoss(0), config.beta()),
                config.learningRate(), inputs, tokenizer, Map.of());
    }
}
