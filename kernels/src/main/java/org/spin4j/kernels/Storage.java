package org.spin4j.kernels;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import java.util.function.Function;

/**
 * A flat run of numbers outside the Java heap: the memory beneath a tensor. It has no shape; a kernel is told the shape by
 * its arguments and checks that every storage is long enough before it touches a byte.
 *
 * <p>Data starts on a cache-line boundary, and {@value #HEADER_BYTES} bytes before it belong to the allocation, so that a
 * device runtime that wants an array header in front of the data can wrap the bytes without a copy. A device that has memory of its own
 * may give the allocation a {@link Mirror}, which is told before the numbers are read or changed here.
 */
public final class Storage {
    /** Bytes kept free before the data of each allocation; TornadoVM's native arrays need 16, a cache line keeps alignment. */
    public static final int HEADER_BYTES = 64;

    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final ValueLayout.OfDouble DOUBLE = ValueLayout.JAVA_DOUBLE_UNALIGNED;
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;

    /** What all slices of an allocation share. */
    private static final class Allocation {
        final MemorySegment all;
        volatile Mirror mirror;

        Allocation(MemorySegment all) {
            this.all = all;
        }
    }

    private final MemorySegment segment;
    private final DType type;
    private final long size;
    private final Allocation allocation;
    private final long offset;

    private Storage(MemorySegment segment, DType type, long size, Allocation allocation, long offset) {
        this.segment = segment;
        this.type = type;
        this.size = size;
        this.allocation = allocation;
        this.offset = offset;
    }

    private static Storage whole(MemorySegment segment, DType type, long size) {
        return new Storage(segment, type, size, new Allocation(segment), 0);
    }

    /**
     * Allocates zeroed memory.
     *
     * @param arena who frees it
     * @param type  element type
     * @param size  number of elements, at least 0, a whole number of blocks
     */
    public static Storage allocate(Arena arena, DType type, long size) {
        if (size < 0) {
            throw new IllegalArgumentException("expected a size of at least 0, found " + size);
        }
        long bytes = type.bytes(size);
        // A whole cache line behind the data, so that two allocations never share one.
        MemorySegment room = arena.allocate(Math.addExact(bytes, 2L * HEADER_BYTES), HEADER_BYTES);
        return whole(room.asSlice(HEADER_BYTES, bytes), type, size);
    }

    /**
     * Memory that holds such numbers already, a mapped file's for example, in native byte order and at any address. Whoever
     * gives it keeps it valid as long as the storage is used; there is no header before it.
     *
     * @param segment at least the bytes of {@code size} elements
     */
    public static Storage wrap(MemorySegment segment, DType type, long size) {
        if (size < 0 || type.bytes(size) > segment.byteSize()) {
            throw new IllegalArgumentException("expected the bytes of " + size + " elements of " + type + ", found "
                    + segment.byteSize());
        }
        return whole(segment.asSlice(0, type.bytes(size)), type, size);
    }

    /** Memory of the garbage collector's care, filled with the given values: for small constants and tests. */
    public static Storage of(DType type, double... values) {
        Storage s = allocate(Arena.ofAuto(), type, values.length);
        for (int i = 0; i < values.length; i++) {
            s.set(i, values[i]);
        }
        return s;
    }

    /** Element type. */
    public DType type() {
        return type;
    }

    /** Number of elements. */
    public long size() {
        return size;
    }

    /** First element of this within its allocation. */
    public long offset() {
        return offset;
    }

    /** The bytes, in native order, to read and to write until a kernel next uses them. */
    public MemorySegment segment() {
        beforeRead();
        if (!segment.isReadOnly()) {
            beforeWrite();
        }
        return segment;
    }

    /** The bytes, in native order, to read until a kernel next changes them. */
    public MemorySegment readOnlySegment() {
        beforeRead();
        return segment.asReadOnly();
    }

