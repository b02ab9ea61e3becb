package org.spin4j.training;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * TensorBoard's event file, scalars only: TFRecord framing around hand-encoded protobuf messages (tensorflow/core/util/event.proto
 * and summary.proto name the fields).
 */
public final class TensorBoardLog implements AutoCloseable {
    private final FileChannel channel;

    private TensorBoardLog(FileChannel channel) {
        this.channel = channel;
    }

    /**
     * Starts a new event file in {@code folder}. TensorBoard reads all files of a folder in the order of their names; a
     * run that goes on after {@code lastStep} tells it to forget what an earlier file says of later steps.
     *
     * @param lastStep the step that the run goes on from; -1 at the start
     */
    static TensorBoardLog open(Path folder, long lastStep) {
        try {
            Files.createDirectories(folder);
            TensorBoardLog log = new TensorBoardLog(create(folder));
            log.write(new Message().bytes(3, "brain.Event:2"));
            // session_log with status START: events of this and later steps in earlier files are orphans.
            log.write(new Message().varint(2, lastStep + 1).bytes(7, new Message().varint(1, 1)));
            return log;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Appends the scalars of one step; each name is a tag, the part before its first slash a group of plots. */
    public void log(long step, Map<String, ? extends Number> scalars) {
        Message summary = new Message();
        scalars.forEach((tag, value) -> summary.bytes(1, new Message().bytes(1, tag).float32(2, value.floatValue())));
        try {
            write(new Message().varint(2, step).bytes(5, summary));
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

    private static FileChannel create(Path folder) throws IOException {
        String name = String.format(Locale.ROOT, "events.out.tfevents.%010d.spin4j.%d.",
                System.currentTimeMillis() / 1000, ProcessHandle.current().pid());
        int ordinal = 0;
        while (Files.exists(folder.resolve(name + ordinal))) {
            ordinal++; // started twice within a second
        }
        return FileChannel.open(folder.resolve(name + ordinal), StandardOpenOption.CREATE_NEW,
                StandardOpenOption.WRITE);
    }

    /** One Event, with the wall time in seconds (field 1), in a TFRecord: length, its checksum, data, its checksum. */
    private void write(Message event) throws IOException {
        byte[] data = new Message().float64(1, System.currentTimeMillis() / 1e3).append(event).toByteArray();
        ByteBuffer record = ByteBuffer.allocate(data.length + 16).order(ByteOrder.LITTLE_ENDIAN);
        record.putLong(data.length);
        record.putInt(maskedChecksum(record.array(), 0, 8));
        record.put(data);
        record.putInt(maskedChecksum(data, 0, data.length));
        record.flip();
        while (record.hasRemaining()) {
            channel.write(record);
        }
    }

    /** CRC-32C, rotated and shifted, so that checksums of data that holds checksums stay useful. */
    static int maskedChecksum(byte[] bytes, int from, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, from, length);
        return Integer.rotateRight((int) crc.getValue(), 15) + 0xA282EAD8;
    }

    /** A protobuf message as it is put together: each field is its number and wire type, then its value. */
    private static final class Message {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        Message varint(int field, long value) {
            raw((long) field << 3);
            raw(value);
            return this;
        }

        Message float64(int field, double value) {
            raw((long) field << 3 | 1);
            out.writeBytes(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putDouble(value).array());
            return this;
        }

        Message float32(int field, float value) {
            raw((long) field << 3 | 5);
            out.writeBytes(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putFloat(value).array());
            return this;
        }

        Message bytes(int field, String text) {
            return bytes(field, text.getBytes(StandardCharsets.UTF_8));
        }

        Message bytes(int field, Message message) {
            return bytes(field, message.toByteArray());
        }

        Message append(Message other) {
            out.writeBytes(other.toByteArray());
            return this;
        }

        byte[] toByteArray() {
            return out.toByteArray();
        }

        private Message bytes(int field, byte[] bytes) {
            raw((long) field << 3 | 2);
            raw(bytes.length);
            out.writeBytes(bytes);
            return this;
        }

        private void raw(long value) {
            long rest = value;
            for (; (rest & ~0x7FL) != 0; rest >>>= 7) {
                out.write((int) (rest & 0x7F | 0x80));
            }
            out.write((int) rest);
        }
    }
}
