package org.spin4j.kernels;

import static org.spin4j.kernels.Memory.ALL;
import static org.spin4j.kernels.VectorMemory.LANES;
import static org.spin4j.kernels.VectorMemory.ORDER;
import static org.spin4j.kernels.VectorMemory.SPECIES;
import static org.spin4j.kernels.VectorMemory.VECTOR_BYTES;
import static org.spin4j.kernels.VectorMemory.get;
import static org.spin4j.kernels.VectorMemory.load;
import static org.spin4j.kernels.VectorMemory.set;
import static org.spin4j.kernels.VectorMemory.splat;
import static org.spin4j.kernels.VectorMemory.store;
import static org.spin4j.kernels.VectorMemory.sum;
import static org.spin4j.kernels.VectorMemory.tail;

import java.nio.ByteOrder;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** Sums, table look-ups, rotary embedding and softmax over rows, in vectors. */
final class VectorRows {
    /** Columns that one task sums or scatters: whole cache lines, so that no two threads write to the same one. */
    private static final int COLUMNS = 64;
    private static final VectorSpecies<Double> DOUBLES = DoubleVector.SPECIES_PREFERRED;
    /** As many floats as {@link #DOUBLES} has lanes. */
    private static final VectorSpecies<Float> HALF = VectorSpecies.of(float.class,
            VectorShape.forBitSize(DOUBLES.vectorBitSize() / 2));

    private static final FloatVector ZERO = splat(0);

    private final Parallel parallel;
    private final Chunks chunks;
    private final Scratch widened = new Scratch();

    VectorRows(Parallel parallel) {
        this.parallel = parallel;
        this.chunks = new Chunks(parallel);
    }

    /** y += alpha · x, on the calling thread. */
    static void add(long n, float alpha, long x, long y) {
        FloatVector factor = splat(alpha);
        long bytes = n * 4;
        long wholeBytes = bytes - bytes % VECTOR_BYTES;
        for (long at = 0; at < wholeBytes; at += VECTOR_BYTES) {
            FloatVector.fromMemorySegment(SPECIES, ALL, x + at, ORDER)
                    .fma(factor, FloatVector.fromMemorySegment(SPECIES, ALL, y + at, ORDER))
                    .intoMemorySegment(ALL, y + at, ORDER);
        }
        if (wholeBytes < bytes) {
            VectorMask<Float> tail = tail(n);
            store(load(x + wholeBytes, tail).fma(factor, load(y + wholeBytes, tail)), y + wholeBytes, tail);
        }
    }

    void axpy(long n, float alpha, long x, long y) {
        chunks.flat(n, (from, to) -> add(to - from, alpha, x + from * 4, y + from * 4));
    }

    double sumOfSquares(long n, long x) {
        double[] parts = new double[Chunks.count(n, Chunks.GRAIN)];
        chunks.flat(n, (from, to) -> parts[(int) (from / Chunks.GRAIN)] = squares(to - from, x + from * 4));
        double total = 0;
        for (double part : parts) {
            total += part;
        }
        return total;
    }

    private static double squares(long n, long x) {
        DoubleVector even = DoubleVector.zero(DOUBLES);
        DoubleVector odd = even;
        long step = DOUBLES.length();
        long i = 0;
        for (; i + 2 * step <= n; i += 2 * step) {
            DoubleVector a = widened(x + i * 4);
            DoubleVector b = widened(x + (i + step) * 4);
            even = a.fma(a, even);
            odd = b.fma(b, odd);
        }
        double total = 0;
        for (double lane : even.add(odd).toArray()) {
            total += lane;
        }
        for (; i < n; i++) {
            double v = get(x + i * 4);
            total += v * v;
        }
        return total;
    }

    private static DoubleVector widened(long address) {
        return (DoubleVector) FloatVector.fromMemorySegment(HALF, Memory.ALL, address, ByteOrder.nativeOrder())
                .convertShape(VectorOperators.F2D, DOUBLES, 0);
    }

    void columnSums(int rows, int cols, long x, long out) {
        columns(rows, cols, (from, to) -> {
            for (long i = 0; i < rows; i++) {
                add(to - from, 1, x + (i * cols + from) * 4, out + from * 4);
            }
        });
    }

    void gather(int[] rows, int count, int dim, DType type, long table, boolean accumulate, long out) {
        long rowBytes = type.bytes(dim);
        chunks.rows(count, dim, (from, to) -> {
            for (long i = from; i < to; i++) {
                long source = table + rows[(int) i] * rowBytes;
                long target = out + i * dim * 4;
                if (!accumulate) {
                    Conversion.widen(type, dim, ALL, source, ALL, target);
                } else if (type == DType.F32) {
                    add(dim, 1, source, target);
                } else {
                    long row = widened.floats(dim);
                    Conversion.widen(type, dim, ALL, source, ALL, row);
                    add(dim, 1, row, target);
                }
            }
        });
    }

    void scatterAdd(int[] rows, int count, int dim, long x, long table) {
        columns(count, dim, (from, to) -> {
            for (int i = 0; i < count; i++) {
                add(to - from, 1, x + ((long) i * dim + from) * 4, table + ((long) rows[i] * dim + from) * 4);
            }
        });
    }

