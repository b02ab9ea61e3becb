package org.spin4j.kernels;

import static org.spin4j.kernels.VectorMemory.LANES;
import static org.spin4j.kernels.VectorMemory.get;
import static org.spin4j.kernels.VectorMemory.load;
import static org.spin4j.kernels.VectorMemory.roundUp;
import static org.spin4j.kernels.VectorMemory.set;
import static org.spin4j.kernels.VectorMemory.store;
import static org.spin4j.kernels.VectorMemory.tail;

/**
 * Attention, backward (Dao et al. 2022, arXiv 2205.14135, algorithm 4). With P = exp(S - logSumExp) computed anew from queries
 * and keys, and δ = Σ dO∘O per query: dV = Pᵀ·dO, dS = P∘(dO·Vᵀ - δ), dQ = scale · dS·K, dK = scale · dSᵀ·Q.
 *
 * <p>One task is a tree and a key head: only it writes to the gradients of these keys and values, also where several segments
 * share a prompt and several query heads share a key head.
 */
final class VectorAttentionBackward {
    private static final int QUERIES = AttentionBlock.QUERIES;

    private final Parallel parallel;
    private final Scratch scratch = new Scratch();

    VectorAttentionBackward(Parallel parallel) {
        this.parallel = parallel;
    }

    void backward(Forest forest, AttentionShape shape, long qkv, long out, long logSumExp, long dOut, long dQkv) {
        parallel.forEach(forest.trees() * shape.kvHeads(), task -> tree(forest, shape, task / shape.kvHeads(),
                task % shape.kvHeads(), qkv, out, logSumExp, dOut, dQkv));
    }

    private void tree(Forest forest, AttentionShape shape, int tree, int kvHead, long qkv, long out, long logSumExp,
            long dOut, long dQkv) {
        int firstSegment = forest.treeStart(tree);
        int endSegment = forest.treeStart(tree + 1);
        int firstToken = forest.start(firstSegment);
        int tokens = forest.start(endSegment - 1) + forest.length(endSegment - 1) - firstToken;
        int hd = shape.headDim();
        int padded = roundUp(hd, LANES);
        // Tiles are 8 rows high; the last of them reaches beyond the last key.
        long gradients = (tokens + AttentionTile.ROWS) * (long) padded;
        long copies = (long) tokens * hd;
        long dKey = scratch.floats(2 * gradients + 2 * copies + BlockMemory.floats(hd));
        long dValue = dKey + gradients * 4;
        VectorMemory.zero(dKey, 2 * gradients);
        // Side by side, and on few pages, they are read faster than from the flat row.
        long key = dValue + gradients * 4;
        long value = key + copies * 4;
        long rowBytes = shape.qkvWidth() * 4L;
        long keyHead = firstToken * rowBytes + (long) (shape.heads() + kvHead) * hd * 4;
        long valueHead = keyHead + (long) shape.kvHeads() * hd * 4;
        for (int i = 0; i < tokens; i++) {
            VectorMemory.copyRow(hd, qkv + keyHead + i * rowBytes, key + (long) i * hd * 4);
            VectorMemory.copyRow(hd, qkv + valueHead + i * rowBytes, value + (long) i * hd * 4);
        }
        BlockMemory memory = BlockMemory.at(value + copies * 4, hd);

        int group = shape.heads() / shape.kvHeads();
        for (int s = firstSegment; s < endSegment; s++) {
            for (int from = 0; from < forest.length(s); from += QUERIES) {
                AttentionBlock block = new AttentionBlock(forest, shape, s, from,
                        Math.min(QUERIES, forest.length(s) - from));
                for (int head = kvHead * group; head < (kvHead + 1) * group; head++) {
                    block(block, head, firstToken, qkv, key, value, out, logSumExp, dOut, dQkv, dKey, dValue, memory);
                }
            }
        }

        for (int i = 0; i < tokens; i++) {
            VectorMemory.copyRow(hd, dKey + (long) i * padded * 4, dQkv + keyHead + i * rowBytes);
            VectorMemory.copyRow(hd, dValue + (long) i * padded * 4, dQkv + valueHead + i * rowBytes);
        }
    }

