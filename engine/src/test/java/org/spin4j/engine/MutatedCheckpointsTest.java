package org.spin4j.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.management.ThreadMXBean;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.spin4j.engine.DecoderConfig.Family;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.ScalarKernels;

/**
 * Seven thousand damaged model folders, the same in each run: configuration, weights in one file and in shards, index. Each is a model
 * that computes or one line that says what is wrong, within a second and without more memory than its files warrant.
 */
class MutatedCheckpointsTest {
    private static final int FOLDERS = 7000;
    private static final long MAX_NANOS = 1_000_000_000L;
    /** Of the heap; the weights lie elsewhere. */
    private static final long MAX_BYTES = 16L << 20;

    private static final List<byte[]> SPLICES = Stream.of("-1", "0", "1e999", "9".repeat(40), "[".repeat(3000),
            "{\"a\":".repeat(1500), "\\ud800", "\"", "\n", " ", "A".repeat(100_000), "\0", "\0\0\0\0", "ÿÿÿÿ",
            "ÿÿÿ\u007f").map(text -> text.getBytes(StandardCharsets.ISO_8859_1)).toList();

    private static final List<String> VALUES = List.of("null", "true", "false", "-1", "0", "1", "2", "3", "7", "16",
            "4096", "4097", "65536", "2147483647", "2147483648", "9223372036854775807", "1e-300", "0.5", "1e30",
            "1e300",
            "1e999", "\"\"", "\"a\"", "\"F16\"", "\"F64\"", "\"I64\"", "\"BF16\"", "\"gelu\"", "\"llama3\"",
            "\"../model.safetensors\"", "\"model.safetensors\"", "[]", "{}", "[[]]", "[0,0]", "[0,9223372036854775807]",
            "[-1]", "[4294967296,4294967296]", "[[\"global\"],2147483647]",
            "{\"rope_type\":\"linear\",\"factor\":1e-30}",
            "[".repeat(30) + "]".repeat(30));

    /** The files of one model, whole. */
    private record Original(Path dir, List<Path> files, List<byte[]> bytes) {}

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private final Kernels kernels = new ScalarKernels();
    private final AtomicInteger loaded = new AtomicInteger();
    private final AtomicInteger refused = new AtomicInteger();

    @TempDir
    private Path dir;

    @Test
    void eachIsAModelOrOneLine() throws IOException {
        List<Original> originals = new ArrayList<>();
        for (Family family : List.of(Family.LLAMA, Family.GPT_NEO)) {
            for (String dtype : List.of("F32", "BF16")) {
                originals.add(original(family, dtype, Integer.MAX_VALUE));
                originals.add(original(family, dtype, 6000));
            }
        }
        IntStream.range(0, originals.size()).parallel().forEach(o -> {
            try (Workspace workspace = new Workspace(DType.F32)) {
                for (int i = o; i < FOLDERS; i += originals.size()) {
                    mutate(originals.get(o), i, workspace);
                }
            }
        });
        assertThat(List.of(loaded, refused)).allMatch(count -> count.get() > FOLDERS / 10);
        assertThat(loaded.get() + refused.get()).isEqualTo(FOLDERS);
    }

    private Original original(Family family, String dtype, long shardBytes) throws IOException {
        Path folder = dir.resolve(family + dtype + shardBytes);
        try (Decoder model = TinyModels.of(family, DType.F32)) {
            ModelFolder.write(folder, model.config(), dtype, model.tensors(), null, shardBytes);
        }
        try (Stream<Path> list = Files.list(folder)) {
            List<Path> files = list.sorted().toList();
            List<byte[]> bytes = new ArrayList<>();
            for (Path file : files) {
                bytes.add(Files.readAllBytes(file));
            }
            return new Original(folder, files, bytes);
        }
    }

