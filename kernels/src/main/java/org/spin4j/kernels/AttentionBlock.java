package org.spin4j.kernels;

import static org.spin4j.kernels.Memory.ALL;
import static org.spin4j.kernels.VectorMemory.LANES;
import static org.spin4j.kernels.VectorMemory.ORDER;
import static org.spin4j.kernels.VectorMemory.SPECIES;
import static org.spin4j.kernels.VectorMemory.VECTOR_BYTES;
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
    /** Keys that are scored at a time: their scores, keys and values stay in the caches of the core. */
    static final int KEYS = 64;

    /** Floats in a cache line. */
    private static final int LINE = 16;

    /** Rows that a matrix of columns has room for: as many as whole squares of a transposition and whole tiles touch. */
    static int paddedRows(int headDim) {
        return VectorMemory.roundUp(headDim, Math.max(LANES, AttentionTile.ROWS));
    }

    /**
     * Bytes from one row to the next in a copy of keys or values: an odd number of cache lines, so that rows spread over the whole
     * first-level cache; 4 lines a row, as a head of 64 has by itself, would use a quarter of it.
     */
    static long copyBytes(int headDim) {
        return (Math.ceilDiv(headDim, LINE) | 1) * 4L * LINE;
    }

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
        // Runs begin at the same keys whatever block asks, and so a query's sums are grouped the same way in any block.
        for (int k = Math.max(0, oldest - forest.position(start)) / KEYS * KEYS; k < visible; k += KEYS) {
            CompiledAlone.accept(run, start + k, Math.min(KEYS, visible - k));
        }
    }

    /** Queries (or gradients), a row each, become columns [headDim padded to vectors, lanes], times a factor. */
    void toColumns(long rows, long rowBytes, float factor, long columns, long square) {
        VectorTranspose.toColumns(count, shape.headDim(), rows, rowBytes, vectors(), columns, stride(), square);
        for (long at = columns; at < columns + shape.headDim() * stride(); at += VECTOR_BYTES) {
            FloatVector.fromMemorySegment(SPECIES, ALL, at, ORDER).mul(factor).intoMemorySegment(ALL, at, ORDER);
        }
    }

    /** Columns become rows again, each query's times its own factor. The columns are scaled in place. */
    void toRows(long columns, long factors, long rows, long rowBytes, long square) {
        for (int v = 0; v < vectors(); v++) {
            FloatVector factor = FloatVector.fromMemorySegment(SPECIES, ALL, factors + v * VECTOR_BYTES, ORDER);
            long first = columns + v * VECTOR_BYTES;
            for (int j = 0; j < shape.headDim(); j++) {
                FloatVector.fromMemorySegment(SPECIES, ALL, first + j * stride(), ORDER).mul(factor)
                        .intoMemorySegment(ALL, first + j * stride(), ORDER);
            }
        }
        VectorTranspose.toRows(count, shape.headDim(), columns, stride(), vectors(), rows, rowBytes, square);
    }

    /**
     * Scores of a run of keys, [{@link #rows}, lanes]; minus infinity where a query does not see a key or there is none.
     *
     * @param key      address of the first key
     * @param keyBytes from one key to the next
     * @param dimBytes from one dimension of a key to the next
     * @param queries  [headDim, lanes], scaled
     */
    void scores(int firstKey, int keys, long key, long keyBytes, long dimBytes, long queries, long scores) {
        long stride = stride();
        AttentionTile.multiply(keys, vectors(), shape.headDim(), key, keyBytes, dimBytes, queries, stride, scores,
                stride, false);
        if (shape.softcap() != 0) {
            CompiledAlone.accept(n -> VectorSoftcap.apply(n, cap(), scores), keys * vectors() * LANES);
        }
        hide(firstKey, keys, scores);
        for (int j = keys; j < rows(keys); j++) {
            fill(scores + j * stride, Float.NEGATIVE_INFINITY);
        }
    }

    /** The bound on scores to the base 2. */
    float cap() {
        return (float) (shape.softcap() * AttentionScores.LOG2_E);
    }

    /** Minus infinity for the scores of keys that a query does not see. */
    private void hide(int firstKey, int keys, long scores) {
        int position = forest.position(firstKey) - forest.position(firstQuery());
        for (int v = 0; v < vectors(); v++) {
            for (int j = 0; j < keys; j++) {
                // Lane q sees key j from lane `oldest` on, the key's own position, until the window has moved past it.
                int oldest = position + j - v * LANES;
                int end = shape.window() == 0 || shape.window() > LANES - oldest ? LANES : oldest + shape.window();
                if (oldest > 0 || end < LANES) {
                    long at = scores + j * stride() + v * VECTOR_BYTES;
                    VectorMask<Float> hidden = VectorMemory.IOTA.lt((float) oldest)
                            .or(VectorMemory.IOTA.compare(VectorOperators.GE, (float) end));
                    FloatVector.fromMemorySegment(SPECIES, ALL, at, ORDER).blend(Float.NEGATIVE_INFINITY, hidden)
                            .intoMemorySegment(ALL, at, ORDER);
                }
            }
        }
    }

    /** Rows of a matrix of scores: whole tiles. */
    static int rows(int keys) {
        return VectorMemory.roundUp(keys, AttentionTile.ROWS);
    }

    /** The value in every lane of {@code columns} [lanes]. */
    void fill(long columns, float value) {
        for (int v = 0; v < vectors(); v++) {
            store(splat(value), columns + v * VECTOR_BYTES);
        }
    }
}
