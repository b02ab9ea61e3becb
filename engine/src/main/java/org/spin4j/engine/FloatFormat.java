package org.spin4j.engine;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Rounding;
import org.spin4j.kernels.Storage;

/**
 * The floating-point formats of checkpoint files, little-endian and possibly unaligned, and their conversion from and to the
 * memory of tensors. Widening is exact; narrowing rounds once, to nearest, ties to even.
 */
enum FloatFormat {
    /** IEEE binary64. */
    F64(8) {
        @Override
        double get(MemorySegment file, long i) {
            return file.get(DOUBLE, 8 * i);
        }

        @Override
        void set(MemorySegment file, long i, double value) {
            file.set(DOUBLE, 8 * i, value);
        }
    },
    /** IEEE binary32. */
    F32(4) {
        @Override
        double get(MemorySegment file, long i) {
            return file.get(FLOAT, 4 * i);
        }

        @Override
        void set(MemorySegment file, long i, double value) {
            file.set(FLOAT, 4 * i, (float) value);
        }
    },
    /** IEEE binary16: 5 bits of exponent, 10 of fraction. */
    F16(2) {
        @Override
        double get(MemorySegment file, long i) {
            return Float.float16ToFloat(file.get(SHORT, 2 * i));
        }

        @Override
        void set(MemorySegment file, long i, double value) {
            file.set(SHORT, 2 * i, Rounding.toFloat16(value));
        }
    },
    /** The upper half of a binary32: 8 bits of exponent, 7 of fraction. */
    BF16(2) {
        @Override
        double get(MemorySegment file, long i) {
            return Float.intBitsToFloat(file.get(SHORT, 2 * i) << 16);
        }

        @Override
        void set(MemorySegment file, long i, double value) {
            file.set(SHORT, 2 * i, Rounding.toBfloat16(value));
        }
    };

    private static final ValueLayout.OfDouble DOUBLE = ValueLayout.JAVA_DOUBLE_UNALIGNED
            .withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED
            .withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED
            .withOrder(ByteOrder.LITTLE_ENDIAN);

    private final int bytes;

    FloatFormat(int bytes) {
        this.bytes = bytes;
    }

    /** Bytes of one element. */
    int bytes() {
        return bytes;
    }

    /** Element {@code i} of the file's bytes. */
    abstract double get(MemorySegment file, long i);

    /** Stores {@code value}, rounded once, as element {@code i}. */
    abstract void set(MemorySegment file, long i, double value);

    /** Fills all of {@code out} from the file's bytes. */
    void decode(MemorySegment file, Storage out) {
        if (isLayoutOf(out)) {
            out.segment().copyFrom(file);
            return;
        }
        if (ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN) {
            out.convertFrom(Storage.wrap(file, DType.valueOf(name()), out.size()));
            return;
        }
        for (long i = 0; i < out.size(); i++) {
            out.set(i, get(file, i));
        }
    }

    /** Writes all of {@code in} as the file's bytes. */
    void encode(Storage in, MemorySegment file) {
        if (isLayoutOf(in)) {
            file.copyFrom(in.readOnlySegment());
            return;
        }
        for (long i = 0; i < in.size(); i++) {
            set(file, i, in.get(i));
        }
    }

    private boolean isLayoutOf(Storage storage) {
        return ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN && name().equals(storage.type().name());
    }
}
