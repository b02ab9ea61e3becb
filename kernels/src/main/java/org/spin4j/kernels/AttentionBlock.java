package org.spin4j.kernels;

import static org.spin4j.kernels.VectorMemory.LANES;
import static org.spin4j.kernels.VectorMemory.VECTOR_BYTES;
import static org.spin4j.kernels.VectorMemory.get;
import static org.spin4j.kernels.VectorMemory.load;
import static org.spin4j.kernels.VectorMemory.set;
import static org.spin4j.kernels.VectorMemory.splat;
import static org.spin4j.kernels.VectorMemory.store;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * A block of neighbouring queries of one segment, one to a vector lane, and the runs of keys that it sees. Everything of
 * attention that concerns a single query (maximum, sum, log-sum-exp) is then plain lanewise arithmetic, and a query's
 * numbers do not depend on its neighbours.
 *
 * @param forest  the batch
 * @param shape   the heads
 * @param segment the queries' segment
 * @param from    first query, counted from the segment's start
 * @param count   number of queries, at most {@link #QUERIES}
 */
record AttentionBlock(Forest forest, AttentionShape shape, int segment, int from, int count) {
    /** Queries in a full block: two vectors. */
    static final int QUERIES = 2 * LANES;
    /** Keys that are scored at a time: their scores, keys and values stay in the first-level cache. */
    static final int KEYS = 64;
    private static final FloatVector IOTA = FloatVector.zero(VectorMemory.SPECIES).addIndex(1);

    /** A run of keys in the flat row, at most {@link #KEYS} long. */
    @FunctionalInterface
    interface KeyRun {
        void accept(int firstKey, int keys);
    }

    /** Vectors that the queries fill: 2, or 1 where that is enough. */
    int vectors() {
        return count <= LANES ? 1 : 2;
    }

    /** Bytes from one key's scores to the next key's. */
    long stride() {
        return vectors() * VECTOR_BYTES;
    }

    /** First query in the flat row. */
    int firstQuery() {
        return forest.start(segment) + from;
    }

    /** Calls back with the keys that any of the queries sees: ancestors from the root, then the segment itself. */
    void keyRuns(KeyRun run) {
        runs(segment, from + count, run);
    }

    private void runs(int s, int visible, KeyRun run) {
        int parent = forest.parent(s);
        if (parent != Forest.ROOT) {
            runs(parent, forest.length(parent), run);
        }
        int oldest = shape.window() == 0 ? 0 : forest.position(firstQuery()) - shape.window() + 1;
        int start = forest.start(s);
        for (int k = Math.max(0, oldest - forest.position(start)); k < visible; k += KEYS) {
            run.accept(start + k, Math.min(KEYS, visible - k));
        }
    }

    /**
     * Copies rows of {@code headDim} numbers, one per query, into columns.
     *
     * @param rows     address of the first query's row
     * @param rowBytes from one row to the next
     * @param columns  [headDim, lanes]; lanes without a query become 0
     */
    void transpose(long rows, long rowBytes, float factor, long columns) {
        int hd = shape.headDim();
        long stride = stride();
        if (count < vectors() * LANES) {
            VectorMemory.zero(columns, hd * stride / 4);
        }
        for (int q = 0; q < count; q++) {
            long row = rows + q * rowBytes;
            long column = columns + q * 4L;
            for (int d = 0; d < hd; d++) {
                set(column + d * stride, factor * get(row + d * 4L));
            }
        }
    }

    /**
     * Writes columns back into rows: the reverse of {@link #transpose}.
     *
     * @param factors [lanes]: factor of each query
     */
    void transposeBack(long columns, long factors, long rows, long rowBytes) {
        int hd = shape.headDim();
        long stride = stride();
        for (int q = 0; q < count; q++) {
            long row = rows + q * rowBytes;
            long column = columns + q * 4L;
            float factor = get(factors + q * 4L);
            for (int d = 0; d < hd; d++) {
                set(row + d * 4L, factor * get(column + d * stride));
            }
        }
    }

    /**
     * Scores of a run of keys, [keys, lanes]; minus infinity where a query does not see a key.
     *
     * @param key      address of the first key
     * @param keyBytes from one key to the next
     * @param queries  [headDim, lanes], scaled
     */
    void scores(int firstKey, int keys, long key, long keyBytes, long queries, long scores) {
        long stride = stride();
        AttentionTile.multiply(keys, vectors(), shape.headDim(), key, keyBytes, 4, queries, stride, scores, stride,
                false);
        int position = forest.position(firstKey) - forest.position(firstQuery());
        for (int j = 0; j < keys; j++) {
            // Lane q sees key j from lane `oldest` on, the key's own position, until the window has moved past it.
            int oldest = position + j;
            int end = shape.window() == 0 || shape.window() > count - oldest ? count : oldest + shape.window();
            if (oldest > 0 || end < count) {
                for (int v = 0; v < vectors(); v++) {
                    long at = scores + j * stride + v * VECTOR_BYTES;
                    FloatVector lane = IOTA.add(v * LANES);
                    VectorMask<Float> hidden = lane.lt((float) oldest)
                            .or(lane.compare(VectorOperators.GE, (float) end));
                    store(load(at).blend(Float.NEGATIVE_INFINITY, hidden), at);
                }
            }
        }
    }

    /** The value in every lane of {@code columns} [lanes]. */
    void fill(long columns, float value) {
        for (int v = 0; v < vectors(); v++) {
            store(splat(value), columns + v * VECTOR_BYTES);
        }
    }
}
