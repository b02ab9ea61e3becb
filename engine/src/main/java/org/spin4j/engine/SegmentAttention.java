package org.spin4j.engine;

import org.spin4j.kernels.AttentionShape;
import org.spin4j.kernels.Forest;
import org.spin4j.kernels.Storage;

/** Causal attention over the segments of a forest; formulas at {@link org.spin4j.kernels.Kernels#attention}. */
public final class SegmentAttention {
    private SegmentAttention() {}

    /**
     * Forward step.
     *
     * @param qkv [tokens, shape.qkvWidth()], rotated
     * @return [tokens, shape.outWidth()]
     */
    public static Tensor apply(Tape tape, Tensor qkv, AttentionShape shape, Forest forest) {
        Tensor out = tape.tensor(qkv.rows(), shape.outWidth());
        Storage logSumExp = tape.scratch((long) qkv.rows() * shape.heads());
        tape.kernels().attention(forest, shape, qkv.data(), out.data(), logSumExp);
        tape.record(out, () -> {
            tape.kernels().attentionBackward(forest, shape, qkv.data(), out.data(), logSumExp, out.grad(),
                    tape.overwritten(qkv));
            tape.free(logSumExp);
        });
        tape.freeUnlessRecording(logSumExp);
        return out;
    }
}
