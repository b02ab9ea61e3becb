package org.spin4j.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import org.spin4j.kernels.Kernels.Product;

/**
 * Head projection, log-softmax and gather in one pass over the vocabulary, chunk by chunk, so that the logits of a task
 * stay in the second-level cache. Each chunk of a row gives its maximum, its sum of exponentials and its weighted sum; these
 * are put together in the order of the chunks (the "online softmax" of Milakov and Gimelshein 2018, arXiv 1805.02867). The
 * cut into chunks depends on the vocabulary alone, so a row's numbers depend on that row alone.
 */
final class VectorTokenLogProbs {
    /** Rows of logits that a task holds. */
    private static final int ROW_BLOCK = 64;
    /** Columns of logits that a task holds at most: 64 × 512 floats are 128 KiB. */
    private static final int CHUNK = 512;
    /** Floats of the head that are packed at a time: 8 MiB. */
    private static final long PACKED_HEAD = 2 << 20;
    /** Rows and columns of dLogits that the backward step holds at a time: 4 MiB, shared by all threads. */
    private static final int BACKWARD_ROWS = 1024;
    private static final int BACKWARD_COLS = 1024;
    /** Less than any logit, and 0 times it is 0: what fills up the last vector of a row. */
    private static final float PADDING = -1e30f;
    /** Floats that a chunk of a row leaves behind: maximum, sum, weighted sum, and as an integer the argmax. */
    private static final int PARTIAL = 4;

    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
    private static final int LANES = VectorTile.LANES;

    private final Parallel parallel;
    private final VectorGemm gemm;
    private final Scratch packedHead = new Scratch();
    private final Scratch partials = new Scratch();
    private final Scratch logits = new Scratch();
    private final Scratch dLogits = new Scratch();
    private final Scratch activeRows = new Scratch();

    VectorTokenLogProbs(Parallel parallel, VectorGemm gemm) {
        this.parallel = parallel;
        this.gemm = gemm;
    }

    /** See {@link Kernels#tokenLogProbs}. */
    void forward(int rows, int dim, int vocab, float softcap, Storage hidden, Storage head, int[] targets,
            Storage logProbs, Storage logSumExp, Storage entropy, int[] argmax) {
        Sizes.requireTargets(rows, vocab, targets);
        long x = Memory.f32(hidden, (long) rows * dim, "hidden");
        long w = Memory.weight(head, (long) vocab * dim, dim, "head");
        long rowBytes = head.type().bytes(dim);
        Outputs out = new Outputs(Memory.f32(logProbs, rows, "logProbs"), Memory.f32(logSumExp, rows, "logSumExp"),
                entropy == null ? 0 : Memory.f32(entropy, rows, "entropy"), argmax);
        try {
            int chunk = chunkWidth(vocab);
            int chunks = Math.ceilDiv(vocab, chunk);
            int rowBlocks = Math.ceilDiv(rows, ROW_BLOCK);
            long partial = partials.floats((long) chunks * rows * PARTIAL);
            int groupChunks = Math.clamp(PACKED_HEAD / ((long) chunk * Math.max(dim, 1)), 1, chunks);
            for (int first = 0; first < chunks; first += groupChunks) {
                int start = first * chunk;
                int cols = Math.min(vocab - start, groupChunks * chunk);
                VectorPanels panels = gemm.packAll(true, cols, dim, head.type(), w + start * rowBytes, rowBytes,
                        packedHead.floats(VectorPanels.packedSize(cols, dim)));
                int firstChunk = first;
                parallel.forEach(Math.ceilDiv(cols, chunk) * rowBlocks, t -> {
                    int c = t / rowBlocks;
                    int row = t % rowBlocks * ROW_BLOCK;
                    reduceBlock(x, row, Math.min(ROW_BLOCK, rows - row), dim, panels, c * chunk,
                            Math.min(cols, (c + 1) * chunk), start, softcap, targets, out,
                            partial + ((long) (firstChunk + c) * rows + row) * PARTIAL * 4);
                });
            }
            parallel.forEach(rowBlocks, t -> {
                int end = Math.min(rows, (t + 1) * ROW_BLOCK);
                for (int row = t * ROW_BLOCK; row < end; row++) {
                    combine(partial + (long) row * PARTIAL * 4, (long) rows * PARTIAL * 4, chunks, row, out);
                }
            });
        } finally {
            Reference.reachabilityFence(hidden);
            Reference.reachabilityFence(head);
            Reference.reachabilityFence(logProbs);
            Reference.reachabilityFence(logSumExp);
            Reference.reachabilityFence(entropy);
        }
    }

