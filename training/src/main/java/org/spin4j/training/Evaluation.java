package org.spin4j.training;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What {@code evaluation.json} in a run says of a model.
 *
 * @param numbers by name, in the order of the file
 * @param samples a few answers to be read by a person; may be empty
 */
public record Evaluation(Map<String, Double> numbers, List<Spin.Shown> samples) {
    /** The file's name inside the stage. */
    public static final String FILE = "evaluation.json";

    /** Reads the file. */
    public static Evaluation read(Path file) {
        JsonNode node = JsonLines.readWhole(file);
        Map<String, Double> numbers = new LinkedHashMap<>();
        node.path("numbers").properties().forEach(e -> numbers.put(e.getKey(), e.getValue().asDouble()));
        List<Spin.Shown> samples = new ArrayList<>();
        node.path("samples").forEach(s -> samples.add(new Spin.Shown(s.path("prompt").asText(),
                s.path("real").asText(), s.path("generated").asText())));
        return new Evaluation(numbers, samples);
    }

    /** Writes the file into a stage's folder. */
    public void write(Path folder) {
        ObjectNode out = JsonLines.JSON.createObjectNode();
        ObjectNode node = out.putObject("numbers");
        numbers.forEach(node::put);
        var array = out.putArray("samples");
        samples.forEach(s -> array.addObject().put("prompt", s.prompt()).put("real", s.real()).put("generated",
                s.generated()));
        AtomicFiles.writeText(folder.resolve(FILE), out.toPrettyString() + "\n");
    }
}
