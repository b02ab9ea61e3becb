package org.spin4j.engine;

import org.spin4j.kernels.AttentionShape;
import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.Storage;

/**
 * RMSNorm of every query head and every key head of packed qkv rows, in place, so that scores stay bounded (Dehghani et al.
 * 2023, arXiv 2302.05442, section 2); formulas at {@link org.spin4j.kernels.Kernels#headNorm}.
 */
public final class HeadNorm {
    private HeadNorm() {}

    /**
     * Forward step.
     *
     * @param qkv    [tokens, shape.qkvWidth()], changed
     * @param query  [headDim]: weight for query heads
     * @param key    [headDim]: weight for key heads
     * @param offset what is added to the weights: 0, or 1 in the Gemma family
     */
    public static void apply(Tape tape, Tensor qkv, AttentionShape shape, Parameter query, Parameter key, double eps,
            double offset) {
        heads(tape, qkv, 0, shape.heads(), query, eps, offset);
        heads(tape, qkv, shape.outWidth(), shape.kvHeads(), key, eps, offset);
    }

    /** Normalises {@code heads} heads, the first of which begins at column {@code from}. */
    private static void heads(Tape tape, Tensor qkv, int from, int heads, Parameter weight, double eps,
            double offset) {
        Kernels k = tape.kernels();
        int rows = qkv.rows();
        int headDim = weight.cols();
        Storage w = Norm.shifted(tape, weight, offset);
        Storage before = tape.isRecording() ? tape.scratch((long) rows * heads * headDim) : null;
        Storage invRms = tape.scratch((long) rows * heads);
        k.headNorm(rows, qkv.cols(), heads, headDim, eps, behind(qkv.data(), from), w, before, invRms);
        tape.recordInPlace(qkv, () -> {
            k.headNormBackward(rows, qkv.cols(), heads, headDim, before, w, invRms, behind(qkv.grad(), from),
                    weight.grad());
            tape.free(before);
            tape.free(invRms);
            Norm.freeShifted(tape, w, weight);
        });
        if (!tape.isRecording()) {
            tape.free(invRms);
            Norm.freeShifted(tape, w, weight);
        }
    }

    private static Storage behind(Storage rows, int from) {
        return rows.slice(from, rows.size() - from);
    }
}