    /** See {@link Kernels#tokenLogProbsBackward}. Rows whose gradient is 0 cost nothing. */
    void backward(int rows, int dim, int vocab, float softcap, Storage hidden, Storage head, int[] targets,
            Storage logSumExp, Storage dLogProbs, Storage dHidden, Storage dHead) {
        Sizes.requireTargets(rows, vocab, targets);
        Memory.f32(hidden, (long) rows * dim, "hidden");
        Memory.f32(logSumExp, rows, "logSumExp");
        Memory.f32(dLogProbs, rows, "dLogProbs");
        Memory.f32(dHidden, (long) rows * dim, "dHidden");
        long w = Memory.f32(head, (long) vocab * dim, "head");
        long dW = Memory.f32(dHead, (long) vocab * dim, "dHead");
        try {
            int[] active = active(rows, dLogProbs.address());
            int columns = Math.min(BACKWARD_COLS, Math.ceilDiv(vocab, VectorPanels.WIDTH) * VectorPanels.WIDTH);
            long rowFloats = dim;
            if (active.length < rows) {
                dHidden.segment().asSlice(0, rows * rowFloats * 4).fill((byte) 0);
            }
            for (int first = 0; first < active.length; first += BACKWARD_ROWS) {
                int count = Math.min(BACKWARD_ROWS, active.length - first);
                boolean all = active.length == rows;
                long gathered = all ? 0 : activeRows.floats(2L * count * rowFloats);
                long x = all ? hidden.address() + first * rowFloats * 4 : gathered;
                long dX = all ? dHidden.address() + first * rowFloats * 4 : gathered + count * rowFloats * 4;
                if (!all) {
                    for (int i = 0; i < count; i++) {
                        copy(hidden.address() + active[first + i] * rowFloats * 4, x + i * rowFloats * 4, rowFloats);
                    }
                }
                long p = dLogits.floats((long) count * columns);
                Block block = new Block(active, first, count, dim, softcap, x, p, columns * 4L, targets,
                        logSumExp.address(), dLogProbs.address());
                for (int start = 0; start < vocab; start += columns) {
                    int cols = Math.min(columns, vocab - start);
                    long wChunk = w + start * rowFloats * 4;
                    long dWChunk = dW + start * rowFloats * 4;
                    dLogits(block, wChunk, start, cols);
                    gemm.matmul(Product.NN, count, dim, cols, p, columns * 4L, wChunk, start == 0 ? 0 : dX, dX);
                    gemm.matmul(Product.TN, cols, dim, count, p, columns * 4L, x, dWChunk, dWChunk);
                }
                if (!all) {
                    for (int i = 0; i < count; i++) {
                        copy(dX + i * rowFloats * 4, dHidden.address() + active[first + i] * rowFloats * 4, rowFloats);
                    }
                }
            }
        } finally {
            Reference.reachabilityFence(hidden);
            Reference.reachabilityFence(head);
            Reference.reachabilityFence(logSumExp);
            Reference.reachabilityFence(dLogProbs);
            Reference.reachabilityFence(dHidden);
            Reference.reachabilityFence(dHead);
        }
    }

    /** Columns of a chunk: whole panels, 512 of them for any vocabulary worth the name. */
    private static int chunkWidth(int vocab) {
        return Math.min(CHUNK, Math.max(1, VectorPanels.count(vocab)) * VectorPanels.WIDTH);
    }

    /** Logits of some rows in columns {@code from} to {@code to} of the panels, and what is to be kept of them. */
    private void reduceBlock(long x, int row, int rows, int dim, VectorPanels panels, int from, int to, int start,
            float softcap, int[] targets, Outputs out, long partial) {
        int cols = to - from;
        int padded = Math.ceilDiv(cols, LANES) * LANES;
        long rowBytes = padded * 4L;
        long block = logits.floats((long) ROW_BLOCK * CHUNK + 2L * LANES);
        long lanes = block + (long) ROW_BLOCK * CHUNK * 4;
        gemm.multiplyRows(x + (long) row * dim * 4, dim * 4L, rows, panels, from, to, block - from * 4L, rowBytes);
        if (softcap != 0) {
            VectorSoftcap.apply((long) rows * padded, softcap, block);
        }
        for (int i = 0; i < rows; i++) {
            long logit = block + i * rowBytes;
            for (int j = cols; j < padded; j++) {
                Memory.ALL.set(FLOAT, logit + j * 4L, PADDING);
            }
            int target = targets[row + i] - start - from;
            if (target >= 0 && target < cols) {
                Memory.ALL.set(FLOAT, out.logProbs + (row + i) * 4L, Memory.ALL.get(FLOAT, logit + target * 4L));
            }
            float max = max(logit, padded);
            long to4 = partial + (long) i * PARTIAL * 4;
            Memory.ALL.set(FLOAT, to4, max);
            if (out.entropy == 0) {
                Memory.ALL.set(FLOAT, to4 + 4, sumExp(logit, padded, max, lanes));
            } else {
                weightedSumExp(logit, padded, max, lanes, to4 + 4);
            }
            if (out.argmax != null) {
                Memory.ALL.set(INT, to4 + 12, start + from + indexOf(max, logit, padded));
            }
        }
    }

