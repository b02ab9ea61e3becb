package org.spin4j.kernels;

import static org.spin4j.kernels.VectorMemory.get;
import static org.spin4j.kernels.VectorMemory.set;

import java.util.stream.IntStream;

/**
 * Attention, forward. One task is a chunk of neighbouring queries with all query heads of one key head; a block of
 * queries walks the keys it sees in short runs with a running maximum and sum per query (Dao et al. 2022, arXiv 2205.14135, algorithm 1). Scores are laid out with one query to a lane:
 * both products, Kᵀ·Q and Vᵀ·P, broadcast keys and values as they lie in memory, and nothing is ever summed across lanes.
 */
final class VectorAttention {
    /** Queries that share one copy of keys and values: so many that the copy costs a few percent of their work. */
    private static final int CHUNK = 4 * AttentionBlock.QUERIES;

    private final Parallel parallel;
    private final Scratch scratch = new Scratch();
    private final Scratch copies = new Scratch();

    VectorAttention(Parallel parallel) {
        this.parallel = parallel;
    }

    void forward(Forest forest, AttentionShape shape, long qkv, long out, long logSumExp) {
        int[] chunkSegments = chunkSegments(forest);
        int kvHeads = shape.kvHeads();
        // The last queries of a sequence see the most keys: they go first, so that no thread is left alone with them.
        parallel.forEach(chunkSegments.length * kvHeads, task -> {
            int chunk = chunkSegments.length - 1 - task / kvHeads;
            int segment = chunkSegments[chunk];
            int from = 0;
            for (int c = chunk - 1; c >= 0 && chunkSegments[c] == segment; c--) {
                from += CHUNK;
            }
            chunk(forest, shape, segment, from, task % kvHeads, qkv, out, logSumExp);
        });
    }

    /** The segment of each chunk of at most {@link #CHUNK} queries, in the order of the flat row. */
    private static int[] chunkSegments(Forest forest) {
        return IntStream.range(0, forest.segments())
                .flatMap(s -> IntStream.range(0, Chunks.count(forest.length(s), CHUNK)).map(c -> s)).toArray();
    }

    /**
     * Neighbouring queries and all query heads of one key head. Their keys and values are copied side by side first: in the flat
     * row each of them lies on a page of its own, and where rows are a power of two apart they push one another out of
     * the first-level cache.
     */
    private void chunk(Forest forest, AttentionShape shape, int segment, int from, int kvHead, long qkv, long out,
            long logSumExp) {
        int hd = shape.headDim();
        int end = Math.min(from + CHUNK, forest.length(segment));
        int firstQuery = forest.start(segment) + from;
        // The first run of keys may begin before the window.
        int oldest = shape.window() == 0
                ? 0
                : Math.max(0, forest.position(firstQuery) - shape.window() + 1 - (AttentionBlock.KEYS - 1));
        int keys = forest.position(firstQuery) + end - from - oldest;
        long keyBytes = AttentionBlock.copyBytes(hd);
        long key = copies.floats(2L * keys * keyBytes / 4);
        long value = key + keys * keyBytes;
        int s = segment;
        int visible = end;
        while (s != Forest.ROOT) {
            int depth = forest.position(forest.start(s));
            for (int k = Math.max(0, oldest - depth); k < visible; k++) {
                long row = qkv
                        + ((long) (forest.start(s) + k) * shape.qkvWidth() + (long) (shape.heads() + kvHead) * hd)
                                * 4;
                long offset = (depth + k - oldest) * keyBytes;
                VectorMemory.copyRow(hd, row, key + offset);
                VectorMemory.copyRow(hd, row + (long) shape.kvHeads() * hd * 4, value + offset);
            }
            s = forest.parent(s);
            visible = s == Forest.ROOT ? 0 : forest.length(s);
        }
        int group = shape.heads() / shape.kvHeads();
        for (int head = kvHead * group; head < (kvHead + 1) * group; head++) {
            for (int q = from; q < end; q += AttentionBlock.QUERIES) {
                AttentionBlock block = new AttentionBlock(forest, shape, segment, q,
                        Math.min(AttentionBlock.QUERIES, end - q));
                head(block, head, qkv, key - oldest * keyBytes, value - oldest * keyBytes, out, logSumExp);
            }
        }
    }

    /** @param key key of position 0 on the path, {@code value} likewise; only what the block sees is there */
    private void head(AttentionBlock block, int head, long qkv, long key, long value, long out, long logSumExp) {
        AttentionShape shape = block.shape();
        int hd = shape.headDim();
        long stride = block.stride();
        long rowBytes = shape.qkvWidth() * 4L;
        long keyBytes = AttentionBlock.copyBytes(hd);
        long columnBytes = AttentionBlock.paddedRows(hd) * stride;
        long scoreBytes = (AttentionBlock.KEYS + 1) * stride;
        long queries = scratch.floats((2 * columnBytes + scoreBytes + 2 * stride) / 4 + VectorTranspose.SQUARE);
        long mix = queries + columnBytes;
        long scores = mix + columnBytes;
        long max = scores + scoreBytes;
        long sum = max + stride;
        long square = sum + stride;
        block.toColumns(qkv + block.firstQuery() * rowBytes + (long) head * hd * 4, rowBytes,
                (float) (shape.scale() * AttentionScores.LOG2_E), queries, square);
        block.fill(max, AttentionScores.LOWEST);
        block.fill(sum, 0);
        VectorMemory.zero(mix, columnBytes / 4);
        block.keyRuns((first, keys) -> {
            long offset = block.forest().position(first) * keyBytes;
            block.scores(first, keys, key + offset, keyBytes, 4, queries, scores);
            AttentionScores.runningSoftmax(AttentionBlock.rows(keys), block.vectors(), stride, scores, max, sum, hd,
                    mix);
            AttentionTile.multiply(hd, block.vectors(), keys, value + offset, 4, keyBytes, scores, stride, mix, stride,
                    true);
        });

        for (int q = 0; q < block.count(); q++) {
            float total = get(sum + q * 4L);
            long row = (long) (block.firstQuery() + q) * shape.heads() + head;
            set(logSumExp + row * 4, (float) (get(max + q * 4L) / AttentionScores.LOG2_E + Math.log(total)));
            set(sum + q * 4L, 1 / total);
        }
        long outBytes = shape.outWidth() * 4L;
        block.toRows(mix, sum, out + block.firstQuery() * outBytes + (long) head * hd * 4, outBytes, square);
    }
}