    /** Scratch addresses of one block of queries: columns are [headDim, lanes], rows [queries, headDim padded to vectors]. */
    private record BlockMemory(long queryColumns, long dOutColumns, long dQueryColumns, long queryRows, long dOutRows,
            long scores, long dScores, long logSumExp, long delta, long scale, long square) {
        static long floats(int hd) {
            return QUERIES
                    * (3L * AttentionBlock.paddedRows(hd) + 2L * roundUp(hd, LANES) + 2L * AttentionBlock.KEYS + 3)
                    + VectorTranspose.SQUARE;
        }

        static BlockMemory at(long address, int hd) {
            long columns = 4L * QUERIES * AttentionBlock.paddedRows(hd);
            long rows = 4L * QUERIES * roundUp(hd, LANES);
            long keys = 4L * QUERIES * AttentionBlock.KEYS;
            long lane = 4L * QUERIES;
            long a = address + 3 * columns;
            long b = a + 2 * rows;
            long c = b + 2 * keys;
            return new BlockMemory(address, address + columns, address + 2 * columns, a, a + rows, b, b + keys, c,
                    c + lane, c + 2 * lane, c + 3 * lane);
        }
    }

    private static void block(AttentionBlock block, int head, int firstToken, long qkv, long key, long value,
            long out, long logSumExp, long dOut, long dQkv, long dKey, long dValue, BlockMemory memory) {
        AttentionShape shape = block.shape();
        int hd = shape.headDim();
        int vectors = block.vectors();
        long stride = block.stride();
        long rowBytes = shape.qkvWidth() * 4L;
        long outBytes = shape.outWidth() * 4L;
        float scale = (float) shape.scale();
        int padded = roundUp(hd, LANES);
        long paddedBytes = padded * 4L;
        long keyBytes = hd * 4L;
        long query = qkv + block.firstQuery() * rowBytes + (long) head * hd * 4;
        long outAt = block.firstQuery() * outBytes + (long) head * hd * 4;

        block.toColumns(query, rowBytes, (float) (shape.scale() * AttentionScores.LOG2_E), memory.queryColumns,
                memory.square);
        block.toColumns(dOut + outAt, outBytes, 1, memory.dOutColumns, memory.square);
        block.fill(memory.delta, 0);
        block.fill(memory.scale, scale);
        // A lane without a query: exp(0 - infinity) = 0.
        block.fill(memory.logSumExp, Float.POSITIVE_INFINITY);
        for (int q = 0; q < block.count(); q++) {
            padRow(hd, query + q * rowBytes, scale, memory.queryRows + q * paddedBytes);
            padRow(hd, dOut + outAt + q * outBytes, 1, memory.dOutRows + q * paddedBytes);
            set(memory.delta + q * 4L, VectorMemory.dot(hd, out + outAt + q * outBytes, dOut + outAt + q * outBytes));
            long row = (long) (block.firstQuery() + q) * shape.heads() + head;
            set(memory.logSumExp + q * 4L, (float) (get(logSumExp + row * 4) * AttentionScores.LOG2_E));
        }
        VectorMemory.zero(memory.dQueryColumns, AttentionBlock.paddedRows(hd) * stride / 4);

        block.keyRuns((first, keys) -> {
            long keyAt = key + (first - firstToken) * keyBytes;
            long valueAt = value + (first - firstToken) * keyBytes;
            block.scores(first, keys, keyAt, keyBytes, memory.queryColumns, memory.scores);
            AttentionTile.multiply(keys, vectors, hd, valueAt, keyBytes, 4, memory.dOutColumns, stride, memory.dScores,
                    stride, false);
            int rows = AttentionBlock.rows(keys);
            AttentionScores.gradients(rows, vectors, stride, memory.scores, memory.dScores, memory.logSumExp,
                    memory.delta);
            AttentionTile.multiply(hd, vectors, keys, keyAt, 4, keyBytes, memory.dScores, stride, memory.dQueryColumns,
                    stride, true);
            // Rows of no key are 0: they add nothing to the gradients of the keys behind this run.
            long offset = (first - firstToken) * paddedBytes;
            AttentionTile.multiply(rows, padded / LANES, block.count(), memory.scores, stride, 4, memory.dOutRows,
                    paddedBytes, dValue + offset, paddedBytes, true);
            AttentionTile.multiply(rows, padded / LANES, block.count(), memory.dScores, stride, 4, memory.queryRows,
                    paddedBytes, dKey + offset, paddedBytes, true);
        });
        block.toRows(memory.dQueryColumns, memory.scale,
                dQkv + block.firstQuery() * rowBytes + (long) head * hd * 4, rowBytes, memory.square);
    }

    private static void padRow(int n, long from, float factor, long to) {
        int j = 0;
        for (; j + LANES <= n; j += LANES) {
            store(load(from + j * 4L).mul(factor), to + j * 4L);
        }
        if (j < n) {
            store(load(from + j * 4L, tail(n)).mul(factor), to + j * 4L);
        }
    }
}