    private static float max(long x, int n) {
        FloatVector max = VectorTile.load(x);
        for (int j = LANES; j < n; j += LANES) {
            FloatVector v = VectorTile.load(x + j * 4L);
            max = max.blend(v, v.compare(VectorOperators.GT, max));
        }
        return max.reduceLanes(VectorOperators.MAX);
    }

    private static float sumExp(long x, int n, float max, long lanes) {
        FloatVector sum = FloatVector.zero(VectorTile.SPECIES);
        for (int j = 0; j < n; j += LANES) {
            sum = sum.add(VectorMath.exp(VectorTile.load(x + j * 4L).sub(max)));
        }
        return sumOfLanes(sum, lanes);
    }

    private static void weightedSumExp(long x, int n, float max, long lanes, long sums) {
        FloatVector sum = FloatVector.zero(VectorTile.SPECIES);
        FloatVector weighted = FloatVector.zero(VectorTile.SPECIES);
        for (int j = 0; j < n; j += LANES) {
            FloatVector v = VectorTile.load(x + j * 4L).sub(max);
            FloatVector e = VectorMath.exp(v);
            sum = sum.add(e);
            weighted = e.fma(v, weighted);
        }
        Memory.ALL.set(FLOAT, sums, sumOfLanes(sum, lanes));
        Memory.ALL.set(FLOAT, sums + 4, sumOfLanes(weighted, lanes));
    }

    /** The sum of the lanes, halves on halves: reduceLanes leaves the order open, and so the bits. */
    private static float sumOfLanes(FloatVector v, long lanes) {
        VectorTile.store(v, lanes);
        for (int half = LANES / 2; half > 0; half /= 2) {
            for (int i = 0; i < half; i++) {
                Memory.ALL.set(FLOAT, lanes + i * 4L,
                        Memory.ALL.get(FLOAT, lanes + i * 4L) + Memory.ALL.get(FLOAT, lanes + (i + half) * 4L));
            }
        }
        return Memory.ALL.get(FLOAT, lanes);
    }

    /** First place where x holds {@code value}; 0 where it is nowhere, which only NaN brings about. */
    private static int indexOf(float value, long x, int n) {
        for (int j = 0; j < n; j += LANES) {
            VectorMask<Float> found = VectorTile.load(x + j * 4L).compare(VectorOperators.EQ, value);
            if (found.anyTrue()) {
                return j + found.firstTrue();
            }
        }
        return 0;
    }

    /** One row's results from its chunks: {@code partial} is that of chunk 0, {@code step} bytes before that of chunk 1. */
    private static void combine(long partial, long step, int chunks, int row, Outputs out) {
        float max = Float.NEGATIVE_INFINITY;
        int best = 0;
        for (int c = 0; c < chunks; c++) {
            float m = Memory.ALL.get(FLOAT, partial + c * step);
            if (m > max) {
                max = m;
                best = out.argmax == null ? 0 : Memory.ALL.get(INT, partial + c * step + 12);
            }
        }
        double sum = 0;
        double weighted = 0;
        for (int c = 0; c < chunks; c++) {
            double shift = (double) Memory.ALL.get(FLOAT, partial + c * step) - max;
            double scale = Math.exp(shift);
            double s = Memory.ALL.get(FLOAT, partial + c * step + 4);
            sum += scale * s;
            if (out.entropy != 0) {
                weighted += scale * (Memory.ALL.get(FLOAT, partial + c * step + 8) + s * shift);
            }
        }
        double logSumExp = max + Math.log(sum);
        long at = row * 4L;
        Memory.ALL.set(FLOAT, out.logSumExp + at, (float) logSumExp);
        Memory.ALL.set(FLOAT, out.logProbs + at, (float) (Memory.ALL.get(FLOAT, out.logProbs + at) - logSumExp));
        if (out.entropy != 0) {
            Memory.ALL.set(FLOAT, out.entropy + at, (float) (Math.log(sum) - weighted / sum));
        }
        if (out.argmax != null) {
            out.argmax[row] = best;
        }
    }

