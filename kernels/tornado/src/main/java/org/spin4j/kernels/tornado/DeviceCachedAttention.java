package org.spin4j.kernels.tornado;

import java.util.List;
import java.util.function.ToIntFunction;
import org.spin4j.kernels.AttentionShape;
import org.spin4j.kernels.CachedBatch;
import org.spin4j.kernels.Storage;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Attention of new tokens over the pages of their streams. Keys and values are stored first; then a work-group takes a query of one head
 * page by page: items first have a key each, then a dimension each. Scores, their running maximum and all sums are those of
 * {@link DeviceAttention}, step by step, so that the bits are the same.
 */
final class DeviceCachedAttention {
    private static final int PAGE = CachedBatch.PAGE;
    private static final int BLOCK = AttentionBlocks.BLOCK;
    private static final int BLOCKS = PAGE / BLOCK;
    /** Work-items of a query: one for each key of a page. */
    private static final int ITEMS = PAGE;
    /** Dimensions of the output that a group computes, four to an item; wider heads are cut. */
    private static final int DIMS = 4 * ITEMS;

    private DeviceCachedAttention() {}

    /**
     * See {@link org.spin4j.kernels.Kernels#cachedAttention}.
     *
     * @param index where a page lies
     */
    static List<DeviceCall> attention(CachedBatch batch, AttentionShape shape, long layer, ToIntFunction<Storage> index,
            int qkv, int out) {
        int tokens = batch.tokens();
        int pages = 0;
        for (int s = 0; s < batch.streams(); s++) {
            pages += (batch.end(s) + PAGE - 1) / PAGE;
        }
        int parts = (shape.headDim() + DIMS - 1) / DIMS;
        int stored = Math.multiplyExact(tokens, 2 * shape.kvHeads() * shape.headDim());
        int header = 8;
        int[] ints = new int[header + 2 * tokens + pages];
        int[] shapes = {shape.heads(), shape.kvHeads(), shape.headDim(), shape.window(), parts, qkv, out, stored};
        System.arraycopy(shapes, 0, ints, 0, header);
        int table = header + 2 * tokens;
        for (int s = 0; s < batch.streams(); s++) {
            for (int t = 0; t < batch.length(s); t++) {
                ints[header + 2 * (batch.start(s) + t)] = table;
                ints[header + 2 * (batch.start(s) + t) + 1] = batch.position(s) + t;
            }
            for (int p = 0; p * PAGE < batch.end(s); p++) {
                ints[table++] = Math.toIntExact(index.applyAsInt(batch.page(s, p)) + layer);
            }
        }
        return DeviceCall.sequence(
                DeviceCall.flat("cache", DeviceCachedAttention::store, stored, ints),
                DeviceCall.groups("cachedAttention", DeviceCachedAttention::attend, tokens * shape.heads() * parts,
                        ITEMS, ints, (float) shape.scale(), (float) shape.softcap()));
    }

    /** Keys go [headDim, PAGE], values [PAGE, headDim], head by head. */
    static void store(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        int args = ints.get(i);
        int e = context.globalIdx;
        if (e < ints.get(args + 7)) {
            int heads = ints.get(args);
            int kvHeads = ints.get(args + 1);
            int headDim = ints.get(args + 2);
            int width = 2 * kvHeads * headDim;
            int token = e / width;
            int d = e % headDim;
            int h = e % width / headDim;
            int position = ints.get(args + 8 + 2 * token + 1);
            int page = ints.get(args + ints.get(args + 8 + 2 * token) + position / PAGE);
            int place = position % PAGE;
            int at;
            if (h < kvHeads) {
                at = page + (2 * h * headDim + d) * PAGE + place;
            } else {
                at = page + (2 * (h - kvHeads) + 1) * headDim * PAGE + place * headDim + d;
            }
            mem.set(at, mem.get(ints.get(args + 5) + token * (heads * headDim + width) + heads * headDim + e % width));
        }
    }

    static void attend(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        float[] scores = context.allocateFloatLocalArray(PAGE);
        float[] mix = new float[4];
        int args = ints.get(i);
        int heads = ints.get(args);
        int kvHeads = ints.get(args + 1);
        int headDim = ints.get(args + 2);
        int window = ints.get(args + 3);
        int parts = ints.get(args + 4);
        int part = context.groupIdx % parts;
        int head = context.groupIdx / parts % heads;
        int token = context.groupIdx / parts / heads;
        int table = args + ints.get(args + 8 + 2 * token);
        int last = ints.get(args + 8 + 2 * token + 1);
        int kvHead = head / (heads / kvHeads);
        int q = ints.get(args + 5) + token * (heads + 2 * kvHeads) * headDim + head * headDim;
        float scale = reals.get(r);
        float cap = reals.get(r + 1);
        int item = context.localIdx;
        int first = 0;
        if (window > 0) {
            first = Math.max(0, last - window + 1);
        }
        float max = DeviceAttention.LOWEST;
        float sum = 0;
        for (int x = 0; x < 4; x++) {
            mix[x] = 0;
        }
        for (int p = first / PAGE; p <= last / PAGE; p++) {
            int keys = ints.get(table + p) + 2 * kvHead * headDim * PAGE;
            int values = keys + headDim * PAGE + part * DIMS;
            int position = p * PAGE + item;
            float score = DeviceAttention.LOWEST;
            if (position >= first && position <= last) {
                float dot = 0;
                for (int d = 0; d < headDim; d++) {
                    dot += mem.get(q + d) * mem.get(keys + d * PAGE + item);
                }
                score = DeviceActivations.capped(scale * dot, cap);
            }
            scores[item] = score;
            context.localBarrier();
            for (int b = 0; b < BLOCKS; b++) {
                float now = max;
                for (int y = 0; y < BLOCK; y++) {
                    now = TornadoMath.max(now, scores[b * BLOCK + y]);
                }
                float change = TornadoMath.exp(max - now);
                max = now;
                context.localBarrier();
                if (item / BLOCK == b) {
                    float weight = 0;
                    if (score > DeviceAttention.HIDDEN) {
                        weight = TornadoMath.exp(score - now);
                    }
                    scores[item] = weight;
                }
                context.localBarrier();
                float weights = 0;
                for (int y = 0; y < BLOCK; y++) {
                    weights += scores[b * BLOCK + y];
                }
                sum = sum * change + weights;
                for (int x = 0; x < 4; x++) {
                    mix[x] *= change;
                }
                for (int y = 0; y < BLOCK; y++) {
                    float weight = scores[b * BLOCK + y];
                    int value = values + (b * BLOCK + y) * headDim + item;
                    // Places behind the last token hold anything, and 0 times that need not be 0.
                    if (p * PAGE + b * BLOCK + y <= last) {
                        for (int x = 0; x < 4; x++) {
                            if (part * DIMS + item + x * ITEMS < headDim) {
                                mix[x] += weight * mem.get(value + x * ITEMS);
                            }
                        }
                    }
                }
            }
            context.localBarrier();
        }
        int out = ints.get(args + 6) + (token * heads + head) * headDim + part * DIMS + item;
        for (int x = 0; x < 4; x++) {
            if (part * DIMS + item + x * ITEMS < headDim) {
                mem.set(out + x * ITEMS, mix[x] / sum);
            }
        }
    }
}
