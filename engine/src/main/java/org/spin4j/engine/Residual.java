package org.spin4j.engine;

/** The residual connection by itself, where a norm or dropout stands between a projection and its sum: y += x, in place. */
public final class Residual {
    private Residual() {}

    /**
     * Forward step; backward: dx += dy.
     *
     * @param y changed
     * @param x of the same shape
     */
    public static void add(Tape tape, Tensor y, Tensor x) {
        tape.kernels().axpy(y.size(), 1, x.data(), y.data());
        tape.recordInPlace(y, () -> tape.kernels().axpy(y.size(), 1, y.grad(), tape.accumulator(x)));
    }
}
