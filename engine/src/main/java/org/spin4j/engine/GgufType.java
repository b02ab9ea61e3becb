package org.spin4j.engine;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Optional;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Storage;

/**
 * How GGUF stores the numbers of a tensor: plainly, or in blocks that share scales. Source: the block formats of ggml
 * ({@code ggml-quants.h}); numbers come out bit for bit as its Python package {@code gguf} widens them, in 32 bits.
 */
enum GgufType {
    F32(0, 1, 4), F16(1, 1, 2), BF16(30, 1, 2),
    /** Scale d, 32 nibbles: d·(q−8). */
    Q4_0(2, 32, 18),
    /** Scale d, minimum m, 32 nibbles: d·q + m. */
    Q4_1(3, 32, 20),
    /** Scale d, 32 fifth bits, 32 nibbles: d·(q−16). */
    Q5_0(6, 32, 22),
    /** Scale d, minimum m, 32 fifth bits, 32 nibbles: d·q + m. */
    Q5_1(7, 32, 24),
    /** Scale d, 32 signed bytes: d·q. */
    Q8_0(8, 32, 34),
    /** Scales d and dmin, of 8 sub-blocks a 6-bit scale s and minimum m, 256 nibbles: d·s·q − dmin·m. */
    Q4_K(12, 256, 144),
    /** As Q4_K with 256 fifth bits. */
    Q5_K(13, 256, 176),
    /** 256 nibbles, 256 pairs of upper bits, of 16 sub-blocks a signed scale s, scale d: d·s·(q−32). */
    Q6_K(14, 256, 210);

    /** Names of ggml's other types by their numbers, for messages. */
    private static final String[] OTHERS = {null, null, null, null, "Q4_2", "Q4_3", null, null, null, "Q8_1", "Q2_K",
            "Q3_K", null, null, null, "Q8_K", "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S", "IQ4_NL", "IQ3_S", "IQ2_S",
            "IQ4_XS", "I8", "I16", "I32", "I64", "F64", "IQ1_M", null, null, null, null, "TQ1_0", "TQ2_0", null, null,
            null, "MXFP4"};

    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED
            .withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
    /** Numbers that are widened before they are stored: whole blocks of every type. */
    private static final int CHUNK = 1 << 14;

    private final int number;
    private final int block;
    private final int blockBytes;

    GgufType(int number, int block, int blockBytes) {
        this.number = number;
        this.block = block;
        this.blockBytes = blockBytes;
    }

