package org.spin4j.engine;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.spin4j.engine.SafeTensors.Entry;

/**
 * The table of contents of a safetensors file: eight bytes of length, then JSON that gives each tensor's type, shape and place
 * among the bytes behind it. Checked completely before anyone uses it: the tensors must cover the data without overlap
 * and without gap, as the format demands (https://github.com/huggingface/safetensors#format).
 *
 * @param metadata  the free texts under {@code __metadata__}
 * @param entries   the tensors by name, in the order of their bytes; offsets count from the start of the file
 */
record SafeTensorsHeader(Map<String, String> metadata, Map<String, Entry> entries) {
    private static final long MAX_BYTES = 100_000_000;
    private static final int MAX_RANK = 16;
    private static final String METADATA = "__metadata__";
    private static final Map<String, Integer> BYTES = Map.of("F64", 8, "F32", 4, "F16", 2, "BF16", 2, "I64", 8, "I32",
            4,
            "U8", 1, "BOOL", 1);

    /** Reads and checks the header of {@code file}, whose bytes are {@code all}. */
    static SafeTensorsHeader parse(MemorySegment all, Path file) {
        long size = all.byteSize();
        if (size < Long.BYTES) {
            throw broken(file, "expected at least 8 bytes, found " + size);
        }
        long length = all.get(ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0);
        if (length < 2 || length > Math.min(MAX_BYTES, size - Long.BYTES)) {
            throw broken(file,
                    "expected a header of 2 to " + Math.min(MAX_BYTES, size - Long.BYTES) + " bytes, found a length of "
                            + Long.toUnsignedString(length));
        }
        byte[] json = all.asSlice(Long.BYTES, length).toArray(ValueLayout.JAVA_BYTE);
        // A zero byte here would make the parser guess UTF-16.
        if (json[0] != '{' || json[1] == 0) {
            throw broken(file, "expected a header that starts with '{', found another byte");
        }
        return new Reader(file, Long.BYTES + length, size).read(json);
    }

    /**
     * The header's bytes for tensors of one type, lying one after the other in the given order: length, JSON, and spaces up to
     * a multiple of 8.
     */
    static ByteBuffer format(Map<String, String> metadata, FloatFormat format, List<SafeTensors.NamedStorage> tensors) {
        ByteArrayOutputStream json = new ByteArrayOutputStream();
        try (JsonGenerator out = CheckpointJson.FACTORY.createGenerator(json)) {
            out.writeStartObject();
            if (!metadata.isEmpty()) {
                out.writeObjectFieldStart(METADATA);
                for (Map.Entry<String, String> e : metadata.entrySet()) {
                    out.writeStringField(e.getKey(), e.getValue());
                }
                out.writeEndObject();
            }
            long at = 0;
            for (SafeTensors.NamedStorage t : tensors) {
                out.writeObjectFieldStart(t.name());
                out.writeStringField("dtype", format.name());
                out.writeArrayFieldStart("shape");
                for (long d : t.shape()) {
                    out.writeNumber(d);
                }
                out.writeEndArray();
                long end = Math.addExact(at, Math.multiplyExact(t.data().size(), (long) format.bytes()));
                out.writeArrayFieldStart("data_offsets");
                out.writeNumber(at);
                out.writeNumber(end);
                out.writeEndArray();
                out.writeEndObject();
                at = end;
            }
            out.writeEndObject();
        } catch (IOException e) {
            throw new IllegalStateException("writing to memory failed", e);
        }
        int padded = Math.ceilDiv(json.size(), 8) * 8;
        if (padded > MAX_BYTES) {
            throw new IllegalArgumentException(
                    "expected a header of at most " + MAX_BYTES + " bytes, found " + padded
                            + "; write fewer tensors to one file");
        }
        byte[] bytes = Arrays.copyOf(json.toByteArray(), padded);
        Arrays.fill(bytes, json.size(), padded, (byte) ' ');
        return ByteBuffer.allocate(Long.BYTES + padded).order(ByteOrder.LITTLE_ENDIAN).putLong(padded).put(bytes)
                .flip();
    }

    private static CheckpointException broken(Path file, String what) {
        return new CheckpointException(
                what + " in " + file + "; the file is cut short or not safetensors, fetch it again");
    }

    /** One pass over the JSON tokens: nothing is built that the header's own length does not bound. */
    private static final class Reader {
        private final Path file;
        private final long dataStart;
        private final long dataBytes;
        private final List<Entry> entries = new ArrayList<>();
        private final Map<String, String> metadata = new LinkedHashMap<>();

        Reader(Path file, long dataStart, long fileBytes) {
            this.file = file;
            this.dataStart = dataStart;
            this.dataBytes = fileBytes - dataStart;
        }

