package org.spin4j.tokenizer;

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

/**
 * Ten thousand damaged tokenizers of every format, the same in each run: each is a tokenizer that encodes or one line that says what is
 * wrong, within bounded memory and time.
 */
class MutatedFilesTest {
    private static final int FILES = 10_000;
    /** Ten times what the slowest takes on a quiet machine, where the compiler has not come to it yet. */
    private static final long MAX_NANOS = 2_000_000_000L;
    /** A good one takes a megabyte, one with the id 4,194,303 rows of as many. */
    private static final long MAX_BYTES = 64L << 20;
    private static final String TEXT = "The ﬁrst  text, 12 <a> </s> é🙂\n";

    /** What damages a file when it lies in the wrong place: numbers of every format, brackets, half characters, giants. */
    private static final List<byte[]> SPLICES = Stream.of("-1", "0", "1e999", "9".repeat(40), "[".repeat(3000),
            "{\"a\":".repeat(1500), "\\ud800", "\"", "\n", " ", "A".repeat(100_000), "\0", "\0\0\0\0", "\u007f\0\0\0",
            "ÿÿÿÿ", "ÿÿÿ\u007f", "ÿÿÿÿ\u000f", "ÿÿÿÿÿÿÿÿÿ\u0001", "\n\0", "\n\u0004\n\u0002aa", "=", "Li4= 5\n",
            "\u0000\u0000\u0080\u007f").map(text -> text.getBytes(StandardCharsets.ISO_8859_1)).toList();

    private static final List<String> VALUES = List.of("null", "true", "-1", "0", "1", "7", "4194303", "4194304",
            "2147483648", "1e300", "1e999", "\"\"", "\"a\"", "\" \"", "\"<s>\"", "[]", "{}", "[[]]",
            "[\"a\",\"a\"]", "[\"a\",0]", "\"(a*)*b\"", "{\"String\":\" \"}", "{\"Regex\":\"(x+x+)+y\"}",
            "{\"type\":\"ByteLevel\"}", "{\"type\":\"Sequence\",\"normalizers\":[]}",
            "\"" + "ab ".repeat(20_000) + "\"",
            "[".repeat(900) + "]".repeat(900));

    /** The files of one tokenizer, whole. */
    private record Original(Path dir, List<Path> files, List<byte[]> bytes) {}

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private final AtomicInteger loaded = new AtomicInteger();
    private final AtomicInteger refused = new AtomicInteger();

    @Test
    void eachIsATokenizerOrOneLine(@TempDir Path dir) throws IOException {
        List<Original> originals = originals(dir);
        IntStream.range(0, originals.size()).parallel().forEach(o -> {
            for (int i = o; i < FILES; i += originals.size()) {
                mutate(originals.get(o), i);
            }
        });
        assertThat(List.of(loaded, refused)).allMatch(count -> count.get() > FILES / 10);
        assertThat(loaded.get() + refused.get()).isEqualTo(FILES);
    }

    private void mutate(Original original, int number) {
        SplittableRandom random = new SplittableRandom(number);
        int which = random.nextInt(original.files.size());
        Path file = original.files.get(which);
        try {
            Files.write(file, mutated(file, original.bytes.get(which), random));
            check(original, "mutation " + number + " of " + file);
            Files.write(file, original.bytes.get(which));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void check(Original original, String name) {
        long thread = Thread.currentThread().threadId();
        long time = threads.getCurrentThreadCpuTime();
        long memory = threads.getThreadAllocatedBytes(thread);
        try {
            Tokenizer tokenizer = Tokenizer.load(original.dir);
            loaded.incrementAndGet();
            try {
                tokenizer.decode(tokenizer.encode(TEXT), false);
                tokenizer.encode(TEXT, EncodeOptions.PLAIN);
            } catch (TokenizerException e) {
                assertThat(e.getMessage()).as(name).startsWith("expected ").doesNotContain("\n");
            }
        } catch (TokenizerException e) {
            refused.incrementAndGet();
            assertThat(e.getMessage()).as(name).startsWith("expected ").contains(", found ", "; ")
                    .contains(original.dir.toString()).doesNotContain("\n").hasSizeLessThan(700);
        } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
            throw new AssertionError(name, e);
        }
        assertThat(threads.getThreadAllocatedBytes(thread) - memory).as("bytes allocated, " + name)
                .isLessThan(MAX_BYTES);
        assertThat(threads.getCurrentThreadCpuTime() - time).as("nanoseconds, " + name).isLessThan(MAX_NANOS);
    }

    private static List<Original> originals(Path dir) throws IOException {
        List<Original> originals = new ArrayList<>();
        for (JsonNode row : Fixtures.resourceLines("formats.jsonl")) {
            originals.add(original(OtherFormatsTest.write(row, dir.resolve("tokenizer" + originals.size()))));
        }
        for (String resource : List.of("variants.jsonl", "models.jsonl")) {
            for (JsonNode row : Fixtures.resourceLines(resource)) {
                Path folder = Files.createDirectories(dir.resolve("tokenizer" + originals.size()));
                Files.writeString(folder.resolve("tokenizer.json"), row.get("tokenizer").toString());
                originals.add(original(folder));
            }
        }
        return originals;
    }

    private static Original original(Path dir) throws IOException {
        try (Stream<Path> list = Files.list(dir)) {
            List<Path> files = list.sorted().toList();
            List<byte[]> bytes = new ArrayList<>();
            for (Path file : files) {
                bytes.add(Files.readAllBytes(file));
            }
            return new Original(dir, files, bytes);
        }
    }

    private static byte[] mutated(Path file, byte[] whole, SplittableRandom random) throws IOException {
        if (file.toString().endsWith(".json") && random.nextInt(3) > 0) {
            JsonNode tree = Json.Mapping.MAPPER.readTree(whole);
            for (int n = random.nextInt(1, 3); n > 0; n--) {
                damage(tree, random);
            }
            return Json.Mapping.MAPPER.writeValueAsBytes(tree);
        }
        int from = random.nextInt(whole.length);
        int to = Math.min(whole.length, from + random.nextInt(1, 64));
        byte[] splice = SPLICES.get(random.nextInt(SPLICES.size()));
        return switch (random.nextInt(7)) {
            case 0 -> Arrays.copyOf(whole, from);
            case 1 -> flipped(whole, random);
            case 2 -> joined(whole, from, splice, from);
            case 3 -> joined(whole, from, splice, Math.min(whole.length, from + splice.length));
            case 4 -> joined(whole, from, new byte[0], to);
            case 5 -> joined(whole, to, Arrays.copyOfRange(whole, from, to), to);
            default -> joined(whole, from, Arrays.copyOf(whole, random.nextInt(whole.length)), to);
        };
    }

    private static byte[] flipped(byte[] whole, SplittableRandom random) {
        byte[] bytes = whole.clone();
        for (int n = random.nextInt(1, 6); n > 0; n--) {
            bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
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
        JsonNode value = switch (random.nextInt(4)) {
            case 0 -> child(parent, random).deepCopy();
            case 1 -> child(root, random).deepCopy();
            default -> value(random);
        };
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
                case 2 -> object.set("A".repeat(5000), value);
                default -> object.set(key, value);
            }
        }
    }

    private static JsonNode value(SplittableRandom random) throws JsonProcessingException {
        return Json.Mapping.MAPPER.readTree(VALUES.get(random.nextInt(VALUES.size())));
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
