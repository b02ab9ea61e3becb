package org.spin4j.kernels;

/**
 * Cuts loops into chunks whose borders depend on the shape alone, never on the number of threads. A loop of one chunk stays
 * on the thread that calls it.
 */
final class Chunks {
    /** Numbers in a chunk: about 10 µs of work, against a few µs to wake a worker; a multiple of every vector width. */
    static final int GRAIN = 16_384;

    /** The work from {@code from} to before {@code to}. */
    @FunctionalInterface
    interface Range {
        void run(long from, long to);
    }

    private final Parallel parallel;

    Chunks(Parallel parallel) {
        this.parallel = parallel;
    }

    /** A loop over n numbers. */
    void flat(long n, Range body) {
        run(n, GRAIN, body);
    }

    /** A loop over rows of {@code width} numbers each. */
    void rows(int rows, long width, Range body) {
        run(rows, rowsPerChunk(width), body);
    }

    /** Rows in one chunk of {@link #rows}. */
    static long rowsPerChunk(long width) {
        return Math.max(1, GRAIN / Math.max(1, width));
    }

    /** Chunks in a loop over {@code n} items, {@code grain} to a chunk. */
    static int count(long n, long grain) {
        return Math.toIntExact((n + grain - 1) / grain);
    }

    /** A loop over n items in chunks of {@code grain}. */
    void run(long n, long grain, Range body) {
        parallel.forEach(count(n, grain), c -> body.run(c * grain, Math.min(n, (c + 1) * grain)));
    }
}
