package org.spin4j.kernels.tornado;

import java.util.List;
import java.util.function.IntUnaryOperator;
import org.spin4j.kernels.AttentionShape;
import org.spin4j.kernels.Forest;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Gradients of attention without atomics: one kernel goes from blocks of queries over the keys that they see and gives dQ, another from
 * blocks of keys over the queries that see them, in all heads that share the key, and gives dK and dV. Both compute the scores
 * anew. With P = exp(S - L): dV = Pᵀ·dO, dS = P∘(dO·Vᵀ - Σ dO∘O), dQ = scale·dS·K, dK = scale·dSᵀ·Q.
 */
final class DeviceAttentionBackward {
    private static final int BLOCK = AttentionBlocks.BLOCK;
    private static final int ITEMS = DeviceAttention.ITEMS;
    /** Dimensions of the gradients that a group computes. */
    private static final int DIMS = DeviceAttention.DIMS;
    /** Dimensions that lie in local memory while scores are computed. */
    private static final int SLICE = 16;
    private static final int STRIDE = SLICE + 1;
    private static final int SCORES = BLOCK + 1;
    private static final int WIDE = DIMS + 1;
    private static final int HEADER = 10;

    private DeviceAttentionBackward() {}

    /**
     * See {@link org.spin4j.kernels.Kernels#attentionBackward}.
     *
     * @param scratch gives the index of so many numbers of scratch memory
     */
    static List<DeviceCall> backward(Forest forest, AttentionShape shape, int qkv, int out, int logSumExp, int dOut,
            int dQkv, IntUnaryOperator scratch) {
        int parts = (shape.headDim() + DIMS - 1) / DIMS;
        int rows = Math.multiplyExact(forest.tokens(), shape.heads());
        int deltas = scratch.applyAsInt(rows);
        int[] header = {shape.heads(), shape.kvHeads(), shape.headDim(), shape.window(), parts, qkv, logSumExp, deltas,
                dOut, dQkv};
        AttentionBlocks queries = AttentionBlocks.queries(forest, header);
        AttentionBlocks keys = AttentionBlocks.keys(forest, header);
        float[] reals = {(float) shape.scale(), (float) shape.softcap()};
        return DeviceCall.sequence(
                DeviceCall.flat("attention deltas", DeviceAttentionBackward::deltas, rows,
                        new int[]{rows, shape.headDim(), out, dOut, deltas}),
                DeviceCall.groups("attentionBackward of queries", DeviceAttentionBackward::queries,
                        queries.count() * shape.heads() * parts, ITEMS, queries.ints(), reals),
                DeviceCall.groups("attentionBackward of keys", DeviceAttentionBackward::keys,
                        keys.count() * shape.kvHeads() * parts, ITEMS, keys.ints(), reals));
    }

    /** Σ dO∘O of each token and head. */
    static void deltas(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        int args = ints.get(i);
        int e = context.globalIdx;
        if (e < ints.get(args)) {
            int headDim = ints.get(args + 1);
            int out = ints.get(args + 2) + e * headDim;
            int dOut = ints.get(args + 3) + e * headDim;
            float sum = 0;
            for (int d = 0; d < headDim; d++) {
                sum += mem.get(dOut + d) * mem.get(out + d);
            }
            mem.set(ints.get(args + 4) + e, sum);
        }
    }

