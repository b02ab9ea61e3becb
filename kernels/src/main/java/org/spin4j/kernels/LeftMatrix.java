package org.spin4j.kernels;

import java.lang.foreign.ValueLayout;
import org.spin4j.kernels.Kernels.Product;

/**
 * The left-hand matrix of a product: where it is and how far apart its numbers are, in bytes.
 *
 * @param columns whether it is stored as [k, m], so that a row of it is a column in memory
 */
record LeftMatrix(long address, boolean columns, long rowBytes, long stripBytes, long stepBytes) {
    /** Rows that lie together where columns have been gathered: whole cache lines and whole tiles of them. */
    static final int STRIP = 48;

    /**
     * A matrix where it lies.
     *
     * @param storedRowBytes from one stored row to the next
     */
    static LeftMatrix of(Product product, long a, long storedRowBytes) {
        return product == Product.TN
                ? new LeftMatrix(a, true, 4, 4L * STRIP, storedRowBytes)
                : new LeftMatrix(a, false, storedRowBytes, storedRowBytes * STRIP, 4);
    }

    /** Address of row {@code i}. */
    long row(int i) {
        return address + i / STRIP * stripBytes + i % STRIP * rowBytes;
    }

    /** Without the rows before {@code i}. */
    LeftMatrix rowsFrom(int i) {
        return new LeftMatrix(row(i), columns, rowBytes, stripBytes, stepBytes);
    }

    /** Without the first {@code q} terms of each sum. */
    LeftMatrix from(int q) {
        return new LeftMatrix(address + q * stepBytes, columns, rowBytes, stripBytes, stepBytes);
    }

    /** Floats that {@link #gathered} needs. */
    static long gatheredSize(int rows, int k) {
        return stripBytes(k) / 4 * Math.ceilDiv(rows, STRIP);
    }

    /** A cache line more than the numbers take, lest all strips begin in the same set of the cache. */
    private static long stripBytes(int k) {
        return k * (4L * STRIP) + 64;
    }

    /** The first {@code rows} rows copied in strips of {@link #STRIP}: k by k, a strip's numbers side by side. */
    LeftMatrix gathered(int rows, int k, long to) {
        long stripBytes = stripBytes(k);
        for (int p = 0; p < k; p++) {
            long in = address + p * stepBytes;
            long out = to + p * (4L * STRIP);
            for (int i = 0; i < rows; i += STRIP) {
                int count = Math.min(STRIP, rows - i);
                int v = 0;
                for (; v + VectorTile.LANES <= count; v += VectorTile.LANES) {
                    VectorTile.store(VectorTile.load(in + v * 4L), out + v * 4L);
                }
                for (; v < count; v++) {
                    Memory.ALL.set(ValueLayout.JAVA_FLOAT_UNALIGNED, out + v * 4L,
                            Memory.ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, in + v * 4L));
                }
                in += 4L * STRIP;
                out += stripBytes;
            }
        }
        return new LeftMatrix(to, true, 4, stripBytes, 4L * STRIP);
    }
}
