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
    PAIRED;

    /** The row of Hugging Face's tensor that is row {@code row} of the file's. */
    private long source(long row, int headDim) {
        long inHead = row % headDim;
        return this == SAME ? row : row - inHead + inHead % 2 * (headDim / 2) + inHead / 2;
    }

    /**
     * Reads a tensor.
     *
     * @param in    the file's bytes
     * @param shape its dimensions, outermost first
     */
    void read(GgufType type, MemorySegment in, List<Long> shape, int headDim, Storage out) {
        if (this == SAME) {
            type.read(in, out);
            return;
        }
        long rows = shape.getFirst();
        long cols = out.size() / rows;
        long bytes = in.byteSize() / rows;
        for (long row = 0; row < rows; row++) {
            type.read(in.asSlice(row * bytes, bytes), out.slice(source(row, headDim) * cols, cols));
        }
    }

    /** The numbers in the file's order: {@code data} itself, or a copy of the same type. */
    Storage ordered(Storage data, List<Long> shape, int headDim) {
        if (this == SAME) {
            return data;
        }
        long rows = shape.getFirst();
        long cols = data.size() / rows;
        Storage out = Storage.allocate(Arena.ofAuto(), data.type(), data.size());
        for (long row = 0; row < rows; row++) {
            out.slice(row * cols, cols).copyFrom(data.slice(source(row, headDim) * cols, cols));
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
