package org.spin4j.engine;

import org.spin4j.kernels.Storage;

/** An activation: a matrix {@code [rows, cols]} of a {@link Tape}, and, during the backward pass, its gradient. */
public final class Tensor {
    private final int rows;
    private final int cols;
    private final Storage data;
    private Storage grad;

    Tensor(int rows, int cols, Storage data) {
        this.rows = rows;
        this.cols = cols;
        this.data = data;
    }

    /** Number of rows: tokens, in most cases. */
    public int rows() {
        return rows;
    }

    /** Numbers in one row. */
    public int cols() {
        return cols;
    }

    /** Number of elements. */
    public long size() {
        return (long) rows * cols;
    }

    /** The values, row-major. */
    public Storage data() {
        return data;
    }

    /** The gradient, or null where nothing has been added to it yet. */
    public Storage grad() {
        return grad;
    }

    void grad(Storage storage) {
        this.grad = storage;
    }
}
