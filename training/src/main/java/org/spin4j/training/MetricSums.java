package org.spin4j.training;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.Map;

/** Weighted means of named numbers, in the order of their first mention. */
final class MetricSums {
    private final Map<String, double[]> sums = new LinkedHashMap<>();

    /** Adds {@code value · weight} to a sum and {@code weight} to its weight. */
    void add(String name, double value, double weight) {
        double[] s = sums.computeIfAbsent(name, n -> new double[2]);
        s[0] += value * weight;
        s[1] += weight;
    }

    /** The mean of each. */
    Map<String, Double> means() {
        Map<String, Double> means = new LinkedHashMap<>();
        sums.forEach((name, s) -> means.put(name, s[0] / s[1]));
        return means;
    }

    /** The sums themselves, exactly. */
    ObjectNode toJson() {
        ObjectNode node = JsonNodeFactory.instance.objectNode();
        sums.forEach((name, s) -> node.putArray(name).add(s[0]).add(s[1]));
        return node;
    }

    /** What {@link #toJson} wrote. */
    static MetricSums ofJson(JsonNode node) {
        MetricSums m = new MetricSums();
        node.properties().forEach(e -> m.sums.put(e.getKey(),
                new double[]{e.getValue().get(0).asDouble(), e.getValue().get(1).asDouble()}));
        return m;
    }

    /** The mean of one, or NaN where nothing was added. */
    double mean(String name) {
        double[] s = sums.get(name);
        return s == null ? Double.NaN : s[0] / s[1];
    }
}
