package org.spin4j.engine;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Storage;

/**
 * Writes GGUF files of version 3. A file appears under its name only when it is complete and on the disk; one that was there before
 * is replaced.
 */
final class GgufWriter {
    private static final int ALIGNMENT = GgufHeader.USUAL_ALIGNMENT;
    /** Numbers that are converted at a time: whole blocks. */
    private static final int CHUNK = 1 << 18;

    private final ByteArrayOutputStream header = new ByteArrayOutputStream();

    private GgufWriter() {}

    /**
     * A tensor to be written.
     *
     * @param shape its dimensions, outermost first
     * @param type  one that is a storage type too
     * @param data  gives its numbers, in the order of the file, when its turn comes
     */
    record Tensor(String name, List<Long> shape, GgufType type, Supplier<Storage> data) {
        private long bytes() {
            return shape.stream().reduce(1L, (a, b) -> a * b) / type.block() * type.blockBytes();
        }
    }

    /**
     * Writes a file.
     *
     * @param metadata values as {@link Gguf#metadata()} gives them; an Integer becomes an unsigned one, if it is not negative
     * @throws CheckpointException when the file cannot be written, or a number cannot be stored in the type of its tensor
     */
    static void write(Path file, Map<String, Object> metadata, List<Tensor> tensors) {
        GgufWriter writer = new GgufWriter();
        writer.header(metadata, tensors);
        Path absolute = file.toAbsolutePath();
        Path temporary = absolute.resolveSibling(absolute.getFileName() + ".incomplete");
        try {
            try {
                try (FileChannel out = FileChannel.open(temporary, StandardOpenOption.CREATE, StandardOpenOption.WRITE,
                        StandardOpenOption.TRUNCATE_EXISTING)) {
                    drain(ByteBuffer.wrap(writer.header.toByteArray()), out);
                    for (Tensor t : tensors) {
                        write(t, out);
                    }
                    out.force(true);
                }
                Files.move(temporary, absolute, StandardCopyOption.ATOMIC_MOVE);
            } finally {
                Files.deleteIfExists(temporary);
            }
        } catch (IOException e) {
            throw CheckpointJson.unwritable(file, e);
        }
    }

    private static void write(Tensor t, FileChannel out) throws IOException {
        DType type = t.type.storage().orElseThrow();
        Storage data = t.data.get();
        ByteBuffer chunk = ByteBuffer.allocateDirect((int) type.bytes(CHUNK));
        for (long at = 0; at < data.size(); at += CHUNK) {
            long n = Math.min(CHUNK, data.size() - at);
            chunk.clear().limit((int) type.bytes(n));
            try {
                Storage.wrap(MemorySegment.ofBuffer(chunk), type, n).convertFrom(data.slice(at, n));
            } catch (IllegalArgumentException e) {
                throw new CheckpointException(e.getMessage() + " (tensor '" + t.name + "')", e);
            }
            drain(chunk, out);
        }
        drain(ByteBuffer.allocate((int) (padded(t.bytes()) - t.bytes())), out);
    }

    private static void drain(ByteBuffer from, FileChannel to) throws IOException {
        while (from.hasRemaining()) {
            to.write(from);
        }
    }

    private static long padded(long bytes) {
        return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    // ---- the header --------------------------------------------------------------------------------------------------

    private void header(Map<String, Object> metadata, List<Tensor> tensors) {
        u32(GgufHeader.MAGIC);
        u32(GgufHeader.VERSION);
        u64(tensors.size());
        u64(metadata.size());
        metadata.forEach((key, value) -> {
            string(key);
            u32(type(value));
            value(value);
        });
        long offset = 0;
        for (Tensor t : tensors) {
            string(t.name);
            u32(t.shape.size());
            t.shape.reversed().forEach(this::u64);
            u32(t.type.number());
            u64(offset);
            offset += padded(t.bytes());
        }
        header.writeBytes(new byte[(int) (padded(header.size()) - header.size())]);
    }

    private static int type(Object value) {
        return switch (value) {
            case Integer i -> i < 0 ? 5 : 4;
            case Float _ -> 6;
            case Boolean _ -> 7;
            case String _ -> 8;
            case List<?> _ -> 9;
            case byte[] _ -> 9;
            case int[] _ -> 9;
            case float[] _ -> 9;
            case Long _ -> 10;
            case Double _ -> 12;
            default -> throw new IllegalArgumentException("expected a value that GGUF has a type for, found "
                    + value.getClass().getSimpleName());
        };
    }

    private void value(Object value) {
        switch (value) {
            case Integer i -> u32(i);
            case Float f -> u32(Float.floatToRawIntBits(f));
            case Boolean b -> header.write(b ? 1 : 0);
            case String s -> string(s);
            case List<?> texts -> {
                array(8, texts.size());
                texts.forEach(text -> string((String) text));
            }
            case byte[] bytes -> {
                array(0, bytes.length);
                header.writeBytes(bytes);
            }
            case int[] ints -> {
                array(5, ints.length);
                for (int i : ints) {
                    u32(i);
                }
            }
            case float[] floats -> {
                array(6, floats.length);
                for (float f : floats) {
                    u32(Float.floatToRawIntBits(f));
                }
            }
            case Long n -> u64(n);
            case Double d -> u64(Double.doubleToRawLongBits(d));
            default -> throw new IllegalStateException("a value without a type");
        }
    }

    private void array(int type, int length) {
        u32(type);
        u64(length);
    }

    private void string(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        u64(bytes.length);
        header.writeBytes(bytes);
    }

    private void u32(int value) {
        header.writeBytes(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
    }

    private void u64(long value) {
        header.writeBytes(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
    }
}
