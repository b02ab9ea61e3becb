package org.spin4j.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.spin4j.engine.SafeTensors.NamedStorage;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Storage;

/**
 * A model as Hugging Face lays it out in a folder: {@code config.json}, optionally {@code generation_config.json}, and the
 * weights in {@code model.safetensors} or in shards that {@code model.safetensors.index.json} lists. Whoever reads a tensor
 * does not see which.
 */
public final class ModelFolder implements Checkpoint {
    private static final String CONFIG = "config.json";
    private static final String GENERATION_CONFIG = "generation_config.json";
    private static final String WEIGHTS = Shards.SINGLE;
    private static final String INDEX = Shards.INDEX;
    private static final Pattern SHARD_NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]*\\.safetensors");
    /** transformers' {@code max_shard_size}: 5 GB. */
    private static final long MAX_SHARD_BYTES = 5_000_000_000L;
    private static final int MAX_CONFIG_BYTES = 1 << 20;
    private static final int MAX_INDEX_BYTES = 32 << 20;
    private static final List<String> COMPANIONS = List.of("tokenizer.json", "tokenizer.model", "tokenizer_config.json",
            "special_tokens_map.json",
            "added_tokens.json", "chat_template.jinja", GENERATION_CONFIG, "vocab.json", "merges.txt");

    private final Path dir;
    private final DecoderConfig config;
    private final Map<String, Place> places;
    private final Map<String, SafeTensors> shards;

    /** Where a tensor is, and what it is called there. */
    private record Place(SafeTensors file, String name) {}

    private ModelFolder(Path dir, DecoderConfig config, Map<String, SafeTensors> shardOf,
            Map<String, SafeTensors> shards) {
        this.dir = dir;
        this.config = config;
        this.shards = shards;
        // Saved without its head, a model's tensors lack the prefix: the files of GPT-2 for example.
        String prefix = config.family().prefix();
        boolean bare = shardOf.containsKey("embed_tokens.weight") || shardOf.containsKey("wte.weight");
        Map<String, Place> named = new LinkedHashMap<>();
        shardOf.forEach((name, file) -> named.put(bare && !name.startsWith("lm_head.") ? prefix + name : name,
                new Place(file, name)));
        places = Collections.unmodifiableMap(named);
    }

    /**
     * Opens a folder: reads the configuration and maps every weight file.
     *
     * @throws CheckpointException when a file is missing, broken or not supported
     */
    public static ModelFolder open(Path dir) {
        if (!Files.isDirectory(dir)) {
            throw new CheckpointException("expected a model folder, found none at " + dir);
        }
        DecoderConfig config = withGenerationConfig(DecoderConfig.read(dir.resolve(CONFIG)),
                dir.resolve(GENERATION_CONFIG));
        Map<String, SafeTensors> shards = new LinkedHashMap<>();
        try {
            Map<String, SafeTensors> shardOf = new LinkedHashMap<>();
            if (Files.exists(dir.resolve(WEIGHTS))) {
                SafeTensors all = SafeTensors.open(dir.resolve(WEIGHTS));
                shards.put(WEIGHTS, all);
                all.entries().keySet().forEach(name -> shardOf.put(name, all));
            } else if (Files.exists(dir.resolve(INDEX))) {
                openShards(dir, shards, shardOf);
            } else {
                throw new CheckpointException("expected " + WEIGHTS + " or " + INDEX + ", found neither in " + dir
                        + "; convert other formats with save_pretrained(safe_serialization=True)");
            }
            return new ModelFolder(dir, config, shardOf, shards);
        } catch (RuntimeException e) {
            shards.values().forEach(SafeTensors::close);
            throw e;
        }
    }

    private static DecoderConfig withGenerationConfig(DecoderConfig config, Path file) {
        if (!Files.exists(file)) {
            return config;
        }
        ConfigKeys keys = new ConfigKeys(CheckpointJson.read(file, MAX_CONFIG_BYTES), file.toString());
        List<Integer> eos = keys.tokenIds("eos_token_id", config.vocabSize());
        return eos.isEmpty() ? config : config.withEosOfGeneration(eos);
    }

    private static void openShards(Path dir, Map<String, SafeTensors> shards, Map<String, SafeTensors> shardOf) {
        Path index = dir.resolve(INDEX);
        ObjectNode root = CheckpointJson.read(index, MAX_INDEX_BYTES);
        if (!(root.get("weight_map") instanceof ObjectNode map)) {
            throw new CheckpointException("expected an object 'weight_map', found none in " + index);
        }
        for (Map.Entry<String, JsonNode> e : map.properties()) {
            String shardName = shardName(e.getValue(), index);
            SafeTensors shard = shards.computeIfAbsent(shardName, name -> SafeTensors.open(dir.resolve(name)));
            if (!shard.entries().containsKey(e.getKey())) {
                throw new CheckpointException("expected tensor " + CheckpointJson.quote(e.getKey()) + " in " + shardName
                        + ", found none there, though " + index + " says so");
            }
            shardOf.put(e.getKey(), shard);
        }
        for (SafeTensors shard : shards.values()) {
            for (String name : shard.entries().keySet()) {
                if (shardOf.get(name) != shard) {
                    throw new CheckpointException("expected every tensor once and in the index, found "
                            + CheckpointJson.quote(name) + " otherwise in " + shard + "; fetch " + index
                            + " and its shards again");
                }
            }
        }
    }

    /** A shard must lie in the folder itself: a name with a path in it could reach any file of the machine. */
    private static String shardName(JsonNode value, Path index) {
        String name = value.isTextual() ? value.textValue() : "";
        if (!SHARD_NAME.matcher(name).matches()) {
            throw new CheckpointException("expected the plain name of a .safetensors file, found "
                    + CheckpointJson.quote(value.toString()) + " in " + index);
        }
        return name;
    }

    /** The configuration; tokens that end a text are those of {@code generation_config.json} where it names any. */
    @Override
    public DecoderConfig config() {
        return config;
    }

    @Override
    public Path path() {
        return dir;
    }

    @Override
    public Set<String> names() {
        return places.keySet();
    }

    @Override
    public List<Long> shape(String name) {
        Place place = place(name);
        return place.file().entries().get(place.name()).shape();
    }

    @Override
    public DType type(String name) {
        Place place = place(name);
        return place.file().type(place.name());
    }

    @Override
    public Storage inPlace(String name) {
        Place place = place(name);
        return place.file().inPlace(place.name());
    }

    /** Reads a tensor as {@link SafeTensors#read} does. */
    @Override
    public void read(String name, Storage out) {
        Place place = place(name);
        place.file().read(place.name(), out);
    }

    /** Unmaps the weights. */
    @Override
    public void close() {
        shards.values().forEach(SafeTensors::close);
    }

    private Place place(String name) {
        Place place = places.get(name);
        if (place == null) {
            throw new CheckpointException(
                    "expected tensor " + CheckpointJson.quote(name) + ", found none of that name among "
                            + places.size() + " in " + dir + "; does config.json belong to these weights?");
        }
        return place;
    }

    /**
     * Writes a model that transformers and this engine load, weights of more than 5 GB in several files. All files are made in {@code NAME.incomplete} beside the folder,
     * which takes the folder's name when everything is on the disk: a folder of that name is always whole.
     *
     * @param dir            the folder; must not exist, or be empty
     * @param config         written as {@code config.json}, with the dtype of these weights
     * @param dtype          {@code F32}, {@code F16} or {@code BF16}
     * @param tensors        the weights
     * @param copyOthersFrom a model folder whose tokenizer files, chat template and generation_config.json come along; may
     *                       be null
     */
    public static void write(Path dir, DecoderConfig config, String dtype, List<NamedStorage> tensors,
            Path copyOthersFrom) {
        write(dir, config, dtype, tensors, copyOthersFrom, MAX_SHARD_BYTES);
    }

    static void write(Path dir, DecoderConfig config, String dtype, List<NamedStorage> tensors, Path copyOthersFrom,
            long maxShardBytes) {
        Path target = dir.toAbsolutePath().normalize();
        Path temporary = target.resolveSibling(target.getFileName() + ".incomplete");
        try {
            if (Files.exists(target, LinkOption.NOFOLLOW_LINKS) && !isEmptyFolder(target)) {
                throw new CheckpointException("expected a new or empty folder, found files in " + target
                        + "; remove it or choose another name");
            }
            removeFolder(temporary);
            Files.createDirectories(temporary);
            Files.write(temporary.resolve(CONFIG), CheckpointJson.bytes(config.toJson(dtype)));
            Shards.write(temporary, dtype, tensors, maxShardBytes);
            if (copyOthersFrom != null) {
                for (String name : COMPANIONS) {
                    if (Files.isRegularFile(copyOthersFrom.resolve(name))) {
                        Files.copy(copyOthersFrom.resolve(name), temporary.resolve(name));
                    }
                }
            }
            force(temporary);
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw CheckpointJson.unwritable(target, e);
        }
    }

    private static boolean isEmptyFolder(Path dir) throws IOException {
        if (!Files.isDirectory(dir, LinkOption.NOFOLLOW_LINKS)) {
            return false;
        }
        try (DirectoryStream<Path> files = Files.newDirectoryStream(dir)) {
            return !files.iterator().hasNext();
        }
    }

    /** Removes what an interrupted write left: plain files only, so that nothing else can be lost. */
    private static void removeFolder(Path dir) throws IOException {
        if (Files.exists(dir, LinkOption.NOFOLLOW_LINKS)) {
            try (DirectoryStream<Path> files = Files.newDirectoryStream(dir)) {
                for (Path file : files) {
                    Files.delete(file);
                }
            }
            Files.delete(dir);
        }
    }

    private static void force(Path dir) throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(dir)) {
            for (Path file : files) {
                try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                    channel.force(true);
                }
            }
        }
    }
}
