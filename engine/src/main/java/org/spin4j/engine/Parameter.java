package org.spin4j.engine;

import java.util.List;
import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.Storage;

/**
 * A trained matrix {@code [rows, cols]} (a vector has one row). Weights that one product multiplies are one parameter: the
 * query, key and value projections lie below each other, and so do gate and up. {@link #parts} names the pieces as
 * checkpoints do.
 */
public final class Parameter {
    /**
     * A named piece of consecutive rows.
     *
     * @param name  the checkpoint's name
     * @param shape the checkpoint's shape
     * @param from  first element within the parameter
     */
    public record Part(String name, List<Long> shape, long from) {
        /** Number of elements. */
        public long size() {
            return shape.stream().mapToLong(Long::longValue).reduce(1, Math::multiplyExact);
        }
    }

    private final List<Part> parts;
    private final int rows;
    private final int cols;
    private final boolean decays;
    private final long offset;
    private Storage data;
    private Storage grad;
    private Kernels.PackedMatrix packed;

    Parameter(List<Part> parts, int rows, int cols, boolean decays, long offset) {
        this.parts = List.copyOf(parts);
        this.rows = rows;
        this.cols = cols;
        this.decays = decays;
        this.offset = offset;
    }

    /** The pieces, as checkpoints name them. */
    public List<Part> parts() {
        return parts;
    }

    /** Rows: outputs of a projection, tokens of an embedding; 1 for a vector. */
    public int rows() {
        return rows;
    }

    /** Columns: inputs of a projection. */
    public int cols() {
        return cols;
    }

    /** Number of elements. */
    public long size() {
        return (long) rows * cols;
    }

    /** Whether weight decay applies by Hugging Face's rule: not to biases and norms. */
    public boolean decays() {
        return decays;
    }

    /** First element within the model's flat memory. */
    public long offset() {
        return offset;
    }

    /** The values. */
    public Storage data() {
        return data;
    }

    /** The gradient, or null where the model is frozen. */
    public Storage grad() {
        return grad;
    }

    /** The weight laid out for multiplication while it is frozen for sampling, or null. */
    Kernels.PackedMatrix packed() {
        return packed;
    }

    void bind(Storage data, Storage grad) {
        this.data = data;
        this.grad = grad;
    }

    void packed(Kernels.PackedMatrix matrix) {
        this.packed = matrix;
    }
}
