package org.spin4j.training;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.spin4j.engine.Decoder;

/** Supervised fine-tuning as a run: one stage, {@code model}. */
public final class Sft {
    private Sft() {}

    /**
     * Trains the policy in place.
     *
     * @param inputs    fingerprints of the start model and the data
     * @param tokenizer folder whose tokenizer files go along, or null
     * @return the folder of the trained model
     */
    static Path run(RunContext context, Decoder policy, List<Examples.Sequence> rows, Map<String, String> inputs,
            Path tokenizer) {
        return context.trainStage("model", policy, rows, new SftObjective(), context.config().learningRate(), inputs,
                tokenizer, Map.of());
    }
}
