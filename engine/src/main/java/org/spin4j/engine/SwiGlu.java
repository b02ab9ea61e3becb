package org.spin4j.engine;

/** SwiGLU (arXiv 2002.05202): y = silu(gate)·up; formulas at {@link org.spin4j.kernels.Kernels#swiGlu}. */
public final class SwiGlu {
    private SwiGlu() {}

    /**
     * Forward step.
     *
     * @param gateUp [tokens, 2·hidden]: gate, then up
     * @return [tokens, hidden]
     */
    public static Tensor apply(Tape tape, Tensor gateUp) {
        int rows = gateUp.rows();
        int hidden = gateUp.cols() / 2;
        Tensor y = tape.tensor(rows, hidden);
        tape.kernels().swiGlu(rows, hidden, gateUp.data(), y.data());
        tape.record(y,
                () -> tape.kernels().swiGluBackward(rows, hidden, gateUp.data(), y.grad(), tape.overwritten(gateUp)));
        return y;
    }
}
