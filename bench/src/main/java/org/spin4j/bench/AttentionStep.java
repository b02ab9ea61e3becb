package org.spin4j.bench;

import java.lang.foreign.Arena;
import java.util.Arrays;
import org.spin4j.kernels.AttentionShape;
import org.spin4j.kernels.Forest;
import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.Storage;

/** Causal attention of one layer over sequences of one length: each {@link #run} is a forward and a backward pass. */
final class AttentionStep implements AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final Kernels kernels;
    private final Forest forest;
    private final AttentionShape shape;
    private final Storage qkv;
    private final Storage dOut;
    private final Storage out;
    private final Storage logSumExp;
    private final Storage dQkv;

    /** Random operands, the same ones every time. */
    AttentionStep(Kernels kernels, int batch, int length, int heads, int headDim) {
        this.kernels = kernels;
        int[] lengths = new int[batch];
        Arrays.fill(lengths, length);
        forest = Forest.ofSequences(lengths);
        shape = new AttentionShape(heads, heads, headDim, 1 / Math.sqrt(headDim), 0);
        long tokens = forest.tokens();
        qkv = Numbers.gaussian(arena, tokens * shape.qkvWidth(), 1, "qkv");
        dOut = Numbers.gaussian(arena, tokens * shape.outWidth(), 1, "dOut");
        out = Numbers.zeros(arena, tokens * shape.outWidth());
        logSumExp = Numbers.zeros(arena, tokens * heads);
        dQkv = Numbers.zeros(arena, tokens * shape.qkvWidth());
    }

    /** Forward and backward pass. */
    void run() {
        kernels.attention(forest, shape, qkv, out, logSumExp);
        kernels.attentionBackward(forest, shape, qkv, out, logSumExp, dOut, dQkv);
    }

    /** Queries, keys and values: {@code [tokens, 3, heads, headDim]}. */
    float[] qkv() {
        return qkv.toFloats();
    }

    /** Gradient of the output: {@code [tokens, heads, headDim]}. */
    float[] dOut() {
        return dOut.toFloats();
    }

    /** Output of the last run: {@code [tokens, heads, headDim]}. */
    float[] out() {
        return out.toFloats();
    }

    /** Gradients found by the last run: {@code [tokens, 3, heads, headDim]}. */
    float[] dQkv() {
        return dQkv.toFloats();
    }

    /** Bytes that the forward pass keeps for the backward pass beside its operands and its result. */
    long keptBytes() {
        return logSumExp.size() * Float.BYTES;
    }

    @Override
    public void close() {
        arena.close();
    }
}
