package org.spin4j.training;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.spin4j.engine.Decoder;

/** Log-probabilities of pairs under a frozen model, computed once and kept in the run as a stage. */
final class References {
    private References() {}

    /**
     * The log-probabilities of all pairs, from the stage where it is there already.
     *
     * @param inputs fingerprints of the model and the pairs
     */
    static List<Examples.ReferencedPair> of(RunContext context, String stage, Decoder model, List<Examples.Pair> pairs,
            Map<String, String> inputs) {
        Path folder = context.run().stage(stage, context.inputs(inputs), temporary -> {
            try (Progress.Task task = context.progress().start(stage, "pairs", pairs.size())) {
                List<ObjectNode> rows = new ArrayList<>();
                for (PairLogProbs.Tokens t : PairLogProbs.ofPairs(model, context.kernels(), pairs,
                        n -> task.to(n, 0, ""))) {
                    rows.add(JsonLines.JSON.createObjectNode().put("chosen", t.sums().chosen()).put("rejected",
                            t.sums().rejected()));
                }
                JsonLines.writeAll(temporary.resolve("logps.jsonl"), rows);
            }
        });
        List<Examples.PairLogProbs> sums = JsonLines.readAll(folder.resolve("logps.jsonl"),
                line -> new Examples.PairLogProbs(
                        line.object().path("chosen").asDouble(), line.object().path("rejected").asDouble()));
        if (sums.size() != pairs.size()) {
            throw BadInputException.of("expected %d rows, found %d in %s; delete that folder, it will be made again",
                    pairs.size(), sums.size(), folder.resolve("logps.jsonl"));
        }
        List<Examples.ReferencedPair> out = new ArrayList<>();
        for (int i = 0; i < pairs.size(); i++) {
            out.add(new Examples.ReferencedPair(pairs.get(i), sums.get(i)));
        }
        return out;
    }
}
