package org.spin4j.training;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import org.spin4j.tokenizer.TokenizerException;

/** JSON lines: one JSON object per line of a UTF-8 file. Read one at a time, with the line's number at hand for messages. */
public final class JsonLines implements AutoCloseable {
    /** A row of training data is far shorter; a longer line is a file of another kind and would only fill the memory. */
    private static final int LONGEST_LINE = 64 << 20;
    /** Reads and writes all JSON of runs and rows. */
    public static final JsonMapper JSON = JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

    private final Path file;
    private final InputStream in;
    private int number;
    private long position;

    private JsonLines(Path file, InputStream in) {
        this.file = file;
        this.in = in;
    }

    /**
     * One line.
     *
     * @param object what it says
     * @param file where it was read
     * @param number its number, the first is 1; empty lines count
     */
    public record Line(ObjectNode object, Path file, int number) {
        /** FILE:LINE, for messages. */
        public String where() {
            return file + ":" + number;
        }

        /** What {@code work} gives; where it finds the input bad, the message gets this line's place. */
        public <T> T located(Supplier<T> work) {
            try {
                return work.get();
            } catch (BadInputException | TokenizerException e) {
                throw e.getMessage().contains(where())
                        ? e
                        : new BadInputException(e.getMessage() + " (row at " + where() + ")", e);
            }
        }
    }

    /**
     * Opens a file for {@link #next}.
     *
     * @throws BadInputException if there is no such file
     */
    public static JsonLines open(Path file) {
        if (!Files.isRegularFile(file)) {
            throw BadInputException.of("expected a file of JSON lines, found %s at %s; check the path",
                    Files.isDirectory(file) ? "a folder" : "nothing", file);
        }
        try {
            return new JsonLines(file, new BufferedInputStream(Files.newInputStream(file), 1 << 16));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Reads a whole file, each line through {@code parse}. */
    public static <T> List<T> readAll(Path file, Function<Line, T> parse) {
        List<T> rows = new ArrayList<>();
        try (JsonLines lines = open(file)) {
            for (Line line = lines.next(); line != null; line = lines.next()) {
                rows.add(parse.apply(line));
            }
        }
        return rows;
    }

    /** Reads a file that is one JSON value, written by a stage of a run. */
    public static JsonNode readWhole(Path file) {
        try {
            return JSON.readTree(Files.readString(file));
        } catch (JsonProcessingException e) {
            throw new BadInputException("expected JSON in " + file + "; delete its folder, it will be made again", e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Writes a whole file at once: it appears complete under its name, or not at all. */
    public static void writeAll(Path file, Iterable<? extends JsonNode> rows) {
        AtomicFiles.writeFile(file, temporary -> {
            try (OutputStream out = Files.newOutputStream(temporary)) {
                // One line at a time, so that no more than a line is in memory twice.
                for (JsonNode row : rows) {
                    out.write((JSON.writeValueAsString(row) + "\n").getBytes(StandardCharsets.UTF_8));
                }
            }
        });
    }

    /** Token ids as a JSON array. */
    public static ArrayNode ids(int[] ids) {
        ArrayNode node = JSON.createArrayNode();
        for (int id : ids) {
            node.add(id);
        }
        return node;
    }

    /** Token ids that {@link #ids(int[])} wrote. */
    public static int[] ids(JsonNode array) {
        int[] out = new int[array.size()];
        for (int i = 0; i < out.length; i++) {
            out[i] = array.get(i).asInt();
        }
        return out;
    }

    /**
     * The next line that is not blank, or null at the end of the file.
     *
     * @throws BadInputException if the line is not a JSON object
     */
    public Line next() {
        try {
            for (byte[] bytes = nextBytes(); bytes != null; bytes = nextBytes()) {
                String text = decode(bytes);
                if (!text.isBlank()) {
                    return new Line(parse(text), file, number);
                }
            }
            return null;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** How many bytes of the file are read. */
    public long position() {
        return position;
    }

    @Override
    public void close() {
        try {
            in.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The bytes up to the next line feed, which is consumed; null if nothing is left. */
    private byte[] nextBytes() throws IOException {
        number++;
        ByteArrayOutputStream line = new ByteArrayOutputStream(1024);
        int b = in.read();
        if (b < 0) {
            return null;
        }
        for (; b >= 0 && b != '\n'; b = in.read()) {
            if (line.size() == LONGEST_LINE) {
                throw BadInputException.of(
                        "expected lines of at most %d MiB, found a longer one in %s:%d; is it JSON lines?",
                        LONGEST_LINE >> 20, file, number);
            }
            line.write(b);
        }
        position += line.size() + 1L;
        return line.toByteArray();
    }

    private String decode(byte[] bytes) {
        try {
            String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
            return number == 1 && text.startsWith("\uFEFF") ? text.substring(1) : text;
        } catch (CharacterCodingException e) {
            throw new BadInputException("expected UTF-8, found other bytes in " + file + ":" + number
                    + "; convert the file to UTF-8", e);
        }
    }

    private ObjectNode parse(String text) {
        JsonNode node;
        try {
            node = JSON.readTree(text);
        } catch (JsonProcessingException e) {
            String reason = BadInputException.excerpt(e.getOriginalMessage().lines().findFirst().orElse("broken JSON"));
            throw new BadInputException("expected a JSON object, found '" + BadInputException.excerpt(text) + "' ("
                    + reason + ") in " + file + ":" + number + "; repair or delete that line", e);
        }
        if (node instanceof ObjectNode object) {
            return object;
        }
        throw BadInputException.of("expected a JSON object, found '%s' in %s:%d; write one {…} per line",
                BadInputException.excerpt(text), file, number);
    }
}