    /**
     * What a device has of the allocation; {@code maker} makes it of the allocation's bytes where there is none. The mirror alone may
     * touch those bytes without being told.
     */
    public Mirror mirror(Function<MemorySegment, ? extends Mirror> maker) {
        synchronized (allocation) {
            if (allocation.mirror == null) {
                allocation.mirror = maker.apply(allocation.all);
            }
            return allocation.mirror;
        }
    }

    private void beforeRead() {
        Mirror mirror = allocation.mirror;
        if (mirror != null) {
            mirror.beforeRead(offset, size);
        }
    }

    private void beforeWrite() {
        Mirror mirror = allocation.mirror;
        if (mirror != null) {
            mirror.beforeWrite(offset, size);
        }
    }

    /** Address of element 0; whoever goes there asks for {@link #segment} first. */
    public long address() {
        return segment.address();
    }

    /** Element {@code i}, widened to double. */
    public double get(long i) {
        beforeRead();
        return switch (type) {
            case F32 -> segment.get(FLOAT, i * 4);
            case F64 -> segment.get(DOUBLE, i * 8);
            case BF16 -> Float.intBitsToFloat(segment.get(SHORT, i * 2) << 16);
            case F16 -> Float.float16ToFloat(segment.get(SHORT, i * 2));
            case Q8_0 -> Conversion.getQ8(segment, i);
        };
    }

    /**
     * Stores {@code value}, rounded to the element type.
     *
     * @throws UnsupportedOperationException for a type of blocks, whose elements share a scale: use {@link #convertFrom}
     */
    public void set(long i, double value) {
        beforeWrite();
        switch (type) {
            case F32 -> segment.set(FLOAT, i * 4, (float) value);
            case F64 -> segment.set(DOUBLE, i * 8, value);
            case BF16 -> segment.set(SHORT, i * 2, Rounding.toBfloat16(value));
            case F16 -> segment.set(SHORT, i * 2, Rounding.toFloat16(value));
            case Q8_0 -> throw new UnsupportedOperationException("expected a type whose elements are stored one by one,"
                    + " found " + type + "; convert whole blocks instead");
        }
    }

    /** Adds to element {@code i}. */
    public void add(long i, double value) {
        set(i, get(i) + value);
    }

    /** The same memory from element {@code from} on, {@code length} elements long; both a whole number of blocks. */
    public Storage slice(long from, long length) {
        Objects.checkFromIndexSize(from, length, size);
        return new Storage(segment.asSlice(type.bytes(from), type.bytes(length)), type, length, allocation,
                offset + from);
    }

    /** Sets every element to zero. */
    public void zero() {
        Mirror mirror = allocation.mirror;
        if (mirror != null) {
            mirror.zero(offset, size);
        } else {
            segment.fill((byte) 0);
        }
    }

    /** Copies all of {@code source}, of the same type and size, over this. */
    public void copyFrom(Storage source) {
        if (source.type != type || source.size != size) {
            throw new IllegalArgumentException("expected " + size + " elements of " + type + ", found " + source.size
                    + " of " + source.type);
        }
        Mirror mirror = source.allocation.mirror;
        if (mirror == null || !mirror.copy(source, this)) {
            beforeWrite();
            segment.copyFrom(source.readOnlySegment());
        }
    }

    /**
     * Fills this with the numbers of {@code source}, of the same size and any type. A type of more bits takes them exactly,
     * one of fewer rounds each once, to nearest, ties to even; Q8_0 as GGUF's reference: d = max|x| / 127, q = round(x / d).
     *
     * @throws IllegalArgumentException where sizes differ, or a number is not finite and this is Q8_0
     */
    public void convertFrom(Storage source) {
        if (source.size != size) {
            throw new IllegalArgumentException("expected " + size + " elements, found " + source.size);
        }
        Conversion.convert(source, this);
    }

    /** A copy of the elements as floats; the size must fit an array. */
    public float[] toFloats() {
        float[] out = new float[Math.toIntExact(size)];
        for (int i = 0; i < out.length; i++) {
            out[i] = (float) get(i);
        }
        return out;
    }

    @Override
    public String toString() {
        return type + "[" + size + "]";
    }
}
