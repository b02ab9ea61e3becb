package org.spin4j.training.hub;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.spin4j.training.BadInputException;

/**
 * Which files of a repository are wanted. Chosen from a list of known names, all in the repository's own folder: whatever else a
 * server lists, a path among it, is never asked for and never becomes a path here.
 */
final class HubFiles {
    private static final Pattern TOKENIZER = Pattern.compile("tokenizer\\.json|tokenizer\\.model|spiece\\.model|"
            + "tokenizer_config\\.json|special_tokens_map\\.json|added_tokens\\.json|vocab\\.(json|txt)|merges\\.txt|"
            + "[A-Za-z0-9_]{1,60}\\.tiktoken|chat_template\\.(jinja|json)");
    private static final Pattern CONFIG = Pattern.compile("config\\.json|generation_config\\.json");
    private static final Pattern SHARD = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]{0,150}\\.safetensors");
    private static final String WEIGHTS = "model.safetensors";
    private static final String INDEX = "model.safetensors.index.json";
    private static final int MAX_INDEX_BYTES = 32 << 20;

    private HubFiles() {}

    /** What a model or a tokenizer wants of the files there, apart from shards. */
    static List<String> wanted(Hub.Part part, Collection<String> there, HubName name) {
        List<String> wanted = new ArrayList<>();
        for (String file : new TreeSet<>(there)) {
            if (TOKENIZER.matcher(file).matches() || (part == Hub.Part.MODEL && CONFIG.matcher(file).matches())) {
                wanted.add(file);
            }
        }
        if (part == Hub.Part.MODEL) {
            if (!there.contains("config.json")) {
                throw BadInputException.of("expected a config.json in %s, found none; is it a model?", name);
            }
            if (!there.contains(WEIGHTS) && !there.contains(INDEX)) {
                throw BadInputException.of("expected %s or %s in %s, found neither; take a repository with safetensors",
                        WEIGHTS, INDEX, name);
            }
            wanted.add(there.contains(WEIGHTS) ? WEIGHTS : INDEX);
        } else if (wanted.isEmpty()) {
            throw BadInputException.of("expected a tokenizer in %s, found none", name);
        }
        return wanted;
    }

    /** The shards that the index in a folder names; none where there is no index or the weights are in one file. */
    static List<String> shards(Path folder) throws IOException {
        Path index = folder.resolve(INDEX);
        if (Files.exists(folder.resolve(WEIGHTS)) || !Files.exists(index)) {
            return List.of();
        }
        if (Files.size(index) > MAX_INDEX_BYTES) {
            throw BadInputException.of("expected at most %d bytes, found more in %s", MAX_INDEX_BYTES, index);
        }
        TreeSet<String> shards = new TreeSet<>();
        JsonNode root;
        try {
            root = new ObjectMapper().readTree(Files.readAllBytes(index));
        } catch (JsonProcessingException e) {
            throw new BadInputException("expected JSON in " + index + ", found something else", e);
        }
        for (JsonNode shard : root.path("weight_map")) {
            if (!SHARD.matcher(shard.asText()).matches()) {
                throw BadInputException.of("expected the plain name of a .safetensors file, found '%s' in %s",
                        BadInputException.excerpt(shard.asText()), index);
            }
            shards.add(shard.asText());
        }
        return List.copyOf(shards);
    }

    /** Whether a snapshot holds all that is wanted of it. */
    static boolean complete(Hub.Part part, Path snapshot) throws IOException {
        if (!Files.isDirectory(snapshot)) {
            return false;
        }
        List<String> there = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(snapshot)) {
            for (Path file : files) {
                // A link whose blob is gone does not count.
                if (Files.exists(file)) {
                    there.add(file.getFileName().toString());
                }
            }
        }
        if (part == Hub.Part.TOKENIZER) {
            return there.stream().anyMatch(file -> TOKENIZER.matcher(file).matches());
        }
        return there.contains("config.json")
                && (there.contains(WEIGHTS) || (there.contains(INDEX) && there.containsAll(shards(snapshot))));
    }
}
