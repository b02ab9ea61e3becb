package org.spin4j.training;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.spin4j.engine.Decoder;

/** Supervised fine-tuning as a stage of a run. */
public final class Sft {
    private Sft() {}

    /**
     * Trains the policy in place.
     *
     * @param stage     the stage
     * @param settings  of optimiser and schedule
     * @param inputs    fingerprints of the start model and the data
     * @param tokenizer folder whose tokenizer files go along, or null
     * @return the folder of the trained model
     */
    public static Path run(RunContext context, String stage, TrainConfig settings, Decoder policy,
            List<Examples.Sequence> rows, Map<String, String> inputs, Path tokenizer) {
        return context.train(policy, new RunContext.Training<>(stage, settings, rows,
                new SftObjective(settings.dropout()),
                settings.learningRate(), inputs, tokenizer, Map.of(), Checks.NONE));
    }

    /** The same as the one stage {@code model} of a run of its own. */
    static Path run(RunContext context, Decoder policy, List<Examples.Sequence> rows, Map<String, String> inputs,
            Path tokenizer) {
        return run(context, "model", context.config(), policy, rows, inputs, tokenizer);
    }
}
