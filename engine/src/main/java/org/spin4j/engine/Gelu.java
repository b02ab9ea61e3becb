package org.spin4j.engine;

/** GELU in its tanh form (arXiv 1606.08415); formulas at {@link org.spin4j.kernels.Kernels#gelu}. */
public final class Gelu {
    private Gelu() {}

    /** Forward step, of any shape. */
    public static Tensor apply(Tape tape, Tensor x) {
        Tensor y = tape.tensor(x.rows(), x.cols());
        tape.kernels().gelu(x.size(), x.data(), y.data());
        tape.record(y, () -> tape.kernels().geluBackward(x.size(), x.data(), y.grad(), tape.overwritten(x)));
        return y;
    }
}
