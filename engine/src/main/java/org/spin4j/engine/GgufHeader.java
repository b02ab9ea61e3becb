package org.spin4j.engine;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What stands before the tensors of a GGUF file (versions 2 and 3), checked: every count against the bytes that are left,
 * every tensor against the end of the file and against the others. Source: {@code docs/gguf.md} of ggml.
 *
 * <pre>
 * "GGUF", version u32, tensors u64, pairs u64
 * pair:   key string, type u32, value                        (string: length u64, UTF-8; array: type u32, length u64, values)
 * tensor: name string, dimensions u32, extents u64… innermost first, type u32, offset u64 from where the data begins
 * </pre>
 */
final class GgufHeader {
    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED
            .withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    static final int MAGIC = 'G' | 'G' << 8 | 'U' << 16 | 'F' << 24;
    static final int VERSION = 3;
    static final String ALIGNMENT = "general.alignment";
    static final int USUAL_ALIGNMENT = 32;
    private static final int MAX_ALIGNMENT = 1 << 16;
    private static final int MAX_KEY = 65535;
    private static final int MAX_DIMENSIONS = 4;
    private static final int STRING = 8;
    private static final int ARRAY = 9;

    private final MemorySegment all;
    private final Path file;
    private final Map<String, Object> metadata = new LinkedHashMap<>();
    private final Map<String, Entry> entries = new LinkedHashMap<>();
    private long at;

    /**
     * Where a tensor lies.
     *
     * @param shape  its dimensions, outermost first
     * @param offset first byte, counted from the start of the file
     * @param bytes  length in bytes
     */
    record Entry(String name, GgufType type, List<Long> shape, long offset, long bytes) {
        /** Number of elements. */
        long elements() {
            return shape.stream().reduce(1L, (a, b) -> a * b);
        }
    }

    private GgufHeader(MemorySegment all, Path file) {
        this.all = all;
        this.file = file;
    }

    /** Reads the header of a mapped file. */
    static GgufHeader parse(MemorySegment all, Path file) {
        GgufHeader header = new GgufHeader(all, file);
        header.parse();
        return header;
    }

    /** All pairs, in their order; values as {@link Gguf#metadata()} describes them. */
    Map<String, Object> metadata() {
        return Collections.unmodifiableMap(metadata);
    }

    /** The tensors by name, in the order of the file. */
    Map<String, Entry> entries() {
        return Collections.unmodifiableMap(entries);
    }

    private void parse() {
        if (u32() != MAGIC) {
            throw bad("a GGUF file, which begins with \"GGUF\"", "something else");
        }
        int version = u32();
        if (version != 2 && version != VERSION) {
            boolean swapped = Integer.reverseBytes(version) == 2 || Integer.reverseBytes(version) == VERSION;
            throw bad("GGUF version 2 or 3, little-endian",
                    swapped ? "a big-endian file" : "version " + Integer.toUnsignedString(version));
        }
        long tensors = u64();
        long pairs = u64();
        if (tensors < 0 || tensors > all.byteSize() || pairs < 0 || pairs > all.byteSize()) {
            throw bad("as many tensors and keys as the file has room for", Long.toUnsignedString(tensors) + " and "
                    + Long.toUnsignedString(pairs));
        }
        for (long i = 0; i < pairs; i++) {
            String key = string(MAX_KEY, "a key");
            Object value = value(u32(), key);
            if (metadata.put(key, value) != null) {
                throw bad("each key once", "'" + CheckpointJson.quote(key) + "' again");
            }
        }
        List<Entry> list = new ArrayList<>();
        for (long i = 0; i < tensors; i++) {
            list.add(entry());
        }
        place(list);
    }

