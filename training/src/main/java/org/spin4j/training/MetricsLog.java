package org.spin4j.training;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;

/**
 * {@code metrics.jsonl}: one JSON object per logged step, {@code step} first, then the metrics by TRL's names. Every line is
 * handed to the operating system at once, so that a killed process loses none.
 */
public final class MetricsLog implements AutoCloseable {
    private final FileChannel channel;

    private MetricsLog(FileChannel channel) {
        this.channel = channel;
    }

    /**
     * Opens the file for appending and cuts off what follows step {@code lastStep}: later steps, which will be made again,
     * and a last line that was half written.
     *
     * @param lastStep the last step to keep; -1 for none
     */
    static MetricsLog open(Path file, long lastStep) {
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            channel.truncate(bytesUpTo(file, lastStep));
            channel.position(channel.size());
            return new MetricsLog(channel);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Appends one line. A number that JSON does not know (a loss that has become NaN) is written as the string "NaN",
     * "Infinity" or "-Infinity".
     */
    public void log(long step, Map<String, ? extends Number> metrics) {
        ObjectNode row = JsonLines.JSON.createObjectNode().put("step", step);
        metrics.forEach((name, value) -> row.set(name, JsonLines.JSON.valueToTree(value)));
        try {
            ByteBuffer line = ByteBuffer
                    .wrap((JsonLines.JSON.writeValueAsString(row) + "\n").getBytes(StandardCharsets.UTF_8));
            while (line.hasRemaining()) {
                channel.write(line);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Forces all lines to the disk; to be called before a checkpoint that relies on them. */
    public void force() {
        try {
            channel.force(true);
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

    /** The length of the beginning of the file that consists of whole lines of steps up to {@code lastStep}. */
    private static long bytesUpTo(Path file, long lastStep) throws IOException {
        long kept = 0;
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file))) {
            ByteArrayOutputStream line = new ByteArrayOutputStream();
            for (int b = in.read(); b >= 0; b = in.read()) {
                line.write(b);
                if (b == '\n') {
                    if (!isUpTo(line.toString(StandardCharsets.UTF_8), lastStep)) {
                        return kept;
                    }
                    kept += line.size();
                    line.reset();
                }
            }
        }
        return kept;
    }

    private static boolean isUpTo(String line, long lastStep) {
        try {
            JsonNode step = JsonLines.JSON.readTree(line).path("step");
            return step.isIntegralNumber() && step.longValue() <= lastStep;
        } catch (JsonProcessingException e) {
            return false; // a line that a power cut tore: it and all behind it go
        }
    }
}
