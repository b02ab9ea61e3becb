package org.spin4j.kernels;

import static org.spin4j.kernels.VectorMemory.get;
import static org.spin4j.kernels.VectorMemory.set;

/**
 * Attention, forward. One task is a block of queries of one head; it walks the keys it sees in short runs with a running
 * maximum and sum per query (Dao et al. 2022, arXiv 2205.14135, algorithm 1). Scores are laid out with one query to a lane:
 * both products, Kᵀ·Q and Vᵀ·P, broadcast keys and values as they lie in memory, and nothing is ever summed across lanes.
 */
final class VectorAttention {
    /** Finite, so that a query whose first keys are all hidden does not meet infinity minus infinity. */
    private static final float LOWEST = -Float.MAX_VALUE;

    private final Parallel parallel;
    private final Scratch scratch = new Scratch();

    VectorAttention(Parallel parallel) {
        this.parallel = parallel;
    }

    void forward(Forest forest, AttentionShape shape, long qkv, long out, long logSumExp) {
        AttentionBlock[] blocks = blocks(forest, shape);
        int heads = shape.heads();
        // The last blocks of a sequence see the most keys: they go first, so that no thread is left alone with one.
        parallel.forEach(blocks.length * heads, task -> {
            AttentionBlock block = blocks[blocks.length - 1 - task / heads];
            head(block, task % heads, qkv, out, logSumExp);
        });
    }

    /** All blocks of queries of a forest. */
    private static AttentionBlock[] blocks(Forest forest, AttentionShape shape) {
        int count = 0;
        for (int s = 0; s < forest.segments(); s++) {
            count += Chunks.count(forest.length(s), AttentionBlock.QUERIES);
        }
        AttentionBlock[] blocks = new AttentionBlock[count];
        int at = 0;
        for (int s = 0; s < forest.segments(); s++) {
            for (int q = 0; q < forest.length(s); q += AttentionBlock.QUERIES) {
                int queries = Math.min(AttentionBlock.QUERIES, forest.length(s) - q);
                blocks[at++] = new AttentionBlock(forest, shape, s, q, queries);
            }
        }
        return blocks;
    }

    private void head(AttentionBlock block, int head, long qkv, long out, long logSumExp) {
        AttentionShape shape = block.shape();
        int hd = shape.headDim();
        long stride = block.stride();
        long rowBytes = shape.qkvWidth() * 4L;
        int kvHead = head / (shape.heads() / shape.kvHeads());
        long key = qkv + (long) (shape.heads() + kvHead) * hd * 4;
        long value = key + (long) shape.kvHeads() * hd * 4;

        long columnBytes = AttentionBlock.paddedRows(hd) * stride;
        long scoreBytes = (AttentionBlock.KEYS + 1) * stride;
        long queries = scratch.floats((2 * columnBytes + scoreBytes + 2 * stride) / 4 + VectorTranspose.SQUARE);
        long mix = queries + columnBytes;
        long scores = mix + columnBytes;
        long max = scores + scoreBytes;
        long sum = max + stride;
        long square = sum + stride;
        block.toColumns(qkv + block.firstQuery() * rowBytes + (long) head * hd * 4, rowBytes, (float) shape.scale(),
                queries, square);
        block.fill(max, LOWEST);
        block.fill(sum, 0);
        VectorMemory.zero(mix, columnBytes / 4);
        block.keyRuns((first, keys) -> {
            block.scores(first, keys, key + first * rowBytes, rowBytes, queries, scores);
            AttentionScores.runningSoftmax(AttentionBlock.rows(keys), block.vectors(), stride, scores, max, sum, hd,
                    mix);
            AttentionTile.multiply(hd, block.vectors(), keys, value + first * rowBytes, 4, rowBytes, scores, stride,
                    mix,
                    stride, true);
        });

        for (int q = 0; q < block.count(); q++) {
            float total = get(sum + q * 4L);
            long row = (long) (block.firstQuery() + q) * shape.heads() + head;
            set(logSumExp + row * 4, (float) (get(max + q * 4L) + Math.log(total)));
            set(sum + q * 4L, 1 / total);
        }
        long outBytes = shape.outWidth() * 4L;
        block.toRows(mix, sum, out + block.firstQuery() * outBytes + (long) head * hd * 4, outBytes, square);
    }
}
