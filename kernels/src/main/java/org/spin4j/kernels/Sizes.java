package org.spin4j.kernels;

/** What backends check of operands at their door. */
public final class Sizes {
    private Sizes() {}

    /** Numbers of a matrix. */
    public static long of(int rows, int cols) {
        return (long) rows * cols;
    }

    /** Numbers up to the end of the last row's last head. */
    public static long ofHeads(int rows, int rowStride, int heads, int headDim) {
        if (rowStride < (long) heads * headDim) {
            throw new IllegalArgumentException(
                    "expected rows of at least " + heads + " x headDim numbers, found headDim "
                            + headDim + " and rowStride " + rowStride);
        }
        return rows == 0 ? 0 : of(rows - 1, rowStride) + (long) heads * headDim;
    }

    /** Numbers that a table must have so that each of the rows named exists. */
    public static long ofTable(int[] rows, int count, int dim) {
        long most = -1;
        for (int i = 0; i < count; i++) {
            if (rows[i] < 0) {
                throw new IllegalArgumentException("expected row numbers of at least 0, found " + rows[i]
                        + " at index " + i);
            }
            most = Math.max(most, rows[i]);
        }
        return (most + 1) * dim;
    }

    /** Refuses a matrix whose rows are not whole blocks of its type. */
    public static void requireWholeRows(Storage s, long row, String operand) {
        if (row % s.type().block() != 0) {
            throw new IllegalArgumentException("expected rows of " + operand + " of a multiple of " + s.type().block()
                    + " elements for " + s.type() + ", found " + row + "; store this weight in another type");
        }
    }

    /** Refuses targets that are too few, or no tokens. */
    public static void requireTargets(int rows, int vocab, int[] targets) {
        if (targets.length < rows) {
            throw new IllegalArgumentException("expected a target for each of " + rows + " rows, found "
                    + targets.length);
        }
        for (int i = 0; i < rows; i++) {
            if (targets[i] < 0 || targets[i] >= vocab) {
                throw new IllegalArgumentException("expected targets from 0 to " + (vocab - 1) + ", found "
                        + targets[i] + " at row " + i);
            }
        }
    }
}
