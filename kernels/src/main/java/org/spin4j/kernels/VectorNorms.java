package org.spin4j.kernels;

import static org.spin4j.kernels.Memory.ALL;
import static org.spin4j.kernels.VectorMemory.LANES;
import static org.spin4j.kernels.VectorMemory.ORDER;
import static org.spin4j.kernels.VectorMemory.SPECIES;
import static org.spin4j.kernels.VectorMemory.get;
import static org.spin4j.kernels.VectorMemory.load;
import static org.spin4j.kernels.VectorMemory.set;
import static org.spin4j.kernels.VectorMemory.splat;
import static org.spin4j.kernels.VectorMemory.store;
import static org.spin4j.kernels.VectorMemory.sum;
import static org.spin4j.kernels.VectorMemory.tail;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/**
 * RMSNorm and LayerNorm in vectors. The backward steps sum the gradients of the weights over chunks of rows into one line
 * of scratch memory per chunk, and then the lines in order, so that the sum does not depend on who did which chunk.
 */
final class VectorNorms {
    private final Chunks chunks;
    private final Scratch lines = new Scratch();

    VectorNorms(Parallel parallel) {
        this.chunks = new Chunks(parallel);
    }

    void rmsNorm(int rows, int dim, double eps, long x, long weight, long out, long invRms) {
        VectorMask<Float> tail = tail(dim);
        chunks.rows(rows, dim, (from, to) -> {
            for (long i = from; i < to; i++) {
                long row = x + i * dim * 4;
                float inv = (float) (1 / Math.sqrt((double) squares(dim, row, 0, tail) / dim + eps));
                set(invRms + i * 4, inv);
                long y = out + i * dim * 4;
                int j = 0;
                for (; j + LANES <= dim; j += LANES) {
                    store(load(row + j * 4L).mul(inv).mul(load(weight + j * 4L)), y + j * 4L);
                }
                if (j < dim) {
                    store(load(row + j * 4L, tail).mul(inv).mul(load(weight + j * 4L, tail)), y + j * 4L, tail);
                }
            }
        });
    }

    /** dx = r·(w·dy) - x·r³·mean(w·dy·x), dw = Σ dy·x·r. */
    void rmsNormBackward(int rows, int dim, long x, long weight, long invRms, long dOut, long dX, long dWeight) {
        VectorMask<Float> tail = tail(dim);
        long sums = zeroedLines(lines(rows, dim), dim, 1);
        chunks.rows(rows, dim, (from, to) -> {
            long line = sums + from / Chunks.rowsPerChunk(dim) * dim * 4;
            for (long i = from; i < to; i++) {
                long row = x + i * dim * 4;
                long dY = dOut + i * dim * 4;
                float inv = get(invRms + i * 4);
                FloatVector dots = splat(0);
                int j = 0;
                for (; j + LANES <= dim; j += LANES) {
                    FloatVector product = load(dY + j * 4L).mul(load(row + j * 4L));
                    dots = product.fma(load(weight + j * 4L), dots);
                    store(product.fma(splat(inv), load(line + j * 4L)), line + j * 4L);
                }
                if (j < dim) {
                    FloatVector product = load(dY + j * 4L, tail).mul(load(row + j * 4L, tail));
                    dots = product.fma(load(weight + j * 4L, tail), dots);
                    store(product.fma(splat(inv), load(line + j * 4L, tail)), line + j * 4L, tail);
                }
                FloatVector pull = splat(-(float) ((double) sum(dots) / dim * inv * inv * inv));
                long dRow = dX + i * dim * 4;
                for (j = 0; j + LANES <= dim; j += LANES) {
                    FloatVector d = load(row + j * 4L).fma(pull, load(dRow + j * 4L));
                    store(load(dY + j * 4L).mul(load(weight + j * 4L)).fma(splat(inv), d), dRow + j * 4L);
                }
                if (j < dim) {
                    FloatVector d = load(row + j * 4L, tail).fma(pull, load(dRow + j * 4L, tail));
                    store(load(dY + j * 4L, tail).mul(load(weight + j * 4L, tail)).fma(splat(inv), d), dRow + j * 4L,
                            tail);
                }
            }
        });
        addLines(lines(rows, dim), dim, sums, dWeight);
    }

    /** @param before 0 where the numbers are not kept */
    void headNorm(int rows, int rowStride, int heads, int headDim, double eps, long x, long weight, long before,
            long invRms) {
        VectorMask<Float> tail = tail(headDim);
        chunks.rows(rows, (long) heads * headDim, (from, to) -> {
            for (long i = from * heads; i < to * heads; i++) {
                long head = x + (i / heads * rowStride + i % heads * headDim) * 4;
                if (before != 0) {
                    VectorMemory.copyRow(headDim, head, before + i * headDim * 4);
                }
                float inv = (float) (1 / Math.sqrt((double) squares(headDim, head, 0, tail) / headDim + eps));
                set(invRms + i * 4, inv);
                int j = 0;
                for (; j + LANES <= headDim; j += LANES) {
                    store(load(head + j * 4L).mul(inv).mul(load(weight + j * 4L)), head + j * 4L);
                }
                if (j < headDim) {
                    store(load(head + j * 4L, tail).mul(inv).mul(load(weight + j * 4L, tail)), head + j * 4L, tail);
                }
            }
        });
    }