    /** The type that a file calls {@code number}; empty where it is none of these. */
    static Optional<GgufType> of(int number) {
        for (GgufType type : values()) {
            if (type.number == number) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }

    /** What ggml calls its type {@code number}. */
    static String name(int number) {
        boolean known = number >= 0 && number < OTHERS.length && OTHERS[number] != null;
        return "type " + number + (known ? " (" + OTHERS[number] + ")" : "");
    }

    /** What a file calls this type. */
    int number() {
        return number;
    }

    /** What {@code general.file_type} calls a file whose matrices are of this type, which can be written. */
    int fileType() {
        return switch (this) {
            case F32 -> 0;
            case F16 -> 1;
            case Q8_0 -> 7;
            case BF16 -> 32;
            default -> throw new IllegalStateException(this + " is not written");
        };
    }

    /** Numbers in a block. */
    int block() {
        return block;
    }

    /** Bytes of a block. */
    int blockBytes() {
        return blockBytes;
    }

    /** The same as a storage type of the kernels; empty for those that are widened on reading. */
    Optional<DType> storage() {
        return switch (this) {
            case F32 -> Optional.of(DType.F32);
            case F16 -> Optional.of(DType.F16);
            case BF16 -> Optional.of(DType.BF16);
            case Q8_0 -> Optional.of(DType.Q8_0);
            default -> Optional.empty();
        };
    }

    /**
     * Fills all of {@code out} with the numbers in the bytes of a file.
     *
     * @param in  little-endian, the bytes of as many numbers as {@code out} has: whole blocks
     * @throws IllegalArgumentException where the type of {@code out} cannot hold one of the numbers
     */
    void read(MemorySegment in, Storage out) {
        if (storage().isPresent()) {
            out.convertFrom(Storage.wrap(in, storage().get(), out.size()));
            return;
        }
        float[] chunk = new float[(int) Math.min(CHUNK, out.size())];
        Storage widened = Storage.wrap(MemorySegment.ofArray(chunk), DType.F32, chunk.length);
        for (long at = 0; at < out.size(); at += CHUNK) {
            int n = (int) Math.min(CHUNK, out.size() - at);
            for (int i = 0; i < n; i += block) {
                widen(in, (at + i) / block * blockBytes, chunk, i);
            }
            out.slice(at, n).convertFrom(widened.slice(0, n));
        }
    }

    private void widen(MemorySegment in, long at, float[] out, int to) {
        switch (this) {
            case Q4_0 -> nibbles(in, at + 2, null, out, to, f16(in, at), -8, 0);
            case Q4_1 -> nibbles(in, at + 4, null, out, to, f16(in, at), 0, f16(in, at + 2));
            case Q5_0 -> nibbles(in, at + 6, in.get(INT, at + 2), out, to, f16(in, at), -16, 0);
            case Q5_1 -> nibbles(in, at + 8, in.get(INT, at + 4), out, to, f16(in, at), 0, f16(in, at + 2));
            case Q4_K -> superBlock(in, at, -1, at + 16, out, to);
            case Q5_K -> superBlock(in, at, at + 16, at + 48, out, to);
            case Q6_K -> sixBits(in, at, out, to);
            default -> throw new IllegalStateException(this + " is a storage type");
        }
    }

    /** Blocks of 32: the first 16 numbers are lower nibbles, the others upper ones. */
    private void nibbles(MemorySegment in, long at, Integer fifthBits, float[] out, int to, float d, int shift,
            float m) {
        boolean minimum = this == Q4_1 || this == Q5_1;
        for (int i = 0; i < 32; i++) {
            int q = in.get(BYTE, at + i % 16) >>> (i < 16 ? 0 : 4) & 0xF;
            if (fifthBits != null) {
                q |= (fifthBits >>> i & 1) << 4;
            }
            // Adding a minimum of 0 would turn −0 into 0.
            out[to + i] = minimum ? d * q + m : d * (q + shift);
        }
    }

    /** Blocks of 256 with 8 sub-blocks; {@code fifthBits} is the place of those, -1 for none. */
    private static void superBlock(MemorySegment in, long at, long fifthBits, long nibbles, float[] out, int to) {
        float d = f16(in, at);
        float dMin = f16(in, at + 2);
        long scales = at + 4;
        for (int s = 0; s < 8; s++) {
            float scale = d * sixBitScale(in, scales, s, 0);
            float minimum = dMin * sixBitScale(in, scales, s, 4);
            for (int i = 0; i < 32; i++) {
                int q = in.get(BYTE, nibbles + s / 2 * 32L + i) >>> (s % 2 * 4) & 0xF;
                if (fifthBits >= 0) {
                    q |= (in.get(BYTE, fifthBits + i) >>> s & 1) << 4;
                }
                out[to + s * 32 + i] = scale * q - minimum;
            }
        }
    }

    /** Of 12 bytes, 8 scales ({@code from} 0) and 8 minima (4): the first four in six bits, the others cut in four and two. */
    private static int sixBitScale(MemorySegment in, long scales, int s, int from) {
        if (s < 4) {
            return in.get(BYTE, scales + from + s) & 0x3F;
        }
        int low = in.get(BYTE, scales + 8 + s - 4) >>> from & 0xF;
        return low | (in.get(BYTE, scales + from + s - 4) & 0xC0) >>> 2;
    }

    private static void sixBits(MemorySegment in, long at, float[] out, int to) {
        float d = f16(in, at + 208);
        for (int i = 0; i < 256; i++) {
            int half = i / 128;
            int quarter = i % 128 / 32;
            int low = in.get(BYTE, at + half * 64L + quarter % 2 * 32L + i % 32) >>> (quarter / 2 * 4) & 0xF;
            int high = in.get(BYTE, at + 128 + half * 32L + i % 32) >>> (quarter * 2) & 3;
            float scale = d * in.get(BYTE, at + 192 + i / 16);
            out[to + i] = scale * ((low | high << 4) - 32);
        }
    }

    private static float f16(MemorySegment in, long at) {
        return Float.float16ToFloat(in.get(SHORT, at));
    }
}
