package org.spin4j.training.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.spin4j.training.AtomicFiles;
import org.spin4j.training.JsonLines;
import org.spin4j.training.Progress;

/**
 * Rows of JSON made of rows of JSON, on all cores and in order. A part of the file is in memory at a time, and the result appears whole or
 * not at all.
 */
final class RowsInParallel {
    private static final ObjectMapper JSON = new ObjectMapper();
    /** Enough rows for all cores, and of few enough bytes that any number of them fits in memory. */
    private static final int ROWS = 4096;
    private static final long BYTES = 16L << 20;

    private RowsInParallel() {}

    /** What became of a row. */
    private record Done(byte[] row, RuntimeException failure) {}

    /**
     * Writes what {@code work} makes of each row; the first row that is bad decides the message. A file that takes a while shows how far it
     * is.
     *
     * @param name what the work is called
     * @return how many rows there were
     */
    static int write(Path data, Path out, String name, Progress progress, Function<JsonLines.Line, ObjectNode> work) {
        int[] count = new int[1];
        AtomicFiles.writeFile(out, temporary -> {
            try (JsonLines lines = JsonLines.open(data); OutputStream file = Files.newOutputStream(temporary)) {
                count[0] = write(next(lines), file, work);
                List<JsonLines.Line> part = next(lines);
                if (!part.isEmpty()) {
                    try (Progress.Task task = progress.start(name, "bytes", Files.size(data))) {
                        for (; !part.isEmpty(); part = next(lines)) {
                            count[0] += write(part, file, work);
                            task.to(lines.position(), 0, "");
                        }
                    }
                }
            }
        });
        return count[0];
    }

    private static int write(List<JsonLines.Line> part, OutputStream file, Function<JsonLines.Line, ObjectNode> work)
            throws IOException {
        for (Done done : part.parallelStream().map(line -> row(line, work)).toList()) {
            if (done.failure() != null) {
                throw done.failure();
            }
            file.write(done.row());
        }
        return part.size();
    }

    private static Done row(JsonLines.Line line, Function<JsonLines.Line, ObjectNode> work) {
        try {
            ObjectNode row = line.located(() -> work.apply(line));
            return new Done((JSON.writeValueAsString(row) + "\n").getBytes(StandardCharsets.UTF_8), null);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        } catch (RuntimeException e) {
            return new Done(new byte[0], e);
        }
    }

    private static List<JsonLines.Line> next(JsonLines lines) {
        List<JsonLines.Line> part = new ArrayList<>();
        long begun = lines.position();
        while (part.size() < ROWS && lines.position() - begun < BYTES) {
            JsonLines.Line line = lines.next();
            if (line == null) {
                break;
            }
            part.add(line);
        }
        return part;
    }
}
