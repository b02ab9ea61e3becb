package org.spin4j.training;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Rows of an output that is being made, in {@code OUT.partial}: a line with the settings they are made with, then each row with its number
 * as soon as it is there, in any order. A process that was stopped or killed is gone on with from there; a last line
 * torn in two is dropped. {@link #finish} writes the rows in their order under the name asked for.
 */
public final class UnfinishedRows implements AutoCloseable {
    private static final String SETTINGS = "settings";

    private final Path out;
    private final Path file;
    private final FileChannel channel;
    private final byte[][] rows;
    private int done;

    private UnfinishedRows(Path out, Path file, FileChannel channel, int count) {
        this.out = out;
        this.file = file;
        this.channel = channel;
        this.rows = new byte[count][];
    }

    /**
     * Begins, or goes on with what was begun with the same settings.
     *
     * @param out      where the rows will be
     * @param settings all that the rows depend on
     * @param count    number of rows
     * @throws BadInputException if rows made with other settings are there, or another process writes them
     */
    public static UnfinishedRows open(Path out, ObjectNode settings, int count) {
        if (Files.isDirectory(out)) {
            throw BadInputException.of("expected a file to write, found a folder at %s; choose another --out", out);
        }
        Path file = out.resolveSibling(out.getFileName() + ".partial");
        try {
            if (out.toAbsolutePath().getParent() != null) {
                Files.createDirectories(out.toAbsolutePath().getParent());
            }
            FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ,
                    StandardOpenOption.WRITE);
            try {
                lock(channel, file);
                UnfinishedRows unfinished = new UnfinishedRows(out, file, channel, count);
                unfinished.read(settings);
                return unfinished;
            } catch (IOException | RuntimeException e) {
                channel.close();
                throw e;
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Held until the channel is closed. */
    @SuppressWarnings("unused")
    private static void lock(FileChannel channel, Path file) throws IOException {
        FileLock lock;
        try {
            lock = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            lock = null;
        }
        if (lock == null) {
            throw BadInputException.of("expected one process to write %s, found another at work; wait for it or choose "
                    + "another --out", file);
        }
    }

    private void read(ObjectNode settings) throws IOException {
        byte[] bytes = Channels.newInputStream(channel.position(0)).readAllBytes();
        int at = 0;
        int end = lineEnd(bytes, at);
        if (end >= 0) {
            compare(settings, parse(bytes, at, end).path(SETTINGS));
            at = end + 1;
            for (end = lineEnd(bytes, at); end >= 0; end = lineEnd(bytes, at)) {
                JsonNode line = parse(bytes, at, end);
                int index = line.path("index").asInt(-1);
                if (index < 0 || index >= rows.length || !line.path("row").isObject()) {
                    throw foreign();
                }
                done += rows[index] == null ? 1 : 0;
                rows[index] = JsonLines.JSON.writeValueAsBytes(line.get("row"));
                at = end + 1;
            }
        }
        channel.truncate(at).position(at);
        if (at == 0) {
            append(JsonLines.JSON.createObjectNode().set(SETTINGS, settings));
        }
    }

    private static int lineEnd(byte[] bytes, int from) {
        for (int i = from; i < bytes.length; i++) {
            if (bytes[i] == '\n') {
                return i;
            }
        }
        return -1;
    }

    private JsonNode parse(byte[] bytes, int from, int to) {
        try {
            return JsonLines.JSON.readTree(new String(bytes, from, to - from, StandardCharsets.UTF_8));
        } catch (JsonProcessingException e) {
            BadInputException foreign = foreign();
            foreign.initCause(e);
            throw foreign;
        }
    }

    private BadInputException foreign() {
        return BadInputException.of("expected unfinished rows in %s, found something else; delete it", file);
    }

    private void compare(ObjectNode wanted, JsonNode found) {
        if (!found.isObject()) {
            throw foreign();
        }
        List<String> names = new ArrayList<>();
        wanted.fieldNames().forEachRemaining(names::add);
        for (String name : names) {
            // As text: a number read back may be of another type.
            if (!wanted.get(name).toString().equals(found.path(name).toString())) {
                throw BadInputException.of(
                        "expected %s as in the rows already in %s (%s), found %s; run with the settings it was begun "
                                + "with, or delete it to begin again",
                        name, file, BadInputException.excerpt(found.path(name).toString()),
                        BadInputException.excerpt(wanted.get(name).toString()));
            }
        }
    }

    /** Whether a row is there. */
    public boolean has(int index) {
        return rows[index] != null;
    }

    /** Number of rows that are there. */
    public int done() {
        return done;
    }

    /** Stores a row. */
    public void put(int index, ObjectNode row) {
        try {
            rows[index] = JsonLines.JSON.writeValueAsBytes(row);
            done++;
            ObjectNode line = JsonLines.JSON.createObjectNode().put("index", index);
            append(line.set("row", row));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void append(JsonNode line) throws IOException {
        byte[] json = JsonLines.JSON.writeValueAsBytes(line);
        byte[] bytes = Arrays.copyOf(json, json.length + 1);
        bytes[json.length] = '\n';
        for (ByteBuffer left = ByteBuffer.wrap(bytes); left.hasRemaining();) {
            channel.write(left);
        }
    }

    /** Writes all rows to where they were wanted, in order, and forgets that they were unfinished. */
    public void finish() {
        if (done < rows.length) {
            throw new IllegalStateException("expected " + rows.length + " rows, found " + done);
        }
        AtomicFiles.writeFile(out, temporary -> {
            try (var to = new BufferedOutputStream(Files.newOutputStream(temporary))) {
                for (byte[] row : rows) {
                    to.write(row);
                    to.write('\n');
                }
            }
        });
        try {
            Files.delete(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