    /** As {@link #rmsNormBackward}, where dx takes the place of dy. */
    void headNormBackward(int rows, int rowStride, int heads, int headDim, long before, long weight, long invRms,
            long dX, long dWeight) {
        VectorMask<Float> tail = tail(headDim);
        long width = (long) heads * headDim;
        int lineCount = Chunks.count(rows, Chunks.rowsPerChunk(width));
        long sums = zeroedLines(lineCount, headDim, 1);
        chunks.rows(rows, width, (from, to) -> {
            long line = sums + from / Chunks.rowsPerChunk(width) * headDim * 4;
            for (long i = from * heads; i < to * heads; i++) {
                long x = before + i * headDim * 4;
                long d = dX + (i / heads * rowStride + i % heads * headDim) * 4;
                FloatVector inv = splat(get(invRms + i * 4));
                FloatVector dots = splat(0);
                int j = 0;
                for (; j + LANES <= headDim; j += LANES) {
                    FloatVector product = load(d + j * 4L).mul(load(x + j * 4L));
                    dots = product.fma(load(weight + j * 4L), dots);
                    store(product.fma(inv, load(line + j * 4L)), line + j * 4L);
                }
                if (j < headDim) {
                    FloatVector product = load(d + j * 4L, tail).mul(load(x + j * 4L, tail));
                    dots = product.fma(load(weight + j * 4L, tail), dots);
                    store(product.fma(inv, load(line + j * 4L, tail)), line + j * 4L, tail);
                }
                double r = get(invRms + i * 4);
                FloatVector pull = splat(-(float) ((double) sum(dots) / headDim * r * r * r));
                for (j = 0; j + LANES <= headDim; j += LANES) {
                    store(load(d + j * 4L).mul(load(weight + j * 4L)).fma(inv, load(x + j * 4L).mul(pull)),
                            d + j * 4L);
                }
                if (j < headDim) {
                    store(load(d + j * 4L, tail).mul(load(weight + j * 4L, tail)).fma(inv,
                            load(x + j * 4L, tail).mul(pull)), d + j * 4L, tail);
                }
            }
        });
        addLines(lineCount, headDim, sums, dWeight);
    }

    void layerNorm(int rows, int dim, double eps, long x, long weight, long bias, long out, long mean, long invStd) {
        VectorMask<Float> tail = tail(dim);
        chunks.rows(rows, dim, (from, to) -> {
            for (long i = from; i < to; i++) {
                long row = x + i * dim * 4;
                float m = (float) ((double) total(dim, row, tail) / dim);
                float inv = (float) (1 / Math.sqrt((double) squares(dim, row, m, tail) / dim + eps));
                set(mean + i * 4, m);
                set(invStd + i * 4, inv);
                long y = out + i * dim * 4;
                int j = 0;
                for (; j + LANES <= dim; j += LANES) {
                    FloatVector unit = load(row + j * 4L).sub(m).mul(inv);
                    store(unit.fma(load(weight + j * 4L), load(bias + j * 4L)), y + j * 4L);
                }
                if (j < dim) {
                    FloatVector unit = load(row + j * 4L, tail).sub(m).mul(inv);
                    store(unit.fma(load(weight + j * 4L, tail), load(bias + j * 4L, tail)), y + j * 4L, tail);
                }
            }
        });
    }

