package org.spin4j.engine;

/** A tensor times a number: y = factor · x. */
public final class Scale {
    private Scale() {}

    /** Forward step, of any shape; backward: dx = factor · dy. */
    public static Tensor apply(Tape tape, Tensor x, double factor) {
        Tensor y = tape.tensor(x.rows(), x.cols());
        y.data().zero();
        tape.kernels().axpy(x.size(), factor, x.data(), y.data());
        tape.record(y, () -> tape.kernels().axpy(x.size(), factor, y.grad(), tape.accumulator(x)));
        return y;
    }
}
