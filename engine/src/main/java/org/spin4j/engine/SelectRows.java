package org.spin4j.engine;

/** Rows of a tensor, in any order and any number of times: y[i] = x[rows[i]]. */
public final class SelectRows {
    private SelectRows() {}

    /**
     * Forward step; backward: dx[rows[i]] += dy[i].
     *
     * @param x    [tokens, dim]
     * @param rows row numbers; a prompt's last token may predict the first token of several responses
     * @return [rows.length, dim]
     */
    public static Tensor apply(Tape tape, Tensor x, int[] rows) {
        Tensor y = tape.tensor(rows.length, x.cols());
        tape.kernels().gatherRows(rows, rows.length, x.cols(), x.data(), false, y.data());
        tape.record(y,
                () -> tape.kernels().scatterAddRows(rows, rows.length, x.cols(), y.grad(), tape.accumulator(x)));
        return y;
    }
}
