package org.spin4j.tokenizer;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** Reads a message of Protocol Buffers field by field; a field whose value is not asked for is passed over. */
final class ProtoReader {
    private static final int VARINT = 0;
    private static final int FIXED64 = 1;
    private static final int BYTES = 2;
    private static final int FIXED32 = 5;

    private final ByteBuffer in;
    /** Where the message begins in the file. */
    private final int offset;
    private final String file;
    private int field;
    private int type;
    private int valueEnd;
    private long number;

    ProtoReader(byte[] bytes, String file) {
        this(ByteBuffer.wrap(bytes), 0, file);
    }

    private ProtoReader(ByteBuffer bytes, int offset, String file) {
        in = bytes.order(ByteOrder.LITTLE_ENDIAN);
        this.offset = offset;
        this.file = file;
    }

    /** Goes on to the next field; false at the end. */
    boolean next() {
        in.position(valueEnd);
        if (!in.hasRemaining()) {
            return false;
        }
        long tag = readVarint();
        field = (int) (tag >>> 3);
        type = (int) (tag & 7);
        if (tag >>> 32 != 0 || field == 0) {
            throw damaged("a field number");
        }
        switch (type) {
            case VARINT -> {
                number = readVarint();
                valueEnd = in.position();
            }
            case FIXED64 -> valueEnd = in.position() + 8;
            case FIXED32 -> valueEnd = in.position() + 4;
            case BYTES -> {
                long length = readVarint();
                if (length < 0 || length > in.remaining()) {
                    throw damaged("a length within the file");
                }
                valueEnd = in.position() + (int) length;
            }
            default -> throw damaged("a field of a known type");
        }
        if (valueEnd > in.limit()) {
            throw damaged("a number within the file");
        }
        return true;
    }

    /** The number of the field. */
    int field() {
        return field;
    }

    /** The value as a number of 32 bits. */
    int int32() {
        require(VARINT);
        return (int) number;
    }

    boolean bool() {
        require(VARINT);
        return number != 0;
    }

    float float32() {
        require(FIXED32);
        return in.getFloat(in.position());
    }

    byte[] bytes() {
        require(BYTES);
        byte[] bytes = new byte[valueEnd - in.position()];
        in.get(in.position(), bytes);
        return bytes;
    }

    String string() {
        require(BYTES);
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(slice()).toString();
        } catch (CharacterCodingException e) {
            throw new TokenizerException(damaged("text in UTF-8").getMessage(), e);
        }
    }

    ProtoReader message() {
        require(BYTES);
        return new ProtoReader(slice(), offset + in.position(), file);
    }

    /** A problem with the field at hand. */
    TokenizerException damaged(String expected) {
        return new TokenizerException("expected " + expected + ", found something else at byte "
                + (offset + in.position()) + " of " + file
                + "; the file is damaged, cut short or no SentencePiece model");
    }

    private ByteBuffer slice() {
        return in.slice(in.position(), valueEnd - in.position());
    }

    private void require(int wanted) {
        if (type != wanted) {
            throw damaged("another type of field " + field);
        }
    }

    private long readVarint() {
        long value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            if (!in.hasRemaining()) {
                throw damaged("more bytes");
            }
            byte b = in.get();
            value |= (long) (b & 0x7F) << shift;
            if (b >= 0) {
                return value;
            }
        }
        throw damaged("a number of at most 64 bits");
    }
}