    /** Splits by columns, so that each sum over rows belongs to one task; small work stays on this thread. */
    private void columns(int rows, int cols, Chunks.Range body) {
        if ((long) rows * cols <= Chunks.GRAIN) {
            body.run(0, cols);
        } else {
            chunks.run(cols, COLUMNS, body);
        }
    }

    void rope(int rows, int rowStride, int heads, int headDim, int[] positions, long cosSin, boolean inverse, long x) {
        int half = headDim / 2;
        VectorMask<Float> tail = tail(half);
        FloatVector sign = splat(inverse ? -1 : 1);
        chunks.rows(rows, (long) heads * headDim, (from, to) -> {
            for (long i = from; i < to; i++) {
                long cos = cosSin + (long) positions[(int) i] * headDim * 4;
                long sin = cos + half * 4L;
                for (int h = 0; h < heads; h++) {
                    long left = x + (i * rowStride + (long) h * headDim) * 4;
                    long right = left + half * 4L;
                    int j = 0;
                    for (; j + LANES <= half; j += LANES) {
                        long at = j * 4L;
                        FloatVector a = load(left + at);
                        FloatVector b = load(right + at);
                        FloatVector c = load(cos + at);
                        FloatVector s = load(sin + at).mul(sign);
                        store(a.mul(c).sub(b.mul(s)), left + at);
                        store(b.mul(c).add(a.mul(s)), right + at);
                    }
                    if (j < half) {
                        long at = j * 4L;
                        FloatVector a = load(left + at, tail);
                        FloatVector b = load(right + at, tail);
                        FloatVector c = load(cos + at, tail);
                        FloatVector s = load(sin + at, tail).mul(sign);
                        store(a.mul(c).sub(b.mul(s)), left + at, tail);
                        store(b.mul(c).add(a.mul(s)), right + at, tail);
                    }
                }
            }
        });
    }

    void softmax(int rows, int cols, float scale, long x, long logSumExp) {
        int perTask = (int) Chunks.rowsPerChunk(4L * cols);
        parallel.forEach(Chunks.count(rows, perTask), task -> {
            for (int i = task * perTask; i < Math.min(rows, (task + 1) * perTask); i++) {
                set(logSumExp + i * 4L, softmaxRow(cols, scale, x + (long) i * cols * 4));
            }
        });
    }

    void argmax(int rows, int cols, long x, int[] argmax) {
        int perTask = (int) Chunks.rowsPerChunk(4L * cols);
        parallel.forEach(Chunks.count(rows, perTask), task -> {
            for (int i = task * perTask; i < Math.min(rows, (task + 1) * perTask); i++) {
                long row = x + (long) i * cols * 4;
                float max = max(cols, 1, row);
                int place = 0;
                while (place < cols && get(row + place * 4L) != max) {
                    place++;
                }
                // Where nothing is a number, nothing is the greatest.
                argmax[i] = place == cols ? 0 : place;
            }
        });
    }

    private static float max(int n, float scale, long row) {
        FloatVector factor = splat(scale);
        FloatVector most = splat(Float.NEGATIVE_INFINITY);
        int j = 0;
        for (; j + LANES <= n; j += LANES) {
            FloatVector v = FloatVector.fromMemorySegment(SPECIES, ALL, row + j * 4L, ORDER).mul(factor);
            most = most.blend(v, most.lt(v));
        }
        if (j < n) {
            VectorMask<Float> tail = tail(n);
            FloatVector v = FloatVector.fromMemorySegment(SPECIES, ALL, row + j * 4L, ORDER, tail).mul(factor);
            most = most.blend(v, most.lt(v).and(tail));
        }
        return most.reduceLanes(VectorOperators.MAX);
    }

    /** Returns log Σ exp(scale · x) and leaves x = exp(scale · x) / Σ. */
    private static float softmaxRow(int n, float scale, long row) {
        VectorMask<Float> tail = tail(n);
        FloatVector factor = splat(scale);
        float max = max(n, scale, row);
        int j = 0;
        FloatVector shift = splat(-max);
        FloatVector sums = FloatVector.zero(SPECIES);
        for (j = 0; j + LANES <= n; j += LANES) {
            FloatVector e = VectorMath
                    .exp(FloatVector.fromMemorySegment(SPECIES, ALL, row + j * 4L, ORDER).fma(factor, shift));
            sums = sums.add(e);
            e.intoMemorySegment(ALL, row + j * 4L, ORDER);
        }
        if (j < n) {
            FloatVector e = ZERO.blend(
                    VectorMath.exp(
                            FloatVector.fromMemorySegment(SPECIES, ALL, row + j * 4L, ORDER, tail).fma(factor, shift)),
                    tail);
            sums = sums.add(e);
            e.intoMemorySegment(ALL, row + j * 4L, ORDER, tail);
        }
        double total = sum(sums);
        FloatVector share = splat((float) (1 / total));
        for (j = 0; j + LANES <= n; j += LANES) {
            FloatVector.fromMemorySegment(SPECIES, ALL, row + j * 4L, ORDER).mul(share).intoMemorySegment(ALL,
                    row + j * 4L, ORDER);
        }
        if (j < n) {
            FloatVector.fromMemorySegment(SPECIES, ALL, row + j * 4L, ORDER, tail).mul(share).intoMemorySegment(ALL,
                    row + j * 4L, ORDER, tail);
        }
        return (float) (max + Math.log(total));
    }
}