    /** dLogits = dLogProb · ([target] - softmax) of the block's rows and {@code cols} columns from {@code start} on. */
    private void dLogits(Block block, long wChunk, int start, int cols) {
        VectorPanels panels = gemm.packAll(true, cols, block.dim, DType.F32, wChunk, block.dim * 4L,
                packedHead.floats(VectorPanels.packedSize(cols, block.dim)));
        int rowBlocks = Math.ceilDiv(block.count, ROW_BLOCK);
        parallel.forEach(Math.ceilDiv(cols, CHUNK) * rowBlocks, t -> {
            int from = t / rowBlocks * CHUNK;
            int to = Math.min(cols, from + CHUNK);
            int row = t % rowBlocks * ROW_BLOCK;
            int rows = Math.min(ROW_BLOCK, block.count - row);
            long p = block.p + row * block.pRowBytes;
            gemm.multiplyRows(block.x + (long) row * block.dim * 4, block.dim * 4L, rows, panels, from, to, p,
                    block.pRowBytes);
            if (block.softcap != 0) {
                cappedDLogits(block, start, from, to, row, rows);
                return;
            }
            for (int i = 0; i < rows; i++) {
                int token = block.active[block.first + row + i];
                float d = Memory.ALL.get(FLOAT, block.dLogProbs + token * 4L);
                float logSumExp = Memory.ALL.get(FLOAT, block.logSumExp + token * 4L);
                long segment = p + i * block.pRowBytes;
                for (int j = from; j < to; j += LANES) {
                    FloatVector v = VectorTile.load(segment + j * 4L).sub(logSumExp);
                    VectorTile.store(VectorMath.exp(v).mul(-d), segment + j * 4L);
                }
                int target = block.targets[token] - start;
                if (target >= from && target < to) {
                    long at = segment + target * 4L;
                    Memory.ALL.set(FLOAT, at, Memory.ALL.get(FLOAT, at) + d);
                }
            }
        });
    }

    /** Logits of some rows and columns become dLogits, where a cap bounds them: 1 - (logit / cap)² times as large. */
    private static void cappedDLogits(Block block, int start, int from, int to, int row, int rows) {
        FloatVector inverse = FloatVector.broadcast(VectorTile.SPECIES, 1 / block.softcap);
        FloatVector one = FloatVector.broadcast(VectorTile.SPECIES, 1);
        for (int i = 0; i < rows; i++) {
            int token = block.active[block.first + row + i];
            float d = Memory.ALL.get(FLOAT, block.dLogProbs + token * 4L);
            float logSumExp = Memory.ALL.get(FLOAT, block.logSumExp + token * 4L);
            long segment = block.p + (row + i) * block.pRowBytes;
            VectorSoftcap.apply(to - from, block.softcap, segment + from * 4L);
            int target = block.targets[token] - start;
            boolean here = target >= from && target < to;
            float tanh = here ? Memory.ALL.get(FLOAT, segment + target * 4L) / block.softcap : 0;
            for (int j = from; j < to; j += LANES) {
                FloatVector v = VectorTile.load(segment + j * 4L);
                FloatVector u = v.mul(inverse);
                VectorTile.store(VectorMath.exp(v.sub(logSumExp)).mul(-d).mul(one.sub(u.mul(u))), segment + j * 4L);
            }
            if (here) {
                long at = segment + target * 4L;
                Memory.ALL.set(FLOAT, at, Memory.ALL.get(FLOAT, at) + d * (1 - tanh * tanh));
            }
        }
    }

    private static int[] active(int rows, long dLogProbs) {
        int[] active = new int[rows];
        int count = 0;
        for (int i = 0; i < rows; i++) {
            if (Memory.ALL.get(FLOAT, dLogProbs + i * 4L) != 0) {
                active[count++] = i;
            }
        }
        return Arrays.copyOf(active, count);
    }

    private static void copy(long from, long to, long floats) {
        MemorySegment.copy(Memory.ALL, from, Memory.ALL, to, floats * 4);
    }

    /** Where the results of the forward step go: addresses, 0 or null for what is not wanted. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Outputs(long logProbs, long logSumExp, long entropy, int[] argmax) {}

    /**
     * Some of the rows whose gradient is not 0.
     *
     * @param active    all such rows' numbers
     * @param first     which of them is the block's first
     * @param count     rows of the block
     * @param x         address of their hidden states, one after the other
     * @param p         address of their dLogits
     * @param pRowBytes from one row of dLogits to the next
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Block(int[] active, int first, int count, int dim, float softcap, long x, long p, long pRowBytes,
            int[] targets, long logSumExp, long dLogProbs) {}
}