        SafeTensorsHeader read(byte[] json) {
            try (JsonParser in = CheckpointJson.FACTORY.createParser(json)) {
                expect(in.nextToken() == JsonToken.START_OBJECT, "an object", in);
                while (in.nextToken() != JsonToken.END_OBJECT) {
                    String name = in.currentName();
                    expect(in.nextToken() == JsonToken.START_OBJECT,
                            "an object under '" + CheckpointJson.quote(name) + "'", in);
                    if (name.equals(METADATA)) {
                        readMetadata(in);
                    } else {
                        entries.add(readEntry(name, in));
                    }
                }
                expect(in.nextToken() == null, "nothing but spaces behind the header's object", in);
            } catch (IOException e) {
                throw CheckpointJson.malformed("the header of " + file, e);
            }
            return new SafeTensorsHeader(Collections.unmodifiableMap(metadata), byPlace());
        }

        private void readMetadata(JsonParser in) throws IOException {
            while (in.nextToken() != JsonToken.END_OBJECT) {
                String key = in.currentName();
                expect(in.nextToken() == JsonToken.VALUE_STRING, "a text under '" + METADATA + "'", in);
                metadata.put(key, in.getText());
            }
        }

        private Entry readEntry(String name, JsonParser in) throws IOException {
            String dtype = null;
            List<Long> shape = null;
            List<Long> offsets = null;
            while (in.nextToken() != JsonToken.END_OBJECT) {
                String key = in.currentName();
                in.nextToken();
                switch (key) {
                    case "dtype" -> {
                        expect(in.currentToken() == JsonToken.VALUE_STRING, "a text as dtype", in);
                        dtype = in.getText();
                    }
                    case "shape" -> shape = readLongs(in, MAX_RANK);
                    case "data_offsets" -> offsets = readLongs(in, 2);
                    default -> throw broken(file, "expected dtype, shape and data_offsets, found '"
                            + CheckpointJson.quote(key) + "' of tensor " + CheckpointJson.quote(name));
                }
            }
            String tensor = " of tensor " + CheckpointJson.quote(name);
            if (dtype == null || shape == null || offsets == null || offsets.size() != 2) {
                throw broken(file, "expected dtype, shape and two data_offsets, found only some of them" + tensor);
            }
            Integer width = BYTES.get(dtype);
            if (width == null) {
                throw new CheckpointException("expected a dtype among BF16, BOOL, F16, F32, F64, I32, I64, U8, found '"
                        + CheckpointJson.quote(dtype) + "'" + tensor + " in " + file
                        + "; convert the checkpoint first");
            }
            long begin = offsets.get(0);
            long end = offsets.get(1);
            if (begin > end || end > dataBytes) {
                throw broken(file,
                        "expected data_offsets within the " + dataBytes + " bytes of data, found " + offsets + tensor);
            }
            if (bytesOf(shape, width) != end - begin) {
                throw broken(file,
                        "expected " + (end - begin) + " bytes, found shape " + shape + " of " + dtype + tensor);
            }
            return new Entry(name, dtype, List.copyOf(shape), dataStart + begin, end - begin);
        }

        private List<Long> readLongs(JsonParser in, int atMost) throws IOException {
            expect(in.currentToken() == JsonToken.START_ARRAY, "a list of numbers", in);
            List<Long> out = new ArrayList<>();
            while (in.nextToken() != JsonToken.END_ARRAY) {
                expect(in.currentToken() == JsonToken.VALUE_NUMBER_INT
                        && in.getNumberType() != JsonParser.NumberType.BIG_INTEGER
                        && in.getLongValue() >= 0, "a whole number from 0 to 2^63-1", in);
                expect(out.size() < atMost, "at most " + atMost + " numbers", in);
                out.add(in.getLongValue());
            }
            return out;
        }

        /** Bytes of a tensor, or -1 where that is beyond any file. */
        private static long bytesOf(List<Long> shape, int width) {
            if (shape.contains(0L)) {
                return 0;
            }
            long bytes = width;
            for (long d : shape) {
                if (d > Long.MAX_VALUE / bytes) {
                    return -1;
                }
                bytes *= d;
            }
            return bytes;
        }

        private Map<String, Entry> byPlace() {
            entries.sort(Comparator.comparingLong(Entry::offset).thenComparingLong(Entry::bytes));
            Map<String, Entry> out = LinkedHashMap.newLinkedHashMap(entries.size());
            long at = dataStart;
            for (Entry e : entries) {
                if (e.offset() != at) {
                    throw broken(file,
                            "expected tensor " + CheckpointJson.quote(e.name()) + " at byte " + (at - dataStart)
                                    + " of the data, where the one before it ends, found " + (e.offset() - dataStart));
                }
                at += e.bytes();
                out.put(e.name(), e);
            }
            if (at != dataStart + dataBytes) {
                throw broken(file, "expected " + (at - dataStart) + " bytes of data, found " + dataBytes);
            }
            return Collections.unmodifiableMap(out);
        }

        private void expect(boolean holds, String what, JsonParser in) throws IOException {
            if (!holds) {
                String found = in.currentToken() == null ? "the end" : CheckpointJson.quote(in.getText());
                throw broken(file, "expected " + what + ", found " + found + " at byte "
                        + in.currentTokenLocation().getByteOffset() + " of the header");
            }
        }
    }
}