    /** With u = (x - mean)/std and g = w·dy: dx = (g - mean(g) - u·mean(g·u)) / std, dw = Σ dy·u, db = Σ dy. */
    void layerNormBackward(int rows, int dim, long x, long weight, long mean, long invStd, long dOut, long dX,
            long dWeight, long dBias) {
        VectorMask<Float> tail = tail(dim);
        long sums = zeroedLines(lines(rows, dim), dim, 2);
        long biases = sums + (long) lines(rows, dim) * dim * 4;
        chunks.rows(rows, dim, (from, to) -> {
            long line = sums + from / Chunks.rowsPerChunk(dim) * dim * 4;
            long biasLine = biases + from / Chunks.rowsPerChunk(dim) * dim * 4;
            for (long i = from; i < to; i++) {
                long row = x + i * dim * 4;
                long dY = dOut + i * dim * 4;
                FloatVector m = splat(get(mean + i * 4));
                FloatVector inv = splat(get(invStd + i * 4));
                FloatVector plain = splat(0);
                FloatVector dots = splat(0);
                int j = 0;
                for (; j + LANES <= dim; j += LANES) {
                    FloatVector dy = FloatVector.fromMemorySegment(SPECIES, ALL, dY + j * 4L, ORDER);
                    FloatVector unit = FloatVector.fromMemorySegment(SPECIES, ALL, row + j * 4L, ORDER).sub(m).mul(inv);
                    FloatVector g = dy.mul(FloatVector.fromMemorySegment(SPECIES, ALL, weight + j * 4L, ORDER));
                    plain = plain.add(g);
                    dots = g.fma(unit, dots);
                    dy.fma(unit, FloatVector.fromMemorySegment(SPECIES, ALL, line + j * 4L, ORDER))
                            .intoMemorySegment(ALL, line + j * 4L, ORDER);
                    dy.add(FloatVector.fromMemorySegment(SPECIES, ALL, biasLine + j * 4L, ORDER)).intoMemorySegment(ALL,
                            biasLine + j * 4L, ORDER);
                }
                if (j < dim) {
                    FloatVector dy = FloatVector.fromMemorySegment(SPECIES, ALL, dY + j * 4L, ORDER, tail);
                    FloatVector unit = FloatVector.fromMemorySegment(SPECIES, ALL, row + j * 4L, ORDER, tail).sub(m)
                            .mul(inv);
                    FloatVector g = dy.mul(FloatVector.fromMemorySegment(SPECIES, ALL, weight + j * 4L, ORDER, tail));
                    plain = plain.add(g);
                    dots = g.fma(unit, dots);
                    dy.fma(unit, FloatVector.fromMemorySegment(SPECIES, ALL, line + j * 4L, ORDER, tail))
                            .intoMemorySegment(ALL, line + j * 4L, ORDER, tail);
                    dy.add(FloatVector.fromMemorySegment(SPECIES, ALL, biasLine + j * 4L, ORDER, tail))
                            .intoMemorySegment(ALL, biasLine + j * 4L, ORDER, tail);
                }
                FloatVector meanG = splat((float) ((double) sum(plain) / dim));
                FloatVector pull = splat(-(float) ((double) sum(dots) / dim));
                long dRow = dX + i * dim * 4;
                for (j = 0; j + LANES <= dim; j += LANES) {
                    FloatVector unit = FloatVector.fromMemorySegment(SPECIES, ALL, row + j * 4L, ORDER).sub(m).mul(inv);
                    FloatVector d = FloatVector.fromMemorySegment(SPECIES, ALL, dY + j * 4L, ORDER)
                            .mul(FloatVector.fromMemorySegment(SPECIES, ALL, weight + j * 4L, ORDER)).sub(meanG);
                    unit.fma(pull, d).fma(inv, FloatVector.fromMemorySegment(SPECIES, ALL, dRow + j * 4L, ORDER))
                            .intoMemorySegment(ALL, dRow + j * 4L, ORDER);
                }
                if (j < dim) {
                    FloatVector unit = FloatVector.fromMemorySegment(SPECIES, ALL, row + j * 4L, ORDER, tail).sub(m)
                            .mul(inv);
                    FloatVector d = FloatVector.fromMemorySegment(SPECIES, ALL, dY + j * 4L, ORDER, tail)
                            .mul(FloatVector.fromMemorySegment(SPECIES, ALL, weight + j * 4L, ORDER, tail)).sub(meanG);
                    unit.fma(pull, d).fma(inv, FloatVector.fromMemorySegment(SPECIES, ALL, dRow + j * 4L, ORDER, tail))
                            .intoMemorySegment(ALL, dRow + j * 4L, ORDER, tail);
                }
            }
        });
        addLines(lines(rows, dim), dim, sums, dWeight);
        addLines(lines(rows, dim), dim, biases, dBias);
    }

    private static float total(int dim, long row, VectorMask<Float> tail) {
        FloatVector s = splat(0);
        int j = 0;
        for (; j + LANES <= dim; j += LANES) {
            s = s.add(load(row + j * 4L));
        }
        if (j < dim) {
            s = s.add(load(row + j * 4L, tail));
        }
        return sum(s);
    }

    /** Σ (x - centre)². */
    private static float squares(int dim, long row, float centre, VectorMask<Float> tail) {
        FloatVector s = splat(0);
        int j = 0;
        for (; j + LANES <= dim; j += LANES) {
            FloatVector v = load(row + j * 4L).sub(centre);
            s = v.fma(v, s);
        }
        if (j < dim) {
            FloatVector v = load(row + j * 4L, tail).sub(splat(centre), tail);
            s = v.fma(v, s);
        }
        return sum(s);
    }

    private static int lines(int rows, int dim) {
        return Chunks.count(rows, Chunks.rowsPerChunk(dim));
    }

    private long zeroedLines(int count, int dim, int sets) {
        long floats = (long) sets * count * dim;
        long address = lines.floats(floats);
        VectorMemory.zero(address, floats);
        return address;
    }

    private static void addLines(int count, int dim, long lines, long out) {
        for (long line = 0; line < count; line++) {
            VectorRows.add(dim, 1, lines + line * dim * 4, out);
        }
    }
}