    private void mutate(Original original, int number, Workspace workspace) {
        SplittableRandom random = new SplittableRandom(number);
        // The configuration and the index as often as all weights together.
        List<Path> files = original.files;
        boolean weights = random.nextBoolean();
        List<Integer> some = IntStream.range(0, files.size())
                .filter(i -> files.get(i).toString().endsWith(".safetensors") == weights).boxed().toList();
        int which = some.get(random.nextInt(some.size()));
        Path file = files.get(which);
        try {
            Files.write(file, mutated(file, original.bytes.get(which), random));
            check(original, random.nextBoolean(), workspace, "mutation " + number + " of " + file);
            Files.write(file, original.bytes.get(which));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void check(Original original, boolean frozen, Workspace workspace, String name) throws IOException {
        long thread = Thread.currentThread().threadId();
        long time = threads.getCurrentThreadCpuTime();
        long memory = threads.getThreadAllocatedBytes(thread);
        try (Decoder model = frozen ? Decoder.loadFrozen(original.dir) : Decoder.load(original.dir)) {
            loaded.incrementAndGet();
            int[] ids = {0};
            workspace.reset();
            Tape tape = Tape.inference(kernels, workspace);
            Tensor hidden = model.forward(tape, ids, Golden.Batch.of(ids).forest());
            TokenLogProbs.apply(tape, hidden, model.head(), ids);
            long files = 0;
            for (Path file : original.files) {
                files += Files.size(file);
            }
            // F32 takes twice the bytes of BF16.
            assertThat(4 * model.parameters().count()).as(name).isLessThan(2 * files);
        } catch (CheckpointException e) {
            refused.incrementAndGet();
            assertThat(e.getMessage()).as(name).contains("expected ", ", found ").contains(original.dir.toString())
                    .doesNotContain("\n").hasSizeLessThan(700);
        } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
            throw new AssertionError(name, e);
        }
        assertThat(threads.getThreadAllocatedBytes(thread) - memory).as("bytes allocated, " + name)
                .isLessThan(MAX_BYTES);
        assertThat(threads.getCurrentThreadCpuTime() - time).as("nanoseconds, " + name).isLessThan(MAX_NANOS);
    }

    private static byte[] mutated(Path file, byte[] whole, SplittableRandom random) throws IOException {
        boolean json = file.toString().endsWith(".json");
        if (random.nextInt(3) > 0) {
            return json ? damagedJson(whole, random) : damagedHeader(whole, random);
        }
        // Of weights, the header is what can be wrong.
        int within = json ? whole.length : Math.min(whole.length, 600);
        int from = random.nextInt(within);
        int to = Math.min(whole.length, from + random.nextInt(1, 64));
        byte[] splice = SPLICES.get(random.nextInt(SPLICES.size()));
        return switch (random.nextInt(6)) {
            case 0 -> Arrays.copyOf(whole, random.nextInt(whole.length));
            case 1 -> flipped(whole, within, random);
            case 2 -> joined(whole, from, splice, from);
            case 3 -> joined(whole, from, splice, Math.min(whole.length, from + splice.length));
            case 4 -> joined(whole, from, new byte[0], to);
            default -> joined(whole, to, Arrays.copyOfRange(whole, from, to), to);
        };
    }

    private static byte[] damagedJson(byte[] whole, SplittableRandom random) throws IOException {
        JsonNode tree = CheckpointJson.Mapping.MAPPER.readTree(whole);
        for (int n = random.nextInt(1, 3); n > 0; n--) {
            damage(tree, random);
        }
        return CheckpointJson.Mapping.MAPPER.writeValueAsBytes(tree);
    }

    /** The header with another tree and the right length. */
    private static byte[] damagedHeader(byte[] whole, SplittableRandom random) throws IOException {
        int length = (int) ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN).getLong();
        byte[] header = damagedJson(Arrays.copyOfRange(whole, 8, 8 + length), random);
        return ByteBuffer.allocate(whole.length - length + header.length).order(ByteOrder.LITTLE_ENDIAN)
                .putLong(header.length).put(header).put(whole, 8 + length, whole.length - 8 - length).array();
    }

    private static byte[] flipped(byte[] whole, int within, SplittableRandom random) {
        byte[] bytes = whole.clone();
        for (int n = random.nextInt(1, 6); n > 0; n--) {
            bytes[random.nextInt(within)] ^= (byte) (1 << random.nextInt(8));
        }
        return bytes;
    }

    private static byte[] joined(byte[] whole, int end, byte[] between, int start) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(whole, 0, end);
        out.writeBytes(between);
        out.write(whole, start, whole.length - start);
        return out.toByteArray();
    }

    /** Walks down to a random place; there a value becomes another, a copy of another, or goes. */
    private static void damage(JsonNode root, SplittableRandom random) throws JsonProcessingException {
        JsonNode parent = root;
        while (true) {
            if (parent.isEmpty()) {
                return;
            }
            JsonNode child = child(parent, random);
            if (!child.isContainerNode() || child.isEmpty() || random.nextInt(4) == 0) {
                break;
            }
            parent = child;
        }
        JsonNode value = random.nextInt(4) == 0
                ? child(parent, random).deepCopy()
                : CheckpointJson.Mapping.MAPPER.readTree(VALUES.get(random.nextInt(VALUES.size())));
        int place = random.nextInt(parent.size());
        if (parent instanceof ArrayNode array) {
            switch (random.nextInt(3)) {
                case 0 -> array.remove(place);
                case 1 -> array.insert(place, value);
                default -> array.set(place, value);
            }
        } else {
            ObjectNode object = (ObjectNode) parent;
            String key = object.properties().stream().skip(place).findFirst().orElseThrow().getKey();
            switch (random.nextInt(5)) {
                case 0 -> object.remove(key);
                case 1 -> object.set(key + "x", value);
                default -> object.set(key, value);
            }
        }
    }

    private static JsonNode child(JsonNode parent, SplittableRandom random) {
        int skip = random.nextInt(parent.size());
        for (JsonNode child : parent) {
            if (skip-- == 0) {
                return child;
            }
        }
        throw new IllegalStateException("a child less than counted");
    }
}
