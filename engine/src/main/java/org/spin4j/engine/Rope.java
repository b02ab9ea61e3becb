package org.spin4j.engine;

import org.spin4j.kernels.AttentionShape;
import org.spin4j.kernels.Storage;

/** Rotary position embedding (arXiv 2104.09864, eq. 34) of the query and key heads of packed qkv rows, in place. */
public final class Rope {
    private Rope() {}

    /**
     * Forward step; backward turns the gradient by the opposite angle.
     *
     * @param qkv       [tokens, shape.qkvWidth()], changed
     * @param positions position of each token
     * @param cosSin    [maxPositions, headDim]: cosines, then sines
     */
    public static void apply(Tape tape, Tensor qkv, AttentionShape shape, int[] positions, Storage cosSin) {
        // Query and key heads are neighbours in a row, so one call turns both.
        int heads = shape.heads() + shape.kvHeads();
        tape.kernels().rope(qkv.rows(), qkv.cols(), heads, shape.headDim(), positions, cosSin, false, qkv.data());
        tape.recordInPlace(qkv,
                () -> tape.kernels().rope(qkv.rows(), qkv.cols(), heads, shape.headDim(), positions, cosSin,
                        true, qkv.grad()));
    }
}
