package org.spin4j.training.selfreward;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.spin4j.training.AtomicFiles;
import org.spin4j.training.Interval;
import org.spin4j.training.JsonLines;
import org.spin4j.training.judge.RewardModelReport;

/** Figures with intervals as files: {@code name}, {@code name_low}, {@code name_high}. */
final class RewardFigures {
    /** Name of the file of reward-model figures in an evaluation's folder. */
    static final String FILE = "reward-model.json";
    /** The paper's five figures of a reward model, as tables call them, by their names in the file. */
    static final Map<String, String> NAMES = names();

    private RewardFigures() {}

    private static Map<String, String> names() {
        Map<String, String> names = new LinkedHashMap<>();
        names.put("pairwise_accuracy", "pairwise accuracy");
        names.put("five_best", "5-best");
        names.put("exact_match", "exact match");
        names.put("spearman", "Spearman");
        names.put("kendall_tau_b", "Kendall τ-b");
        return names;
    }

    static void write(Path folder, RewardModelReport report) {
        AtomicFiles.writeText(folder.resolve(FILE), json(report.numbers()));
    }

    /** Figures as the text of a file; a number that JSON does not know is left out. */
    static String json(Map<String, Double> numbers) {
        ObjectNode node = JsonLines.JSON.createObjectNode();
        numbers.forEach((name, value) -> {
            if (Double.isFinite(value)) {
                node.put(name, value);
            }
        });
        return node.toPrettyString() + "\n";
    }

    /** Figures from a file. */
    static Map<String, Double> read(Path file) {
        Map<String, Double> numbers = new LinkedHashMap<>();
        JsonLines.readWhole(file).properties().forEach(e -> {
            if (e.getValue().isNumber()) {
                numbers.put(e.getKey(), e.getValue().asDouble());
            }
        });
        return numbers;
    }

    /** The five estimates without their intervals. */
    static Map<String, Double> main(Map<String, Double> numbers) {
        Map<String, Double> main = new LinkedHashMap<>(numbers);
        main.keySet().retainAll(NAMES.keySet());
        return main;
    }

    /** A figure with its interval. */
    static Optional<Interval> interval(Map<String, Double> numbers, String name) {
        return List.of(name, name + "_low", name + "_high").stream().allMatch(numbers::containsKey)
                ? Optional.of(new Interval(numbers.get(name), numbers.get(name + "_low"), numbers.get(name + "_high")))
                : Optional.empty();
    }
}
