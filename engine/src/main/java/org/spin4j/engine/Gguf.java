package org.spin4j.engine;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Map;
import org.spin4j.engine.GgufHeader.Entry;
import org.spin4j.kernels.Storage;

/**
 * A GGUF file, mapped into memory and read-only: opening it costs its header, and a tensor's bytes are touched when it is
 * read.
 */
public final class Gguf implements AutoCloseable {
    private final Path file;
    private final Arena arena;
    private final MemorySegment all;
    private final GgufHeader header;

    private Gguf(Path file, Arena arena, MemorySegment all, GgufHeader header) {
        this.file = file;
        this.arena = arena;
        this.all = all;
        this.header = header;
    }

    /**
     * Maps a file and checks its header.
     *
     * @throws CheckpointException when the file cannot be read, is not a complete GGUF file, or has tensors of a type that
     *                             this engine does not read
     */
    public static Gguf open(Path file) {
        if (ByteOrder.nativeOrder() != ByteOrder.LITTLE_ENDIAN) {
            throw new CheckpointException("expected a little-endian machine to read " + file
                    + ", found a big-endian one; convert to safetensors elsewhere");
        }
        return MappedFile.open(file, "a GGUF file",
                (arena, all) -> new Gguf(file, arena, all, GgufHeader.parse(all, file)));
    }

    /**
     * All pairs of key and value, in their order. A value is a Boolean, a String, an Integer (a Long where the file has 64
     * bits, or 32 that an Integer cannot hold), a Float or a Double; an array is a {@code List<String>}, {@code byte[]},
     * {@code int[]} (of 16 and 32 bits), {@code long[]}, {@code float[]}, {@code double[]} or {@code boolean[]}.
     */
    public Map<String, Object> metadata() {
        return header.metadata();
    }

    /** The file. */
    Path file() {
        return file;
    }

    /** The tensors by name, in the order of the file. */
    Map<String, Entry> entries() {
        return header.entries();
    }

    /** The bytes of a tensor as they lie in the file: read-only, valid until {@link #close()}. */
    MemorySegment bytes(Entry entry) {
        return all.asSlice(entry.offset(), entry.bytes());
    }

    /** Reads a tensor into as many elements of any type. */
    void read(Entry entry, Storage out) {
        entry.type().read(bytes(entry), out);
    }

    /** Unmaps the file. */
    @Override
    public void close() {
        arena.close();
    }
}
