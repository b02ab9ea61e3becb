package org.spin4j.kernels.tornado;

import java.util.List;
import org.spin4j.kernels.AttentionShape;
import org.spin4j.kernels.Forest;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Attention of a block of queries in one head, by one work-group: keys come in blocks, with a running maximum (Dao et al. 2022,
 * arXiv 2205.14135), and what is kept is a tile of scores in local memory and a tile of the output in registers. Heads wider than
 * {@value #DIMS} are cut: each part computes the scores anew.
 *
 * <p>Blocks of keys begin where segments begin, so a query's result depends on nothing but what it sees.
 */
final class DeviceAttention {
    static final int BLOCK = AttentionBlocks.BLOCK;
    /** Work-items of a group, 8 × 8, each with 4 × 4 scores and 4 × 8 numbers of output. */
    static final int ITEMS = 64;
    /** Dimensions of the output that a group computes. */
    static final int DIMS = 64;
    /** Dimensions that lie in local memory while scores are computed. */
    private static final int SLICE = 32;
    private static final int STRIDE = SLICE + 1;
    private static final int SCORES = BLOCK + 1;
    private static final int WIDE = DIMS + 1;
    /** Maximum of no scores. Finite, so that a query whose first keys are all hidden does not meet infinity minus infinity. */
    static final float LOWEST = -3e38f;
    /** Less than any score: one of a key that is hidden. */
    static final float HIDDEN = -1e38f;

    private DeviceAttention() {}

    /** See {@link org.spin4j.kernels.Kernels#attention}. */
    static List<DeviceCall> forward(Forest forest, AttentionShape shape, int qkv, int out, int logSumExp) {
        int parts = (shape.headDim() + DIMS - 1) / DIMS;
        AttentionBlocks blocks = AttentionBlocks.queries(forest, shape.heads(), shape.kvHeads(), shape.headDim(),
                shape.window(), parts, qkv, out, logSumExp);
        return DeviceCall.groups("attention", DeviceAttention::attend, blocks.count() * shape.heads() * parts, ITEMS,
                blocks.ints(), (float) shape.scale(), (float) shape.softcap());
    }

    static void attend(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        float[] queries = context.allocateFloatLocalArray(BLOCK * STRIDE);
        float[] keys = context.allocateFloatLocalArray(BLOCK * STRIDE);
        float[] values = context.allocateFloatLocalArray(BLOCK * WIDE);
        float[] scores = context.allocateFloatLocalArray(BLOCK * SCORES);
        float[] max = context.allocateFloatLocalArray(BLOCK);
        float[] sum = context.allocateFloatLocalArray(BLOCK);
        float[] change = context.allocateFloatLocalArray(BLOCK);
        float[] left = new float[4];
        float[] right = new float[8];
        float[] dots = new float[16];
        float[] mix = new float[32];
        int args = ints.get(i);
        int heads = ints.get(args);
        int kvHeads = ints.get(args + 1);
        int headDim = ints.get(args + 2);
        int window = ints.get(args + 3);
        int parts = ints.get(args + 4);
        int width = (heads + 2 * kvHeads) * headDim;
        int part = context.groupIdx % parts;
        int head = context.groupIdx / parts % heads;
        int block = args + 8 + context.groupIdx / parts / heads * AttentionBlocks.FIELDS;
        int token = ints.get(block);
        int count = ints.get(block + 1);
        int position = ints.get(block + 2);
        int runs = ints.get(block + 3);
        int run = args + ints.get(block + 4);
        int qkv = ints.get(args + 5);
        int q = qkv + token * width + head * headDim;
        int k = qkv + (heads + head / (heads / kvHeads)) * headDim;
        int v = k + kvHeads * headDim + part * DIMS;
        int dims = Math.min(DIMS, headDim - part * DIMS);
        float scale = reals.get(r);
        float cap = reals.get(r + 1);
        int item = context.localIdx;
        int ownQuery = item / 8 * 4;
        int ownKey = item % 8;
        for (int x = 0; x < 32; x++) {
            mix[x] = 0;
        }
        if (item < BLOCK) {
            max[item] = LOWEST;
            sum[item] = 0;
        }
        for (int n = 0; n < runs; n++) {
            int start = ints.get(run + 3 * n);
            int firstPosition = ints.get(run + 3 * n + 2);
            // No key behind the block's last query is seen, nor any before the first query's window.
            int length = Math.min(ints.get(run + 3 * n + 1), position + count - firstPosition);
            int skipped = 0;
            if (window > 0) {
                skipped = Math.max(0, position - window + 1 - firstPosition) / BLOCK * BLOCK;
            }
            for (int first = skipped; first < length; first += BLOCK) {
                int present = Math.min(BLOCK, length - first);
                for (int x = 0; x < 16; x++) {
                    dots[x] = 0;
                }
                for (int d = 0; d < headDim; d += SLICE) {
                    for (int e = item; e < BLOCK * SLICE; e += ITEMS) {
                        int row = e / SLICE;
                        int dim = d + e % SLICE;
                        float query = 0;
                        float key = 0;
                        if (dim < headDim && row < count) {
                            query = mem.get(q + row * width + dim);
                        }
                        if (dim < headDim && first + row < length) {
                            key = mem.get(k + (start + first + row) * width + dim);
                        }
                        queries[row * STRIDE + e % SLICE] = query;
                        keys[row * STRIDE + e % SLICE] = key;
                    }
                    context.localBarrier();
                    int slice = Math.min(SLICE, headDim - d);
                    for (int p = 0; p < slice; p++) {
                        for (int x = 0; x < 4; x++) {
                            left[x] = queries[(ownQuery + x) * STRIDE + p];
                            right[x] = keys[(ownKey + 8 * x) * STRIDE + p];
                        }
                        for (int x = 0; x < 4; x++) {
                            for (int y = 0; y < 4; y++) {
                                dots[x * 4 + y] += left[x] * right[y];
                            }
                        }
                    }
                    context.localBarrier();
                }
                for (int x = 0; x < 4; x++) {
                    for (int y = 0; y < 4; y++) {
                        scores[(ownQuery + x) * SCORES + ownKey + 8 * y] = dots[x * 4 + y];
                    }
                }
                context.localBarrier();
                for (int e = item; e < BLOCK * BLOCK; e += ITEMS) {
                    int at = e / BLOCK * SCORES + e % BLOCK;
                    int back = position + e / BLOCK - (firstPosition + first + e % BLOCK);
                    float score = LOWEST;
                    if (back >= 0 && (window == 0 || back < window) && e % BLOCK < present) {
                        score = DeviceActivations.capped(scale * scores[at], cap);
                    }
                    scores[at] = score;
                }
                context.localBarrier();
                if (item < BLOCK) {
                    float old = max[item];
                    float now = old;
                    for (int y = 0; y < present; y++) {
                        now = TornadoMath.max(now, scores[item * SCORES + y]);
                    }
                    max[item] = now;
                    change[item] = TornadoMath.exp(old - now);
                }
                context.localBarrier();
                for (int e = item; e < BLOCK * BLOCK; e += ITEMS) {
                    int at = e / BLOCK * SCORES + e % BLOCK;
                    float score = scores[at];
                    float weight = 0;
                    if (score > HIDDEN) {
                        weight = TornadoMath.exp(score - max[e / BLOCK]);
                    }
                    scores[at] = weight;
                }
                for (int e = item; e < BLOCK * DIMS; e += ITEMS) {
                    float value = 0;
                    if (e % DIMS < dims && first + e / DIMS < length) {
                        value = mem.get(v + (start + first + e / DIMS) * width + e % DIMS);
                    }
                    values[e / DIMS * WIDE + e % DIMS] = value;
                }
                context.localBarrier();
                if (item < BLOCK) {
                    float weights = 0;
                    for (int y = 0; y < present; y++) {
                        weights += scores[item * SCORES + y];
                    }
                    sum[item] = sum[item] * change[item] + weights;
                }
                for (int x = 0; x < 4; x++) {
                    for (int y = 0; y < 8; y++) {
                        mix[x * 8 + y] *= change[ownQuery + x];
                    }
                }
                for (int p = 0; p < present; p++) {
                    for (int x = 0; x < 4; x++) {
                        left[x] = scores[(ownQuery + x) * SCORES + p];
                    }
                    for (int y = 0; y < 8; y++) {
                        right[y] = values[p * WIDE + ownKey + 8 * y];
                    }
                    for (int x = 0; x < 4; x++) {
                        for (int y = 0; y < 8; y++) {
                            mix[x * 8 + y] += left[x] * right[y];
                        }
                    }
                }
                context.localBarrier();
            }
        }
        context.localBarrier();
        int out = ints.get(args + 6) + head * headDim + part * DIMS;
        for (int x = 0; x < 4; x++) {
            for (int y = 0; y < 8; y++) {
                if (ownQuery + x < count && ownKey + 8 * y < dims) {
                    mem.set(out + (token + ownQuery + x) * heads * headDim + ownKey + 8 * y,
                            mix[x * 8 + y] / sum[ownQuery + x]);
                }
            }
        }
        if (part == 0 && item < count) {
            mem.set(ints.get(args + 7) + (token + item) * heads + head,
                    max[item] + TornadoMath.log(sum[item]));
        }
    }
}
