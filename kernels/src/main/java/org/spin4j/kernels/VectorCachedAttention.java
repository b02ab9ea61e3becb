package org.spin4j.kernels;

import static org.spin4j.kernels.CachedBatch.PAGE;
import static org.spin4j.kernels.VectorMemory.get;
import static org.spin4j.kernels.VectorMemory.set;

/**
 * Attention of new tokens over pages of cached keys and values. A page is a run of keys of {@link VectorAttention}, and the sums of
 * a query are taken in the same order here, whether it comes alone ({@link CachedQuery}) or in a block: so a token gets the
 * same bits when it is part of a prompt, of a piece of one, or sampled.
 */
final class VectorCachedAttention {
    /** Queries for which one task reads keys and values. */
    private static final int CHUNK = 4 * AttentionBlock.QUERIES;

    private final Parallel parallel;
    private final Scratch scratch = new Scratch();

    VectorCachedAttention(Parallel parallel) {
        this.parallel = parallel;
    }

    void attend(CachedBatch batch, AttentionShape shape, long layer, long qkv, long out) {
        int kvHeads = shape.kvHeads();
        // A head's queries meet no other task's keys: its task stores them and goes on.
        parallel.forEach(batch.streams() * kvHeads, task -> {
            int stream = task / kvHeads;
            store(batch, stream, shape, layer, task % kvHeads, qkv);
            if (oneByOne(batch, stream)) {
                for (int i = 0; i < batch.length(stream); i++) {
                    CachedQuery.attend(batch, stream, i, shape, layer, task % kvHeads, qkv, out, scratch);
                }
            }
        });
        int chunks = 0;
        for (int s = 0; s < batch.streams(); s++) {
            chunks += chunks(batch, s);
        }
        if (chunks == 0) {
            return;
        }
        int all = chunks;
        // The last queries of a prompt see the most keys: they go first, so that no thread is left alone with them.
        parallel.forEach(all * kvHeads, task -> {
            int chunk = all - 1 - task / kvHeads;
            int stream = 0;
            while (chunk >= chunks(batch, stream)) {
                chunk -= chunks(batch, stream++);
            }
            chunk(batch, stream, chunk * CHUNK, shape, layer, task % kvHeads, qkv, out);
        });
    }

    /**
     * Whether a stream's queries go one by one, as in decoding: so does a prompt of one page, which a process that has just begun can
     * then answer without kernels that nothing has compiled yet.
     */
    private static boolean oneByOne(CachedBatch batch, int stream) {
        return batch.length(stream) == 1 || batch.end(stream) <= PAGE;
    }

    private static int chunks(CachedBatch batch, int stream) {
        return oneByOne(batch, stream) ? 0 : Chunks.count(batch.length(stream), CHUNK);
    }

    /** Stores a stream's new keys and values of one head. */
    private static void store(CachedBatch batch, int stream, AttentionShape shape, long layer, int kvHead, long qkv) {
        int hd = shape.headDim();
        for (int i = 0; i < batch.length(stream); i++) {
            int position = batch.position(stream) + i;
            long page = batch.page(stream, position / PAGE).address();
            long key = qkv + ((long) (batch.start(stream) + i) * shape.qkvWidth()
                    + (long) (shape.heads() + kvHead) * hd) * 4;
            long to = page + CachedBatch.key(layer, shape, kvHead, position % PAGE, 0) * 4;
            for (int d = 0; d < hd; d++) {
                set(to + (long) d * PAGE * 4, get(key + d * 4L));
            }
            VectorMemory.copyRow(hd, key + (long) shape.kvHeads() * hd * 4,
                    page + CachedBatch.value(layer, shape, kvHead, position % PAGE, 0) * 4);
        }
    }

    /** Neighbouring new tokens of a stream, with all query heads of one key head. */
    private void chunk(CachedBatch batch, int stream, int from, AttentionShape shape, long layer, int kvHead,
            long qkv, long out) {
        int end = Math.min(from + CHUNK, batch.length(stream));
        int group = shape.heads() / shape.kvHeads();
        // As if the whole stream lay in one row: a query's place there is its position.
        Forest whole = Forest.ofSequences(batch.end(stream));
        for (int head = kvHead * group; head < (kvHead + 1) * group; head++) {
            for (int q = from; q < end; q += AttentionBlock.QUERIES) {
                AttentionBlock block = new AttentionBlock(whole, shape, 0, batch.position(stream) + q,
                        Math.min(AttentionBlock.QUERIES, end - q));
                long row = (long) batch.start(stream) + q;
                block(batch, stream, block, layer, kvHead,
                        qkv + (row * shape.qkvWidth() + (long) head * shape.headDim()) * 4,
                        out + (row * shape.outWidth() + (long) head * shape.headDim()) * 4);
            }
        }
    }

    private void block(CachedBatch batch, int stream, AttentionBlock block, long layer, int kvHead, long query,
            long out) {
        AttentionShape shape = block.shape();
        int hd = shape.headDim();
        long stride = block.stride();
        long columnBytes = AttentionBlock.paddedRows(hd) * stride;
        long scoreBytes = (PAGE + 1) * stride;
        long queries = scratch.floats((2 * columnBytes + scoreBytes + 2 * stride) / 4 + VectorTranspose.SQUARE);
        long mix = queries + columnBytes;
        long scores = mix + columnBytes;
        long max = scores + scoreBytes;
        long sum = max + stride;
        long square = sum + stride;
        block.toColumns(query, shape.qkvWidth() * 4L, (float) (shape.scale() * AttentionScores.LOG2_E), queries,
                square);
        block.fill(max, AttentionScores.LOWEST);
        block.fill(sum, 0);
        VectorMemory.zero(mix, columnBytes / 4);
        block.keyRuns((first, keys) -> {
            long page = batch.page(stream, first / PAGE).address();
            block.scores(first, keys, page + CachedBatch.key(layer, shape, kvHead, 0, 0) * 4, 4, PAGE * 4L, queries,
                    scores);
            AttentionScores.runningSoftmax(AttentionBlock.rows(keys), block.vectors(), stride, scores, max, sum, hd,
                    mix);
            AttentionTile.multiply(hd, block.vectors(), keys,
                    page + CachedBatch.value(layer, shape, kvHead, 0, 0) * 4, 4, hd * 4L, scores, stride, mix, stride,
                    true);
        });
        for (int q = 0; q < block.count(); q++) {
            set(sum + q * 4L, 1 / get(sum + q * 4L));
        }
        block.toRows(mix, sum, out, shape.outWidth() * 4L, square);
    }
}
