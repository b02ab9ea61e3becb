package org.spin4j.engine;

/** GEGLU (arXiv 2002.05202): y = gelu(gate)·up; formulas at {@link org.spin4j.kernels.Kernels#geGlu}. */
public final class GeGlu {
    private GeGlu() {}

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
        tape.kernels().geGlu(rows, hidden, gateUp.data(), y.data());
        tape.record(y,
                () -> tape.kernels().geGluBackward(rows, hidden, gateUp.data(), y.grad(), tape.overwritten(gateUp)));
        return y;
    }
}
