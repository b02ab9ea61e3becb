package org.spin4j.training.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import org.spin4j.engine.Sampling;
import org.spin4j.training.BadInputException;
import org.spin4j.training.TextData;
import picocli.CommandLine.Option;

/** The options that say how tokens are chosen and where an answer ends. */
final class SamplingOptions {
    @Option(names = "--max-new-tokens", paramLabel = "N", defaultValue = "256", description = "Longest continuation (default: ${DEFAULT-VALUE}).")
    private int maxNewTokens;

    @Option(names = "--max-length", paramLabel = "N", defaultValue = "0", description = "Longest prompt and continuation together (default: all positions of the model).")
    private int maxLength;

    @Option(names = "--temperature", paramLabel = "T", description = "0: greedy (default: 1; chat: 0.7).")
    private Double temperature;

    @Option(names = "--top-k", paramLabel = "K", defaultValue = "0", description = "This many most probable tokens (default: ${DEFAULT-VALUE}, all).")
    private int topK;

    @Option(names = "--top-p", paramLabel = "P", defaultValue = "1", description = "Smallest set of tokens with this probability (default: ${DEFAULT-VALUE}, all).")
    private double topP;

    @Option(names = "--min-p", paramLabel = "P", defaultValue = "0", description = "Tokens at least this times as probable as the most probable (default: ${DEFAULT-VALUE}, all).")
    private double minP;

    @Option(names = "--repetition-penalty", paramLabel = "R", defaultValue = "1", description = "Above 1: tokens seen before become less probable (default: ${DEFAULT-VALUE}).")
    private double repetitionPenalty;

    @Option(names = "--stop", paramLabel = "TEXT", description = "A continuation ends before this text; may be given several times.")
    private List<String> stops = new ArrayList<>();

    @Option(names = "--stop-id", paramLabel = "ID", description = "A continuation ends with this token; may be given several times.")
    private List<Integer> stopIds = new ArrayList<>();

    @Option(names = "--ignore-eos", description = "Go on to the longest continuation, past end tokens.")
    private boolean ignoreEos;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "42", description = "Same seed, same samples (default: ${DEFAULT-VALUE}).")
    private long seed;

    long seed() {
        return seed;
    }

    /** Stop strings; one that is a special token stands among the stop ids instead, since it is not part of the text. */
    List<String> stops(TextData text) {
        for (String stop : stops) {
            if (stop.isEmpty()) {
                throw BadInputException.of("expected text for --stop, found none; leave the option out");
            }
        }
        return stops.stream().filter(stop -> special(text, stop).isEmpty()).toList();
    }

    private static OptionalInt special(TextData text, String stop) {
        OptionalInt id = text.tokenizer().id(stop);
        return id.isPresent() && text.tokenizer().isSpecial(id.getAsInt()) ? id : OptionalInt.empty();
    }

    /**
     * What the options ask for.
     *
     * @param usual temperature where none is given
     */
    Sampling sampling(TextData text, double usual, int candidates, int streams) {
        Set<Integer> ends = new HashSet<>(stopIds);
        if (!ignoreEos) {
            ends.addAll(text.endIds());
        }
        for (String stop : stops) {
            special(text, stop).ifPresent(ends::add);
        }
        return new Sampling(maxNewTokens, maxLength, temperature == null ? usual : temperature, topK, topP, minP,
                repetitionPenalty, ends, candidates, streams);
    }

    /** All that a sample depends on, under the names of the options. */
    void describe(Sampling sampling, ObjectNode settings) {
        settings.put("max-new-tokens", sampling.maxNewTokens()).put("max-length", sampling.maxLength())
                .put("temperature", sampling.temperature()).put("top-k", sampling.topK()).put("top-p", sampling.topP())
                .put("min-p", sampling.minP()).put("repetition-penalty", sampling.repetitionPenalty())
                .put("candidates", sampling.candidates()).put("seed", seed);
        settings.set("stop", settings.arrayNode().addAll(stops.stream().map(settings::textNode).toList()));
        settings.set("stop-id", settings.arrayNode()
                .addAll(sampling.stopIds().stream().sorted().map(settings::numberNode).toList()));
    }
}