    static void queries(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        float[] queries = context.allocateFloatLocalArray(BLOCK * STRIDE);
        float[] keys = context.allocateFloatLocalArray(BLOCK * STRIDE);
        float[] grads = context.allocateFloatLocalArray(BLOCK * STRIDE);
        float[] values = context.allocateFloatLocalArray(BLOCK * STRIDE);
        float[] wide = context.allocateFloatLocalArray(BLOCK * WIDE);
        float[] scores = context.allocateFloatLocalArray(BLOCK * SCORES);
        float[] dScores = context.allocateFloatLocalArray(BLOCK * SCORES);
        float[] left = new float[8];
        float[] right = new float[8];
        float[] dots = new float[16];
        float[] dWeights = new float[16];
        float[] dQuery = new float[32];
        int args = ints.get(i);
        int heads = ints.get(args);
        int kvHeads = ints.get(args + 1);
        int headDim = ints.get(args + 2);
        int window = ints.get(args + 3);
        int parts = ints.get(args + 4);
        int width = (heads + 2 * kvHeads) * headDim;
        int part = context.groupIdx % parts;
        int head = context.groupIdx / parts % heads;
        int block = args + HEADER + context.groupIdx / parts / heads * AttentionBlocks.FIELDS;
        int token = ints.get(block);
        int count = ints.get(block + 1);
        int position = ints.get(block + 2);
        int runs = ints.get(block + 3);
        int run = args + ints.get(block + 4);
        int own = token * width + head * headDim;
        int q = ints.get(args + 5) + own;
        int k = ints.get(args + 5) + (heads + head / (heads / kvHeads)) * headDim;
        int logSumExp = ints.get(args + 6) + token * heads + head;
        int delta = ints.get(args + 7) + token * heads + head;
        int dOut = ints.get(args + 8) + (token * heads + head) * headDim;
        int dims = Math.min(DIMS, headDim - part * DIMS);
        float scale = reals.get(r);
        float cap = reals.get(r + 1);
        int item = context.localIdx;
        int ownQuery = item / 8 * 4;
        int ownKey = item % 8;
        for (int x = 0; x < 32; x++) {
            dQuery[x] = 0;
        }
        for (int n = 0; n < runs; n++) {
            int start = ints.get(run + 3 * n);
            int firstPosition = ints.get(run + 3 * n + 2);
            int length = Math.min(ints.get(run + 3 * n + 1), position + count - firstPosition);
            int skipped = 0;
            if (window > 0) {
                skipped = Math.max(0, position - window + 1 - firstPosition) / BLOCK * BLOCK;
            }
            for (int first = skipped; first < length; first += BLOCK) {
                int present = Math.min(BLOCK, length - first);
                for (int x = 0; x < 16; x++) {
                    dots[x] = 0;
                    dWeights[x] = 0;
                }
                for (int d = 0; d < headDim; d += SLICE) {
                    for (int e = item; e < BLOCK * SLICE; e += ITEMS) {
                        int row = e / SLICE;
                        int dim = d + e % SLICE;
                        float query = 0;
                        float grad = 0;
                        float key = 0;
                        float value = 0;
                        if (dim < headDim && row < count) {
                            query = mem.get(q + row * width + dim);
                            grad = mem.get(dOut + row * heads * headDim + dim);
                        }
                        if (dim < headDim && first + row < length) {
                            int at = k + (start + first + row) * width + dim;
                            key = mem.get(at);
                            value = mem.get(at + kvHeads * headDim);
                        }
                        queries[row * STRIDE + e % SLICE] = query;
                        grads[row * STRIDE + e % SLICE] = grad;
                        keys[row * STRIDE + e % SLICE] = key;
                        values[row * STRIDE + e % SLICE] = value;
                    }
                    context.localBarrier();
                    int slice = Math.min(SLICE, headDim - d);
                    for (int p = 0; p < slice; p++) {
                        for (int x = 0; x < 4; x++) {
                            left[x] = queries[(ownQuery + x) * STRIDE + p];
                            left[x + 4] = grads[(ownQuery + x) * STRIDE + p];
                            right[x] = keys[(ownKey + 8 * x) * STRIDE + p];
                            right[x + 4] = values[(ownKey + 8 * x) * STRIDE + p];
                        }
                        for (int x = 0; x < 4; x++) {
                            for (int y = 0; y < 4; y++) {
                                dots[x * 4 + y] += left[x] * right[y];
                                dWeights[x * 4 + y] += left[x + 4] * right[y + 4];
                            }
                        }
                    }
                    context.localBarrier();
                }
                for (int x = 0; x < 4; x++) {
                    for (int y = 0; y < 4; y++) {
                        scores[(ownQuery + x) * SCORES + ownKey + 8 * y] = dots[x * 4 + y];
                        dScores[(ownQuery + x) * SCORES + ownKey + 8 * y] = dWeights[x * 4 + y];
                    }
                }
                context.localBarrier();
                for (int e = item; e < BLOCK * BLOCK; e += ITEMS) {
                    int row = e / BLOCK;
                    int at = row * SCORES + e % BLOCK;
                    int back = position + row - (firstPosition + first + e % BLOCK);
                    float dScore = 0;
                    if (row < count && back >= 0 && (window == 0 || back < window) && e % BLOCK < present) {
                        float score = DeviceActivations.capped(scale * scores[at], cap);
                        dScore = TornadoMath.exp(score - mem.get(logSumExp + row * heads))
                                * (dScores[at] - mem.get(delta + row * heads)) * scale
                                * DeviceActivations.cappedSlope(score, cap);
                    }
                    dScores[at] = dScore;
                }
                for (int e = item; e < BLOCK * DIMS; e += ITEMS) {
                    float key = 0;
                    if (e % DIMS < dims && first + e / DIMS < length) {
                        key = mem.get(k + part * DIMS + (start + first + e / DIMS) * width + e % DIMS);
                    }
                    wide[e / DIMS * WIDE + e % DIMS] = key;
                }
                context.localBarrier();
                for (int p = 0; p < present; p++) {
                    for (int x = 0; x < 4; x++) {
                        left[x] = dScores[(ownQuery + x) * SCORES + p];
                    }
                    for (int y = 0; y < 8; y++) {
                        right[y] = wide[p * WIDE + ownKey + 8 * y];
                    }
                    for (int x = 0; x < 4; x++) {
                        for (int y = 0; y < 8; y++) {
                            dQuery[x * 8 + y] += left[x] * right[y];
                        }
                    }
                }
                context.localBarrier();
            }
        }
        int dQ = ints.get(args + 9) + own + part * DIMS;
        for (int x = 0; x < 4; x++) {
            for (int y = 0; y < 8; y++) {
                if (ownQuery + x < count && ownKey + 8 * y < dims) {
                    mem.set(dQ + (ownQuery + x) * width + ownKey + 8 * y, dQuery[x * 8 + y]);
                }
            }
        }
    }