    private Object value(int type, String key) {
        return switch (type) {
            case 0 -> u8() & 0xFF;
            case 1 -> (int) u8();
            case 2 -> u16() & 0xFFFF;
            case 3 -> (int) u16();
            case 4 -> {
                int value = u32();
                // An Integer wherever it fits, so that readers meet few kinds of number.
                if (value >= 0) {
                    yield value;
                }
                yield Integer.toUnsignedLong(value);
            }
            case 5 -> u32();
            case 6 -> Float.intBitsToFloat(u32());
            case 7 -> bool(key);
            case STRING -> string(Integer.MAX_VALUE - 8, "the text of '" + CheckpointJson.quote(key) + "'");
            case ARRAY -> array(u32(), key);
            case 10, 11 -> u64();
            case 12 -> Double.longBitsToDouble(u64());
            default -> throw unknown(type, key);
        };
    }

    private Object array(int type, String key) {
        long length = u64();
        int least = switch (type) {
            case 0, 1, 7 -> 1;
            case 2, 3 -> 2;
            case 4, 5, 6 -> 4;
            case STRING, 10, 11, 12 -> 8;
            case ARRAY -> throw bad("no array of arrays", "one at '" + CheckpointJson.quote(key) + "'");
            default -> throw unknown(type, key);
        };
        if (length < 0 || length > (all.byteSize() - at) / least || length > Integer.MAX_VALUE - 8) {
            throw bad("an array no longer than the rest of the file", Long.toUnsignedString(length) + " values at '"
                    + CheckpointJson.quote(key) + "'");
        }
        int n = (int) length;
        switch (type) {
            case 0, 1 -> {
                byte[] out = new byte[n];
                MemorySegment.copy(all, BYTE, at, out, 0, n);
                at += n;
                return out;
            }
            case 2, 3, 4, 5 -> {
                int[] out = new int[n];
                for (int i = 0; i < n; i++) {
                    out[i] = least == 4 ? u32() : type == 2 ? u16() & 0xFFFF : u16();
                    if (type == 4 && out[i] < 0) {
                        throw bad("whole numbers below 2147483648", "a larger one at '" + CheckpointJson.quote(key)
                                + "'");
                    }
                }
                return out;
            }
            case 6 -> {
                float[] out = new float[n];
                MemorySegment.copy(all, ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), at, out,
                        0, n);
                at += 4L * n;
                return out;
            }
            case 7 -> {
                boolean[] out = new boolean[n];
                for (int i = 0; i < n; i++) {
                    out[i] = bool(key);
                }
                return out;
            }
            case STRING -> {
                String[] out = new String[n];
                for (int i = 0; i < n; i++) {
                    out[i] = string(Integer.MAX_VALUE - 8, "a text of '" + CheckpointJson.quote(key) + "'");
                }
                return List.of(out);
            }
            default -> {
                boolean floats = type == 12;
                long[] out = new long[n];
                double[] doubles = new double[floats ? n : 0];
                for (int i = 0; i < n; i++) {
                    out[i] = u64();
                    if (floats) {
                        doubles[i] = Double.longBitsToDouble(out[i]);
                    }
                }
                return floats ? doubles : out;
            }
        }
    }

    private Entry entry() {
        String name = string(MAX_KEY, "a tensor's name");
        String quoted = "'" + CheckpointJson.quote(name) + "'";
        int dimensions = u32();
        if (dimensions < 1 || dimensions > MAX_DIMENSIONS) {
            throw bad("tensors of 1 to " + MAX_DIMENSIONS + " dimensions", Integer.toUnsignedString(dimensions)
                    + " of " + quoted);
        }
        List<Long> shape = new ArrayList<>();
        long elements = 1;
        for (int i = 0; i < dimensions; i++) {
            long extent = u64();
            // Even at two numbers a byte the file could hold no more.
            if (extent < 1 || extent > all.byteSize() * 2 / elements) {
                throw bad("a tensor that the file has room for",
                        Long.toUnsignedString(extent) + " numbers in dimension "
                                + i + " of " + quoted);
            }
            elements *= extent;
            shape.addFirst(extent);
        }
        int number = u32();
        GgufType type = GgufType.of(number).orElseThrow(() -> bad(
                "a tensor type among " + List.of(GgufType.values()), GgufType.name(number) + " of " + quoted));
        if (shape.getLast() % type.block() != 0) {
            throw bad("rows of a multiple of " + type.block() + " for " + type, shape + " of " + quoted);
        }
        return new Entry(name, type, List.copyOf(shape), u64(), elements / type.block() * type.blockBytes());
    }

    /** Turns offsets into places in the file, none of which may overlap. */
    private void place(List<Entry> list) {
        Object alignment = metadata.getOrDefault(ALIGNMENT, USUAL_ALIGNMENT);
        if (!(alignment instanceof Integer a) || a < 1 || a > MAX_ALIGNMENT || Integer.bitCount(a) != 1) {
            throw bad("a power of two up to " + MAX_ALIGNMENT + " as " + ALIGNMENT,
                    CheckpointJson.quote(String.valueOf(alignment)));
        }
        long begin = (at + a - 1) / a * a;
        List<Entry> placed = new ArrayList<>();
        for (Entry e : list) {
            if (e.offset < 0 || e.offset % a != 0 || begin > all.byteSize()
                    || e.offset > all.byteSize() - begin - e.bytes) {
                throw bad("'" + CheckpointJson.quote(e.name) + "' at a multiple of " + a + " within the "
                        + all.byteSize() + " bytes of the file",
                        e.bytes + " bytes at " + begin + " + "
                                + Long.toUnsignedString(e.offset));
            }
            Entry here = new Entry(e.name, e.type, e.shape, begin + e.offset, e.bytes);
            placed.add(here);
            if (entries.put(e.name, here) != null) {
                throw bad("each tensor once", "'" + CheckpointJson.quote(e.name) + "' again");
            }
        }
        placed.sort(Comparator.comparingLong(Entry::offset));
        for (int i = 1; i < placed.size(); i++) {
            Entry before = placed.get(i - 1);
            if (before.offset + before.bytes > placed.get(i).offset) {
                throw bad("tensors that do not overlap", "'" + CheckpointJson.quote(before.name) + "' and '"
                        + CheckpointJson.quote(placed.get(i).name) + "'");
            }
        }
    }

    // ---- primitive values --------------------------------------------------------------------------------------------

    private byte u8() {
        return all.get(BYTE, take(1));
    }

    private short u16() {
        return all.get(SHORT, take(2));
    }

    private int u32() {
        return all.get(INT, take(4));
    }

    private long u64() {
        return all.get(LONG, take(8));
    }

    private boolean bool(String key) {
        byte value = u8();
        if (value != 0 && value != 1) {
            throw bad("0 or 1 for false or true", value + " at '" + CheckpointJson.quote(key) + "'");
        }
        return value == 1;
    }

    private String string(int longest, String what) {
        long length = u64();
        if (length < 0 || length > longest || length > all.byteSize() - at) {
            throw bad("at most " + Math.min(longest, all.byteSize() - at) + " bytes for " + what,
                    Long.toUnsignedString(length));
        }
        byte[] bytes = new byte[(int) length];
        MemorySegment.copy(all, BYTE, take(length), bytes, 0, bytes.length);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private long take(long bytes) {
        if (bytes > all.byteSize() - at) {
            throw bad("a complete header", "the end of the file after " + all.byteSize() + " bytes");
        }
        long from = at;
        at += bytes;
        return from;
    }

    private CheckpointException unknown(int type, String key) {
        return bad("a value of a known type, 0 to 12,", "type " + Integer.toUnsignedString(type) + " at '"
                + CheckpointJson.quote(key) + "'");
    }

    private CheckpointException bad(String expected, String found) {
        return new CheckpointException("expected " + expected + ", found " + found + " in " + file
                + "; the file is damaged, cut short or of another kind");
    }
}
