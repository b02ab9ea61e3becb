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
 * <p>One task is a part of a tree and a key head: only it writes to its gradients of these keys and values, also where several
 * segments share a prompt and several query heads share a key head. The last part of a tree writes them to where they
 * belong; what other parts found is added afterwards, part by part in their order.
 */
final class VectorAttentionBackward {
    private static final int QUERIES = AttentionBlock.QUERIES;

    private final Parallel parallel;
    private final Scratch scratch = new Scratch();
    private final Scratch partials = new Scratch();

    VectorAttentionBackward(Parallel parallel) {
        this.parallel = parallel;
    }

    /**
     * A part of a tree for one key head.
     *
     * @param gradients where its gradients of keys and values are left; 0 for the last part, which writes them to dQkv
     */
    private record Task(AttentionTree tree, int kvHead, int part, long gradients) {}

    void backward(Forest forest, AttentionShape shape, long qkv, long out, long logSumExp, long dOut, long dQkv) {
        Task[] tasks = tasks(forest, shape);
        parallel.forEach(tasks.length, i -> run(tasks[i], qkv, out, logSumExp, dOut, dQkv));
        if (tasks.length > forest.trees() * shape.kvHeads()) {
            // Tasks of one tree and head are neighbours, the last part first.
            parallel.forEach(tasks.length, i -> {
                if (tasks[i].gradients == 0) {
                    for (int j = i + 1; j < tasks.length && tasks[j].gradients != 0; j++) {
                        addPart(tasks[j], dQkv);
                    }
                }
            });
        }
    }

    private Task[] tasks(Forest forest, AttentionShape shape) {
        AttentionTree[] trees = new AttentionTree[forest.trees()];
        int count = 0;
        long floats = 0;
        for (int t = 0; t < trees.length; t++) {
            trees[t] = new AttentionTree(forest, shape, t);
            count += trees[t].parts() * shape.kvHeads();
            floats += (trees[t].parts() - 1) * 2L * shape.kvHeads() * gradientFloats(trees[t]);
        }
        long at = floats == 0 ? 0 : partials.floats(floats);
        Task[] tasks = new Task[count];
        int i = 0;
        for (AttentionTree tree : trees) {
            for (int kvHead = 0; kvHead < shape.kvHeads(); kvHead++) {
                tasks[i++] = new Task(tree, kvHead, tree.parts() - 1, 0);
                for (int part = 0; part < tree.parts() - 1; part++) {
                    tasks[i++] = new Task(tree, kvHead, part, at);
                    at += 2 * gradientFloats(tree) * 4;
                }
            }
        }
        return tasks;
    }

    /** Floats for the gradients of all keys of a tree. Tiles are 8 rows high; the last of them reaches beyond the last key. */
    private static long gradientFloats(AttentionTree tree) {
        return (tree.tokens() + AttentionTile.ROWS) * (long) roundUp(tree.shape().headDim(), LANES);
    }

    /** Address of the keys of a task in its tree's first row of {@code qkv} or {@code dQkv}. */
    private static long keys(Task task, long qkv) {
        AttentionShape shape = task.tree.shape();
        return qkv + ((long) task.tree.firstToken() * shape.qkvWidth()
                + (long) (shape.heads() + task.kvHead) * shape.headDim()) * 4;
    }

    private void run(Task task, long qkv, long out, long logSumExp, long dOut, long dQkv) {
        AttentionTree tree = task.tree;
        AttentionShape shape = tree.shape();
        int hd = shape.headDim();
        long keyBytes = AttentionBlock.copyBytes(hd);
        long valueOffset = (long) shape.kvHeads() * hd * 4;
        long rowBytes = shape.qkvWidth() * 4L;
        long paddedBytes = roundUp(hd, LANES) * 4L;
        int tokens = tree.end(task.part);
        long gradients = gradientFloats(tree);
        long copies = tokens * keyBytes / 4;
        long key = scratch.floats(2 * gradients + 2 * copies + BlockMemory.floats(hd));
        long value = key + copies * 4;
        BlockMemory memory = BlockMemory.at(value + copies * 4, hd);
        long dKey = task.gradients != 0 ? task.gradients : value + copies * 4 + BlockMemory.floats(hd) * 4;
        long dValue = dKey + gradients * 4;
        VectorMemory.zero(dKey, (tokens + AttentionTile.ROWS) * paddedBytes / 4);
        VectorMemory.zero(dValue, (tokens + AttentionTile.ROWS) * paddedBytes / 4);
        // Side by side, and on few pages, keys and values are read faster than from the flat row.
        long from = keys(task, qkv);
        for (int i = 0; i < tokens; i++) {
            VectorMemory.copyRow(hd, from + i * rowBytes, key + i * keyBytes);
            VectorMemory.copyRow(hd, from + i * rowBytes + valueOffset, value + i * keyBytes);
        }

        int firstToken = tree.firstToken();
        int group = shape.heads() / shape.kvHeads();
        tree.blocks(task.part, block -> {
            for (int head = task.kvHead * group; head < (task.kvHead + 1) * group; head++) {
                block(block, head, firstToken, qkv, key, value, out, logSumExp, dOut, dQkv, dKey, dValue, memory);
            }
        });

        if (task.gradients == 0) {
            long to = keys(task, dQkv);
            for (int i = 0; i < tokens; i++) {
                VectorMemory.copyRow(hd, dKey + i * paddedBytes, to + i * rowBytes);
                VectorMemory.copyRow(hd, dValue + i * paddedBytes, to + i * rowBytes + valueOffset);
            }
        }
    }

    /** Adds what a part found to the gradients of its keys and values. */
    private static void addPart(Task task, long dQkv) {
        AttentionShape shape = task.tree.shape();
        int hd = shape.headDim();
        long rowBytes = shape.qkvWidth() * 4L;
        long paddedBytes = roundUp(hd, LANES) * 4L;
        long dValue = task.gradients + gradientFloats(task.tree) * 4;
        long to = keys(task, dQkv);
        int tokens = task.tree.end(task.part);
        for (int i = 0; i < tokens; i++) {
            VectorRows.add(hd, 1, task.gradients + i * paddedBytes, to + i * rowBytes);
            VectorRows.add(hd, 1, dValue + i * paddedBytes, to + i * rowBytes + shape.kvHeads() * 4L * hd);
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
        long keyBytes = AttentionBlock.copyBytes(hd);
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
            block.scores(first, keys, keyAt, keyBytes, 4, memory.queryColumns, memory.scores);
            AttentionTile.multiply(keys, vectors, hd, valueAt, keyBytes, 4, memory.dOutColumns, stride, memory.dScores,
                    stride, false);
            int rows = AttentionBlock.rows(keys);
            if (shape.softcap() == 0) {
                AttentionScores.gradients(rows, vectors, stride, memory.scores, memory.dScores, memory.logSumExp,
                        memory.delta);
            } else {
                CompiledAlone.accept(n -> AttentionScores.cappedGradients(n, vectors, stride, memory.scores,
                        memory.dScores, memory.logSumExp, memory.delta, block.cap()), rows);
            }
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
