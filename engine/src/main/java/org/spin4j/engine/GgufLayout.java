package org.spin4j.engine;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Storage;

/** How a tensor of a GGUF file differs from what Hugging Face's folder of the same model holds. */
enum GgufLayout {
    /** It does not. */
    SAME,
    /**
     * Rows of a head that rotary positions turn together lie next to each other; Hugging Face keeps them half a head apart. Both
     * give the same products of queries and keys.
     */
    PAIRED,
    /** A matrix is {@code [out, in]}; GPT-2's folder has {@code [in, out]}. */
    TRANSPOSED;

    /** The shape on one side from that on the other. */
    List<Long> shape(List<Long> other) {
        return this == TRANSPOSED ? other.reversed() : other;
    }

    /** The row of Hugging Face's tensor that is row {@code row} of the file's. */
    private static long source(long row, int headDim) {
        long inHead = row % headDim;
        return row - inHead + inHead % 2 * (headDim / 2) + inHead / 2;
    }

    /**
     * Reads a tensor.
     *
     * @param in    the file's bytes
     * @param shape its dimensions in the file, outermost first
     */
    void read(GgufType type, MemorySegment in, List<Long> shape, int headDim, Storage out) {
        long rows = shape.getFirst();
        long cols = out.size() / rows;
        switch (this) {
            case SAME -> type.read(in, out);
            case PAIRED -> {
                long bytes = in.byteSize() / rows;
                for (long row = 0; row < rows; row++) {
                    type.read(in.asSlice(row * bytes, bytes), out.slice(source(row, headDim) * cols, cols));
                }
            }
            case TRANSPOSED -> {
                Storage file = Storage.allocate(Arena.ofAuto(), DType.F32, out.size());
                type.read(in, file);
                out.convertFrom(shape.size() == 1 ? file : transposed(file, rows, cols));
            }
        }
    }

    /**
     * The numbers in the file's order: {@code data} itself, or a copy.
     *
     * @param shape dimensions in the folder
     */
    Storage ordered(Storage data, List<Long> shape, int headDim) {
        long rows = shape.getFirst();
        long cols = data.size() / rows;
        if (this == SAME || this == TRANSPOSED && shape.size() == 1) {
            return data;
        }
        if (this == TRANSPOSED) {
            return transposed(data, rows, cols);
        }
        Storage out = Storage.allocate(Arena.ofAuto(), data.type(), data.size());
        for (long row = 0; row < rows; row++) {
            out.slice(row * cols, cols).copyFrom(data.slice(source(row, headDim) * cols, cols));
        }
        return out;
    }

    private static Storage transposed(Storage data, long rows, long cols) {
        Storage out = Storage.allocate(Arena.ofAuto(), DType.F32, data.size());
        for (long row = 0; row < rows; row++) {
            for (long col = 0; col < cols; col++) {
                out.set(col * rows + row, data.get(row * cols + col));
            }
        }
        return out;
    }

    /** Whether the tensor can be used where it lies. */
    boolean inPlace(GgufType type) {
        return this == SAME && type.storage().isPresent();
    }

    /** In which type a frozen model keeps a tensor that the file stores as {@code type}. */
    static DType kept(GgufType type) {
        return type.storage().orElse(DType.F32);
    }
}
