package org.spin4j.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The right-hand matrix of a product, [k, n], seen as panels of {@link #WIDTH} columns. In a packed panel the numbers lie in
 * the order in which {@link VectorTile} reads them: k by k, the panel's columns side by side. The last panel is half as wide
 * where that is enough, and its missing columns are zeros. Where a matrix is stored as [k, n] anyway and is small, the
 * panels are its own memory, and only a last one that is ragged has to be packed.
 *
 * @param n         columns of the matrix
 * @param k         rows of the matrix
 * @param first     address of the first panel
 * @param nextPanel bytes from one whole panel to the next
 * @param nextRow   bytes from one k to the next in a whole panel
 * @param tail      address of the last panel where it is not whole
 * @param tailRow   bytes from one k to the next there
 */
record VectorPanels(int n, int k, long first, long nextPanel, long nextRow, long tail, long tailRow)
        implements
            VectorGemm.Right {
    /** Columns of half a panel: two vectors. */
    static final int HALF = 2 * VectorTile.LANES;
    /** Columns of a panel: what {@link VectorTile} keeps in registers at a time; 16 registers are too few for 4×4. */
    static final int WIDTH = VectorTile.SPECIES.vectorBitSize() >= 512 ? 2 * HALF : HALF;

    /** Steps of k that are widened at a time: whole blocks of any type, and the rows of a panel fit a cache. */
    private static final int WIDENED_STEPS = 256;
    /** Floats that {@link #packWidened} works in. */
    static final int WIDENED = WIDTH * WIDENED_STEPS;

    private static final int LANES = VectorTile.LANES;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final MemorySegment ALL = Memory.ALL;

    @Override
    public int count() {
        return count(n);
    }

    /** Number of panels of a matrix with n columns. */
    static int count(int n) {
        return Math.ceilDiv(n, WIDTH);
    }

    /** Columns of panel {@code p} in packed memory, zeros included. */
    static int width(int n, int p) {
        return n - p * WIDTH > HALF ? WIDTH : HALF;
    }

    /** Floats that the packed matrix takes. */
    static long packedSize(int n, int k) {
        int whole = n / WIDTH;
        return (long) k * (whole * (long) WIDTH + (n % WIDTH == 0 ? 0 : width(n, whole)));
    }

    /** A packed matrix at {@code address}. */
    static VectorPanels packed(int n, int k, long address) {
        int whole = n / WIDTH;
        long panelBytes = (long) WIDTH * k * 4;
        return new VectorPanels(n, k, address, panelBytes, WIDTH * 4L, address + whole * panelBytes,
                width(n, whole) * 4L);
    }

    /** Whether a matrix of n columns can be used where it lies, without a packed last panel. */
    static boolean wholeHalves(int n) {
        return n % HALF == 0;
    }

    /** The panels of a row-major [k, n] matrix where it lies; a ragged last panel has been packed at {@code packedTail}. */
    static VectorPanels inPlace(int n, int k, long address, long packedTail) {
        int whole = n / WIDTH;
        long row = n * 4L;
        return wholeHalves(n)
                ? new VectorPanels(n, k, address, WIDTH * 4L, row, address + whole * (WIDTH * 4L), row)
                : new VectorPanels(n, k, address, WIDTH * 4L, row, packedTail, width(n, whole) * 4L);
    }

    /** Address of panel {@code p}. */
    long panel(int p) {
        return (p + 1) * WIDTH <= n ? first + p * nextPanel : tail;
    }

    /** Bytes from one k to the next in panel {@code p}. */
    long row(int p) {
        return (p + 1) * WIDTH <= n ? nextRow : tailRow;
    }

    /**
     * Packs panel {@code p} of a matrix that is stored as [n, k].
     *
     * @param b        address of the matrix
     * @param rowBytes from one stored row of the matrix to the next
     */
    void packTransposed(long b, long rowBytes, int p) {
        int j = p * WIDTH;
        packTransposed(b + j * rowBytes, rowBytes, k, Math.min(WIDTH, n - j), width(n, p), panel(p));
    }

    /**
     * Packs panel {@code p} of a matrix that is stored as [n, k] in another type, widened to F32.
     *
     * @param rowBytes from one stored row of the matrix to the next
     * @param scratch room for {@link #WIDENED} floats
     */
    static void packWidened(DType type, int n, int k, long b, long rowBytes, int p, long scratch, long to) {
        int j = p * WIDTH;
        int cols = Math.min(WIDTH, n - j);
        int width = width(n, p);
        for (int q = 0; q < k; q += WIDENED_STEPS) {
            int steps = Math.min(WIDENED_STEPS, k - q);
            for (int c = 0; c < cols; c++) {
                Conversion.widen(type, steps, ALL, b + (j + c) * rowBytes + type.bytes(q), ALL,
                        scratch + c * (WIDENED_STEPS * 4L));
            }
            packTransposed(scratch, WIDENED_STEPS * 4L, steps, cols, width, to + q * (width * 4L));
        }
    }

    /**
     * Packs rows {@code from} to {@code to} of a matrix that is stored as [k, n] into all panels. Whole rows: memory is read from its
     * beginning to its end, as its prefetchers expect it.
     *
     * @param b        address of the matrix
     * @param rowBytes from one stored row of the matrix to the next
     */
    void packRows(long b, long rowBytes, int from, int to) {
        for (int p = from; p < to; p++) {
            long in = b + p * rowBytes;
            for (int q = 0; q < count(); q++) {
                packRow(in + q * (WIDTH * 4L), Math.min(WIDTH, n - q * WIDTH), width(n, q), panel(q) + p * row(q));
            }
        }
    }

    private static void packRow(long from, int cols, int width, long to) {
        int j = 0;
        for (; j + LANES <= cols; j += LANES) {
            VectorTile.store(VectorTile.load(from + j * 4L), to + j * 4L);
        }
        for (; j < cols; j++) {
            ALL.set(FLOAT, to + j * 4L, ALL.get(FLOAT, from + j * 4L));
        }
        for (; j < width; j++) {
            ALL.set(FLOAT, to + j * 4L, 0);
        }
    }

    private static void packTransposed(long from, long fromRow, int k, int cols, int width, long to) {
        long toRow = width * 4L;
        int wholeCols = cols / LANES * LANES;
        int wholeK = k / LANES * LANES;
        // Columns of the panel in the outer loop: LANES rows are read from their beginning to their end.
        for (int j = 0; j < wholeCols; j += LANES) {
            for (int p = 0; p < wholeK; p += LANES) {
                VectorTranspose.square(from + j * fromRow + p * 4L, fromRow, to + p * toRow + j * 4L, toRow);
            }
        }
        packSingly(from, fromRow, wholeK, k, 0, wholeCols, to, toRow);
        packSingly(from, fromRow, 0, k, wholeCols, cols, to, toRow);
        for (int p = 0; p < k; p++) {
            for (int j = cols; j < width; j++) {
                ALL.set(FLOAT, to + p * toRow + j * 4L, 0);
            }
        }
    }

    private static void packSingly(long from, long fromRow, int startK, int endK, int startCol, int endCol, long to,
            long toRow) {
        for (int p = startK; p < endK; p++) {
            for (int j = startCol; j < endCol; j++) {
                ALL.set(FLOAT, to + p * toRow + j * 4L, ALL.get(FLOAT, from + j * fromRow + p * 4L));
            }
        }
    }
}
