package org.spin4j.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

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
    private static final int STAGES = Integer.numberOfTrailingZeros(LANES);
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    private static final int[] UPPER = lanes(true);
    private static final int[] LOWER = lanes(false);
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
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
     * Packs panel {@code p} of a matrix to {@code to}.
     *
     * @param transposed whether the matrix is stored as [n, k], else as [k, n]
     * @param b          address of the matrix
     * @param rowBytes   from one stored row of the matrix to the next
     */
    static void pack(boolean transposed, int n, int k, long b, long rowBytes, int p, long to) {
        int j = p * WIDTH;
        int cols = Math.min(WIDTH, n - j);
        int width = width(n, p);
        if (transposed) {
            packTransposed(b + j * rowBytes, rowBytes, k, cols, width, to);
        } else {
            packRows(b + j * 4L, rowBytes, k, cols, width, to);
        }
    }

    /**
     * Packs panel {@code p} of a matrix that is stored as [n, k] in another type, widened to F32.
     *
     * @param scratch room for {@link #WIDENED} floats
     */
    static void packWidened(DType type, int n, int k, long b, int p, long scratch, long to) {
        int j = p * WIDTH;
        int cols = Math.min(WIDTH, n - j);
        int width = width(n, p);
        long rowBytes = type.bytes(k);
        for (int q = 0; q < k; q += WIDENED_STEPS) {
            int steps = Math.min(WIDENED_STEPS, k - q);
            for (int c = 0; c < cols; c++) {
                Conversion.widen(type, steps, ALL, b + (j + c) * rowBytes + type.bytes(q), ALL,
                        scratch + c * (WIDENED_STEPS * 4L));
            }
            packTransposed(scratch, WIDENED_STEPS * 4L, steps, cols, width, to + q * (width * 4L));
        }
    }

    private static void packRows(long from, long rowBytes, int k, int cols, int width, long to) {
        for (int p = 0; p < k; p++) {
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
            from += rowBytes;
            to += width * 4L;
        }
    }

    private static void packTransposed(long from, long fromRow, int k, int cols, int width, long to) {
        long toRow = width * 4L;
        int wholeCols = cols / LANES * LANES;
        int wholeK = k / LANES * LANES;
        // Columns of the panel in the outer loop: LANES rows are read from their beginning to their end.
        for (int j = 0; j < wholeCols; j += LANES) {
            for (int p = 0; p < wholeK; p += LANES) {
                transpose(from + j * fromRow + p * 4L, fromRow, to + p * toRow + j * 4L, toRow);
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

    /**
     * Transposes a square of LANES × LANES numbers. Stage by stage, rows i and i + d exchange the quarters that are not yet
     * on their side of the diagonal, for d = LANES/2, LANES/4, … 1.
     */
    private static void transpose(long from, long fromRow, long to, long toRow) {
        for (int stage = 0; stage < STAGES; stage++) {
            IntVector upper = IntVector.fromArray(INTS, UPPER, stage * LANES);
            IntVector lower = IntVector.fromArray(INTS, LOWER, stage * LANES);
            int d = LANES >> (stage + 1);
            for (int pair = 0; pair < LANES / 2; pair++) {
                // Puts a 0 bit into the number of the pair where d has its 1 bit.
                int i = ((pair & -d) << 1) | (pair & (d - 1));
                IntVector a = IntVector.fromMemorySegment(INTS, ALL, from + i * fromRow, ORDER);
                IntVector b = IntVector.fromMemorySegment(INTS, ALL, from + (i + d) * fromRow, ORDER);
                upper.selectFrom(a, b).intoMemorySegment(ALL, to + i * toRow, ORDER);
                lower.selectFrom(a, b).intoMemorySegment(ALL, to + (i + d) * toRow, ORDER);
            }
            from = to;
            fromRow = toRow;
        }
    }

    /** For each stage the lanes that a row takes from itself (below LANES) and from its partner (from LANES on). */
    private static int[] lanes(boolean ofUpperRow) {
        int[] lanes = new int[STAGES * LANES];
        for (int stage = 0; stage < STAGES; stage++) {
            int d = LANES >> (stage + 1);
            for (int l = 0; l < LANES; l++) {
                boolean left = (l & d) == 0;
                lanes[stage * LANES + l] = ofUpperRow ? (left ? l : LANES + l - d) : (left ? l + d : LANES + l);
            }
        }
        return lanes;
    }
}
