package org.spin4j.training.selfreward;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.spin4j.training.AtomicFiles;
import org.spin4j.training.JsonLines;
import org.spin4j.training.judge.PreferencePairs;

/**
 * What became of the prompts of an iteration and of the judgements of their candidates; {@link PreferencePairs} as numbers.
 *
 * @param prompts   all of them
 * @param pairs     prompts that gave a pair
 * @param ties      prompts whose candidates all have one score
 * @param equal     prompts whose best and worst candidates are the same text
 * @param unjudged  prompts with fewer than two candidates that have a score
 * @param unusable  judgements without a score, by the reason
 * @param histogram judgements by their score
 */
record PairSummary(int prompts, int pairs, int ties, int equal, int unjudged, Map<String, Integer> unusable,
        TreeMap<Double, Integer> histogram) {
    static PairSummary of(PreferencePairs found) {
        Map<String, Integer> unusable = new TreeMap<>();
        found.unusable().forEach((reason, n) -> unusable.put(reason.toString(), n));
        return new PairSummary(found.prompts(), found.pairs().size(), found.ties(), found.equal(), found.unjudged(),
                unusable, new TreeMap<>(found.histogram()));
    }

    static PairSummary read(Path file) {
        JsonNode node = JsonLines.readWhole(file);
        Map<String, Integer> unusable = new TreeMap<>();
        node.path("unusable").properties().forEach(e -> unusable.put(e.getKey(), e.getValue().asInt()));
        TreeMap<Double, Integer> histogram = new TreeMap<>();
        node.path("histogram").properties()
                .forEach(e -> histogram.put(Double.valueOf(e.getKey()), e.getValue().asInt()));
        return new PairSummary(node.path("prompts").asInt(), node.path("pairs").asInt(), node.path("ties").asInt(),
                node.path("equal").asInt(), node.path("unjudged").asInt(), unusable, histogram);
    }

    void write(Path file) {
        ObjectNode node = JsonLines.JSON.createObjectNode();
        node.put("prompts", prompts).put("pairs", pairs).put("ties", ties).put("equal", equal).put("unjudged",
                unjudged);
        ObjectNode reasons = node.putObject("unusable");
        unusable.forEach(reasons::put);
        ObjectNode scores = node.putObject("histogram");
        histogram.forEach((score, n) -> scores.put(score.toString(), n));
        AtomicFiles.writeText(file, node.toPrettyString() + "\n");
    }

    /** The score that the judge gave every time, if there is such a one. */
    boolean alwaysTheSame() {
        return histogram.size() == 1 && histogram.firstEntry().getValue() > 1;
    }

    /** Lines for the terminal: pairs and drops, then scores. */
    List<String> lines() {
        List<String> lines = new ArrayList<>();
        lines.add(String.format(Locale.ROOT,
                "%,d pairs of %,d prompts; dropped: %,d ties, %,d of equal text, %,d unjudged",
                pairs, prompts, ties, equal, unjudged));
        String scores = histogram.entrySet().stream().map(e -> number(e.getKey()) + ": " + e.getValue())
                .collect(Collectors.joining(", "));
        String bad = unusable.entrySet().stream().map(e -> e.getValue() + " " + e.getKey())
                .collect(Collectors.joining(", "));
        lines.add("scores " + scores + (bad.isEmpty() ? "" : "; unusable judgements: " + bad));
        if (alwaysTheSame()) {
            lines.add("the judge says " + number(histogram.firstKey())
                    + " of everything: it cannot tell candidates apart");
        }
        return lines;
    }

    /** A score without needless digits. */
    static String number(double score) {
        return score == Math.rint(score) ? Long.toString((long) score) : Double.toString(score);
    }
}
