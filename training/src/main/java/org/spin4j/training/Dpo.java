package org.spin4j.training;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.spin4j.engine.Decoder;

/** Direct preference optimisation (arXiv 2305.18290) as two stages of a run: {@code reference}, {@code model}. */
public final class Dpo {
    private Dpo() {}

    /**
     * Where in a run it stands.
     *
     * @param prefix    of the names of its stages
     * @param iteration which learning rate and which β of the configuration are used, from 0
     * @param constants logged with every step
     * @param checks    may end it early
     */
    public record Place(String prefix, int iteration, Map<String, ? extends Number> constants, Checks checks) {
        /** A run that is this and nothing else. */
        static final Place ALONE = new Place("", 0, Map.of(), Checks.NONE);
    }

    /**
     * Trains the policy in place.
     *
     * @param reference the frozen model that the policy is compared with
     * @param inputs    fingerprints of both models and the data
     * @param tokenizer folder whose tokenizer files go along, or null
     * @return the folder of the trained model
     */
    public static Path run(RunContext context, Place place, Decoder policy, Decoder reference,
            List<Examples.Pair> pairs, Map<String, String> inputs, Path tokenizer) {
        TrainConfig config = context.config();
        int t = place.iteration();
        List<Examples.ReferencedPair> rows = References.of(context, place.prefix() + "reference", reference, pairs,
                inputs);
        return context.train(policy, new RunContext.Training<>(place.prefix() + "model", config, rows,
                new PairObjective(config.pairLoss(t), config.beta(t)), config.learningRate(t), inputs, tokenizer,
                place.constants(), place.checks()));
    }
}
