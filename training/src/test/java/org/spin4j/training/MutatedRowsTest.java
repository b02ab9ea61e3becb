package org.spin4j.training;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.management.ThreadMXBean;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.spin4j.training.JsonLines.Line;

/** A thousand damaged files of rows, the same in each run: each is rows or one line that names file and place. */
class MutatedRowsTest {
    private static final int FILES = 1000;
    private static final long MAX_NANOS = 1_000_000_000L;
    private static final long MAX_BYTES = 16L << 20;

    private static final List<byte[]> ROWS = Stream.of(
            """
                    {"input_ids":[3,1,4],"labels":[-100,1,4]}
                    {"prompt":"2+2=","completion":"4"}
                    {"text":"Zoë 🙂"}
                    {"messages":[{"role":"system","content":"s"},{"role":"user","content":"u"},{"role":"assistant","content":"a"}]}
                    """,
            """
                    {"prompt_ids":[1],"chosen_ids":[2,3],"rejected_ids":[4]}
                    {"prompt":"p","chosen":"c","rejected":"r"}
                    {"chosen":[{"role":"user","content":"u"},{"role":"assistant","content":"a"}],"rejected":[{"role":"user","content":"u"},{"role":"assistant","content":"b"}]}
                    """,
            """
                    {"prompt_ids":[1],"real_ids":[2,3],"generated_ids":[4]}
                    {"real":[{"role":"user","content":"u"},{"role":"assistant","content":"a"}],"generated":[{"role":"user","content":"u"},{"role":"assistant","content":"b"}]}
                    """,
            "{\"input_ids\":[3,1,4]}\n{\"prompt_ids\":[1],\"chosen_ids\":[2],\"rejected_ids\":[4]}\n",
            """
                    {"prompt_ids":[1,2,3],"id":7}
                    {"prompt":"Once"}
                    {"messages":[{"role":"user","content":"u"}]}
                    """).map(text -> text.getBytes(StandardCharsets.UTF_8)).toList();

    private static final List<Function<Line, ?>> PARSERS = List.of(RowParser::sft, RowParser::dpo, RowParser::spin,
            RowParser::score, RowParser::generate);

    private static final List<byte[]> SPLICES = Stream.of("-1", "-100", "1e999", "9".repeat(40), "2147483648", "1.5",
            "[".repeat(3000), "{\"a\":".repeat(1500), "\\ud800", "\"", "\n", "\r\n", " ", "A".repeat(100_000), "null",
            "true", "[]", "{}", "\"\"", ",", ":", "\0", "ÿþ", "ï»¿", "\"role\":\"user\",")
            .map(text -> text.getBytes(StandardCharsets.ISO_8859_1)).toList();

    private static final List<String> VALUES = List.of("null", "true", "-1", "-100", "0", "5", "1.5", "2147483648",
            "1e999",
            "\"\"", "\"user\"", "\"assistant\"", "\"tool\"", "\"\\ud800\"", "[]", "{}", "[[]]", "[1]", "[1,2,3]",
            "[\"a\"]",
            "{\"role\":\"user\",\"content\":\"u\"}", "[{\"role\":\"assistant\",\"content\":null}]");

    @Test
    void eachIsRowsOrOneLine(@TempDir Path dir) throws IOException {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long thread = Thread.currentThread().threadId();
        Path file = dir.resolve("rows.jsonl");
        for (int kind = 0; kind < ROWS.size(); kind++) {
            // Undamaged, for what is loaded at first use.
            JsonLines.readAll(Files.write(file, ROWS.get(kind)), PARSERS.get(kind));
        }
        int read = 0;
        for (int i = 0; i < FILES; i++) {
            int kind = i % ROWS.size();
            Files.write(file, mutated(ROWS.get(kind), new SplittableRandom(i)));
            String name = "mutation " + i;
            long time = threads.getCurrentThreadCpuTime();
            long memory = threads.getThreadAllocatedBytes(thread);
            try {
                JsonLines.readAll(file, PARSERS.get(kind));
                read++;
            } catch (BadInputException e) {
                assertThat(e.getMessage()).as(name).startsWith("expected ").contains(", found ").contains(file + ":")
                        .doesNotContain("\n").hasSizeLessThan(700);
            } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
                throw new AssertionError(name, e);
            }
            assertThat(threads.getThreadAllocatedBytes(thread) - memory).as("bytes allocated, " + name)
                    .isLessThan(MAX_BYTES);
            assertThat(threads.getCurrentThreadCpuTime() - time).as("nanoseconds, " + name).isLessThan(MAX_NANOS);
        }
        assertThat(read).isBetween(FILES / 20, FILES * 9 / 10);
    }

    private static byte[] mutated(byte[] whole, SplittableRandom random) throws IOException {
        if (random.nextBoolean()) {
            List<String> lines = new ArrayList<>(new String(whole, StandardCharsets.UTF_8).lines().toList());
            int place = random.nextInt(lines.size());
            JsonNode row = JsonLines.JSON.readTree(lines.get(place));
            damage(row, random);
            lines.set(place, row.toString());
            return String.join("\n", lines).getBytes(StandardCharsets.UTF_8);
        }
        int from = random.nextInt(whole.length);
        int to = Math.min(whole.length, from + random.nextInt(1, 32));
        byte[] splice = SPLICES.get(random.nextInt(SPLICES.size()));
        return switch (random.nextInt(6)) {
            case 0 -> Arrays.copyOf(whole, from);
            case 1 -> flipped(whole, random);
            case 2 -> joined(whole, from, splice, from);
            case 3 -> joined(whole, from, splice, Math.min(whole.length, from + splice.length));
            case 4 -> joined(whole, from, new byte[0], to);
            default -> joined(whole, to, Arrays.copyOfRange(whole, from, to), to);
        };
    }

    /** Walks down to a random place; there a value becomes another or goes. */
    private static void damage(JsonNode root, SplittableRandom random) throws IOException {
        JsonNode parent = root;
        int place = random.nextInt(parent.size());
        for (JsonNode child = child(parent, place); child.isContainerNode() && !child.isEmpty()
                && random.nextInt(3) > 0; child = child(parent, place)) {
            parent = child;
            place = random.nextInt(parent.size());
        }
        JsonNode value = JsonLines.JSON.readTree(VALUES.get(random.nextInt(VALUES.size())));
        if (parent instanceof ArrayNode array) {
            array.set(place, value);
        } else if (parent instanceof ObjectNode object) {
            String key = object.properties().stream().skip(place).findFirst().orElseThrow().getKey();
            if (random.nextInt(4) == 0) {
                object.remove(key);
            } else {
                object.set(key, value);
            }
        }
    }

    private static JsonNode child(JsonNode parent, int place) {
        return parent instanceof ArrayNode array
                ? array.get(place)
                : parent.properties().stream().skip(place).findFirst().orElseThrow().getValue();
    }

    private static byte[] flipped(byte[] whole, SplittableRandom random) {
        byte[] bytes = whole.clone();
        for (int n = random.nextInt(1, 4); n > 0; n--) {
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
}
