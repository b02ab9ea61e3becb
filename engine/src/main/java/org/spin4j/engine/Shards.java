package org.spin4j.engine;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.spin4j.engine.SafeTensors.NamedStorage;

/**
 * How weights are cut into files as transformers cuts them: one {@code model.safetensors} where they fit, otherwise shards
 * {@code model-00001-of-00003.safetensors}, filled one after the other in the order of the tensors, and an index that says which holds what.
 */
final class Shards {
    /** The weights in one file. */
    static final String SINGLE = "model.safetensors";
    /** The list of shards. */
    static final String INDEX = "model.safetensors.index.json";

    private Shards() {}

    /**
     * Writes the files; the index comes last.
     *
     * @param dtype    {@code F32}, {@code F16} or {@code BF16}
     * @param maxBytes of tensors in one file; a tensor that is larger gets a file of its own
     */
    static void write(Path dir, String dtype, List<NamedStorage> tensors, long maxBytes) throws IOException {
        int width = FloatFormat.valueOf(dtype).bytes();
        List<List<NamedStorage>> shards = cut(tensors, width, maxBytes);
        Map<String, String> metadata = Map.of("format", "pt");
        if (shards.size() == 1) {
            SafeTensors.write(dir.resolve(SINGLE), metadata, dtype, tensors);
            return;
        }
        ObjectNode root = CheckpointJson.NODES.objectNode();
        root.putObject("metadata").put("total_size", tensors.stream().mapToLong(t -> t.data().size() * width).sum());
        Map<String, String> shardOf = new TreeMap<>();
        for (int i = 0; i < shards.size(); i++) {
            String file = "model-%05d-of-%05d.safetensors".formatted(i + 1, shards.size());
            SafeTensors.write(dir.resolve(file), metadata, dtype, shards.get(i));
            shards.get(i).forEach(t -> shardOf.put(t.name(), file));
        }
        ObjectNode map = root.putObject("weight_map");
        shardOf.forEach(map::put);
        Files.write(dir.resolve(INDEX), CheckpointJson.bytes(root));
    }

    private static List<List<NamedStorage>> cut(List<NamedStorage> tensors, int width, long maxBytes) {
        List<List<NamedStorage>> shards = new ArrayList<>();
        shards.add(new ArrayList<>());
        long filled = 0;
        for (NamedStorage tensor : tensors) {
            long bytes = tensor.data().size() * width;
            if (filled + bytes > maxBytes && !shards.getLast().isEmpty()) {
                shards.add(new ArrayList<>());
                filled = 0;
            }
            shards.getLast().add(tensor);
            filled += bytes;
        }
        return shards;
    }
}
