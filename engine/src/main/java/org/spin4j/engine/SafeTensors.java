package org.spin4j.engine;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Storage;

/**
 * A safetensors file, mapped into memory and read-only: opening it costs its header, and a tensor's bytes are touched when it
 * is read. Files are written under another name and renamed, so that no reader ever maps a half-written one.
 */
public final class SafeTensors implements AutoCloseable {
    private static final int CHUNK = 1 << 18;

    private final Path file;
    private final Arena arena;
    private final MemorySegment all;
    private final SafeTensorsHeader header;

    /**
     * Where a tensor lies.
     *
     * @param name   its name
     * @param dtype  {@code F32}, {@code F16}, {@code BF16} or {@code F64}; {@code I64}, {@code I32}, {@code U8} and
     *               {@code BOOL} are listed but cannot be read as numbers of a model
     * @param shape  its dimensions, outermost first; empty for a single number
     * @param offset first byte, counted from the start of the file
     * @param bytes  length in bytes
     */
    public record Entry(String name, String dtype, List<Long> shape, long offset, long bytes) {
        /** Number of elements. */
        public long elements() {
            return shape.contains(0L) ? 0 : shape.stream().mapToLong(Long::longValue).reduce(1, (a, b) -> a * b);
        }
    }

    /**
     * A tensor to be written.
     *
     * @param name  its name
     * @param shape its dimensions, outermost first
     * @param data  its elements, as many as the shape has
     */
    public record NamedStorage(String name, List<Long> shape, Storage data) {
        /** Checks that shape and data agree. */
        public NamedStorage {
            shape = List.copyOf(shape);
            long elements = 1;
            for (long d : shape) {
                elements = Math.multiplyExact(elements, d);
            }
            if (elements != data.size()) {
                throw new IllegalArgumentException("expected " + elements + " elements for shape " + shape + ", found "
                        + data.size() + " of tensor " + name);
            }
        }
    }

    private SafeTensors(Path file, Arena arena, MemorySegment all, SafeTensorsHeader header) {
        this.file = file;
        this.arena = arena;
        this.all = all;
        this.header = header;
    }

    /**
     * Maps a file and checks its header.
     *
     * @throws CheckpointException when the file cannot be read or is not a complete safetensors file
     */
    public static SafeTensors open(Path file) {
        return MappedFile.open(file, "a safetensors file",
                (arena, all) -> new SafeTensors(file, arena, all, SafeTensorsHeader.parse(all, file)));
    }

    /** The tensors by name, in the order of their bytes in the file. */
    public Map<String, Entry> entries() {
        return header.entries();
    }

    /** The file's own remarks, such as {@code format=pt}. */
    public Map<String, String> metadata() {
        return header.metadata();
    }

    /**
     * Reads a tensor, converting to the type of {@code out}: exact, but for F64 into 32 bits, which rounds.
     *
     * @param out as many elements as the tensor has
     * @throws CheckpointException when there is no such tensor, its type is none of floating point, or the sizes differ
     */
    public void read(String name, Storage out) {
        Entry e = entry(name);
        FloatFormat format = format(e.dtype());
        if (format == null) {
            throw new CheckpointException(
                    "expected a dtype among F32, F16, BF16, F64, found " + e.dtype() + " of tensor " + name + " in "
                            + file);
        }
        if (e.elements() != out.size()) {
            throw new CheckpointException(
                    "expected " + out.size() + " elements, found shape " + e.shape() + " of tensor " + name
                            + " in " + file + "; does config.json belong to these weights?");
        }
        format.decode(bytes(name), out);
    }

    /** The type that a model keeps a tensor in: F16 and BF16 as they are, all others as F32. */
    DType type(String name) {
        return switch (entry(name).dtype()) {
            case "F16" -> DType.F16;
            case "BF16" -> DType.BF16;
            default -> DType.F32;
        };
    }

    /** A tensor where it lies, read-only, valid until {@link #close()}; null where its bytes are none of {@link #type}. */
    Storage inPlace(String name) {
        Entry e = entry(name);
        DType type = type(name);
        return e.dtype().equals(type.name()) && ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN
                ? Storage.wrap(bytes(name), type, e.elements())
                : null;
    }

    /** The bytes of a tensor as they lie in the file: read-only, valid until {@link #close()}. */
    public MemorySegment bytes(String name) {
        Entry e = entry(name);
        return all.asSlice(e.offset(), e.bytes());
    }

    /** Unmaps the file; no segment of it may be used afterwards. */
    @Override
    public void close() {
        arena.close();
    }

    @Override
    public String toString() {
        return "SafeTensors[" + file + ", " + entries().size() + " tensors]";
    }

    private Entry entry(String name) {
        Entry e = entries().get(name);
        if (e == null) {
            throw new CheckpointException(
                    "expected tensor " + CheckpointJson.quote(name) + ", found none of that name among "
                            + entries().size() + " in " + file);
        }
        return e;
    }

    private static FloatFormat format(String dtype) {
        for (FloatFormat f : FloatFormat.values()) {
            if (f.name().equals(dtype)) {
                return f;
            }
        }
        return null;
    }

    /**
     * Writes tensors as one file, sorted by name and laid out byte for byte as Hugging Face's own library does. The file appears
     * under its name only when it is complete and on the disk; one that was there before is replaced.
     *
     * @param metadata free texts, usually {@code format=pt}, which transformers asks for
     * @param dtype    {@code F32}, {@code F16} or {@code BF16}: elements are rounded to nearest, ties to even; or {@code F64}
     */
    public static void write(Path file, Map<String, String> metadata, String dtype, List<NamedStorage> tensors) {
        FloatFormat format = format(dtype);
        if (format == null) {
            throw new IllegalArgumentException("expected a dtype among F32, F16, BF16, F64, found " + dtype);
        }
        Set<String> names = new HashSet<>();
        for (NamedStorage t : tensors) {
            if (!names.add(t.name()) || t.name().equals("__metadata__")) {
                throw new IllegalArgumentException(
                        "expected each tensor name once, found " + t.name() + " again or reserved");
            }
        }
        List<NamedStorage> sorted = tensors.stream().sorted((a, b) -> Arrays.compareUnsigned(utf8(a), utf8(b)))
                .toList();
        Path absolute = file.toAbsolutePath();
        Path temporary = absolute.resolveSibling(absolute.getFileName() + ".incomplete");
        try {
            try (FileChannel out = FileChannel.open(temporary, StandardOpenOption.CREATE, StandardOpenOption.WRITE,
                    StandardOpenOption.TRUNCATE_EXISTING)) {
                drain(SafeTensorsHeader.format(metadata, format, sorted), out);
                ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK * format.bytes());
                for (NamedStorage t : sorted) {
                    for (long at = 0; at < t.data().size(); at += CHUNK) {
                        Storage part = t.data().slice(at, Math.min(CHUNK, t.data().size() - at));
                        chunk.clear().limit((int) part.size() * format.bytes());
                        format.encode(part, MemorySegment.ofBuffer(chunk));
                        drain(chunk, out);
                    }
                }
                out.force(true);
            }
            Files.move(temporary, absolute, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            CheckpointException failure = CheckpointJson.unwritable(file, e);
            try {
                Files.deleteIfExists(temporary);
            } catch (IOException left) {
                failure.addSuppressed(left);
            }
            throw failure;
        }
    }

    private static byte[] utf8(NamedStorage tensor) {
        return tensor.name().getBytes(StandardCharsets.UTF_8);
    }

    private static void drain(ByteBuffer from, FileChannel to) throws IOException {
        while (from.hasRemaining()) {
            to.write(from);
        }
    }
}