    static void keys(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        float[] queries = context.allocateFloatLocalArray(BLOCK * STRIDE);
        float[] keys = context.allocateFloatLocalArray(BLOCK * STRIDE);
        float[] grads = context.allocateFloatLocalArray(BLOCK * STRIDE);
        float[] values = context.allocateFloatLocalArray(BLOCK * STRIDE);
        float[] wideQueries = context.allocateFloatLocalArray(BLOCK * WIDE);
        float[] wideGrads = context.allocateFloatLocalArray(BLOCK * WIDE);
        float[] weights = context.allocateFloatLocalArray(BLOCK * SCORES);
        float[] dScores = context.allocateFloatLocalArray(BLOCK * SCORES);
        float[] left = new float[8];
        float[] right = new float[16];
        float[] dots = new float[16];
        float[] dWeights = new float[16];
        float[] dKey = new float[32];
        float[] dValue = new float[32];
        int args = ints.get(i);
        int heads = ints.get(args);
        int kvHeads = ints.get(args + 1);
        int headDim = ints.get(args + 2);
        int window = ints.get(args + 3);
        int parts = ints.get(args + 4);
        int width = (heads + 2 * kvHeads) * headDim;
        int part = context.groupIdx % parts;
        int kvHead = context.groupIdx / parts % kvHeads;
        int block = args + HEADER + context.groupIdx / parts / kvHeads * AttentionBlocks.FIELDS;
        int token = ints.get(block);
        int count = ints.get(block + 1);
        int position = ints.get(block + 2);
        int runs = ints.get(block + 3);
        int run = args + ints.get(block + 4);
        int own = token * width + (heads + kvHead) * headDim;
        int k = ints.get(args + 5) + own;
        int dims = Math.min(DIMS, headDim - part * DIMS);
        float scale = reals.get(r);
        float cap = reals.get(r + 1);
        int item = context.localIdx;
        int ownKey = item / 8 * 4;
        int ownQuery = item % 8;
        for (int x = 0; x < 32; x++) {
            dKey[x] = 0;
            dValue[x] = 0;
        }
        // All heads of the group, and in each all runs.
        for (int h = 0; h < heads / kvHeads * runs; h++) {
            int head = kvHead * (heads / kvHeads) + h / runs;
            int start = ints.get(run + h % runs * 3);
            int firstPosition = ints.get(run + h % runs * 3 + 2);
            int length = ints.get(run + h % runs * 3 + 1);
            if (window > 0) {
                length = Math.min(length, position + count - 1 + window - firstPosition);
            }
            int skipped = Math.max(0, position - firstPosition) / BLOCK * BLOCK;
            for (int first = skipped; first < length; first += BLOCK) {
                int query0 = start + first;
                int q = ints.get(args + 5) + query0 * width + head * headDim;
                int dOut = ints.get(args + 8) + (query0 * heads + head) * headDim;
                int present = Math.min(BLOCK, length - first);
                for (int x = 0; x < 16; x++) {
                    dots[x] = 0;
                    dWeights[x] = 0;
                }
                for (int d = 0; d < headDim; d += SLICE) {
                    for (int e = item; e < BLOCK * SLICE; e += ITEMS) {
                        int row = e / SLICE;
                        int dim = d + e % SLICE;
                        float query = 0;
                        float grad = 0;
                        float key = 0;
                        float value = 0;
                        if (dim < headDim && row < present) {
                            query = mem.get(q + row * width + dim);
                            grad = mem.get(dOut + row * heads * headDim + dim);
                        }
                        if (dim < headDim && row < count) {
                            key = mem.get(k + row * width + dim);
                            value = mem.get(k + row * width + kvHeads * headDim + dim);
                        }
                        queries[row * STRIDE + e % SLICE] = query;
                        grads[row * STRIDE + e % SLICE] = grad;
                        keys[row * STRIDE + e % SLICE] = key;
                        values[row * STRIDE + e % SLICE] = value;
                    }
                    context.localBarrier();
                    int slice = Math.min(SLICE, headDim - d);
                    for (int p = 0; p < slice; p++) {
                        for (int x = 0; x < 4; x++) {
                            left[x] = keys[(ownKey + x) * STRIDE + p];
                            left[x + 4] = values[(ownKey + x) * STRIDE + p];
                            right[x] = queries[(ownQuery + 8 * x) * STRIDE + p];
                            right[x + 4] = grads[(ownQuery + 8 * x) * STRIDE + p];
                        }
                        for (int x = 0; x < 4; x++) {
                            for (int y = 0; y < 4; y++) {
                                dots[x * 4 + y] += left[x] * right[y];
                                dWeights[x * 4 + y] += left[x + 4] * right[y + 4];
                            }
                        }
                    }
                    context.localBarrier();
                }
                int logSumExp = ints.get(args + 6) + query0 * heads + head;
                int delta = ints.get(args + 7) + query0 * heads + head;
                for (int x = 0; x < 4; x++) {
                    for (int y = 0; y < 4; y++) {
                        weights[(ownKey + x) * SCORES + ownQuery + 8 * y] = dots[x * 4 + y];
                        dScores[(ownKey + x) * SCORES + ownQuery + 8 * y] = dWeights[x * 4 + y];
                    }
                }
                context.localBarrier();
                for (int e = item; e < BLOCK * BLOCK; e += ITEMS) {
                    int row = e % BLOCK;
                    int at = e / BLOCK * SCORES + row;
                    int back = firstPosition + first + row - (position + e / BLOCK);
                    float weight = 0;
                    float dScore = 0;
                    if (row < present && back >= 0 && (window == 0 || back < window) && e / BLOCK < count) {
                        float score = DeviceActivations.capped(scale * weights[at], cap);
                        weight = TornadoMath.exp(score - mem.get(logSumExp + row * heads));
                        dScore = weight * (dScores[at] - mem.get(delta + row * heads)) * scale
                                * DeviceActivations.cappedSlope(score, cap);
                    }
                    weights[at] = weight;
                    dScores[at] = dScore;
                }
                for (int e = item; e < BLOCK * DIMS; e += ITEMS) {
                    float query = 0;
                    float grad = 0;
                    if (e % DIMS < dims && e / DIMS < present) {
                        query = mem.get(q + part * DIMS + e / DIMS * width + e % DIMS);
                        grad = mem.get(dOut + part * DIMS + e / DIMS * heads * headDim + e % DIMS);
                    }
                    wideQueries[e / DIMS * WIDE + e % DIMS] = query;
                    wideGrads[e / DIMS * WIDE + e % DIMS] = grad;
                }
                context.localBarrier();
                for (int p = 0; p < present; p++) {
                    for (int x = 0; x < 4; x++) {
                        left[x] = dScores[(ownKey + x) * SCORES + p];
                        left[x + 4] = weights[(ownKey + x) * SCORES + p];
                    }
                    for (int y = 0; y < 8; y++) {
                        right[y] = wideQueries[p * WIDE + ownQuery + 8 * y];
                        right[y + 8] = wideGrads[p * WIDE + ownQuery + 8 * y];
                    }
                    for (int x = 0; x < 4; x++) {
                        for (int y = 0; y < 8; y++) {
                            dKey[x * 8 + y] += left[x] * right[y];
                            dValue[x * 8 + y] += left[x + 4] * right[y + 8];
                        }
                    }
                }
                context.localBarrier();
            }
        }
        int dK = ints.get(args + 9) + own + part * DIMS;
        for (int x = 0; x < 4; x++) {
            for (int y = 0; y < 8; y++) {
                if (ownKey + x < count && ownQuery + 8 * y < dims) {
                    int at = dK + (ownKey + x) * width + ownQuery + 8 * y;
                    mem.set(at, dKey[x * 8 + y]);
                    mem.set(at + kvHeads * headDim, dValue[x * 8 + y]);
                }
            }
        }
    }
}
