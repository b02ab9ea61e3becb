package org.spin4j.kernels.tornado;

import java.util.List;
import org.spin4j.kernels.Kernels.Product;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Matrix products. A work-group computes a square tile of C: both operands come through local memory in slices of {@value #SLICE}
 * terms, the next slice is on its way while one is multiplied, and a work-item keeps 8 × 4 sums in registers.
 * Few rows, as in decoding, take narrow tiles instead, so that there are groups enough to draw on the memory's whole bandwidth.
 *
 * <p>Each element is one chain of multiply-adds, in the order of the terms, that begins with bias + addend. So all kernels give
 * the same bits, a row does not depend on the others, and a product cut into several along k is the same again.
 *
 * <p>Operands are told by their strides: one of a matrix's two is 1, and loads go along that one.
 */
final class DeviceGemm {
    /** Rows and columns of C that a work-group computes. */
    private static final int TILE = 64;
    /** Terms of the sums that lie in local memory at a time. */
    private static final int SLICE = 8;
    /** From one term to the next in local memory: 4 more than the tile, so that items that store a line's terms meet different banks. */
    private static final int STRIDE = TILE + 4;
    /** Work-items of a tile, 8 × 16, each with 8 × 4 sums. */
    private static final int ITEMS = 128;
    /** Numbers of a slice that a work-item fetches. */
    private static final int SHARE = TILE * SLICE / ITEMS;

    /** Rows that a narrow tile has. */
    private static final int FEW = 16;
    private static final int FEW_COLUMNS = 32;
    private static final int FEW_SLICE = 32;
    /** Work-items of a narrow tile: 4 for each column, each with every fourth row. */
    private static final int FEW_ITEMS = 128;
    private static final int FEW_STRIDE = FEW_SLICE + 1;

    private DeviceGemm() {}

    /** See {@link org.spin4j.kernels.Kernels#matmul}. */
    static List<DeviceCall> matmul(Product product, int m, int n, int k, int a, int b, int bias, int addend, int c) {
        boolean aAlongK = product != Product.TN;
        boolean bAlongK = product == Product.NT;
        int[] ints = {m, n, k, a, aAlongK ? k : 1, aAlongK ? 1 : m, b, bAlongK ? 1 : n, bAlongK ? k : 1, bias, addend,
                c};
        if (m <= FEW) {
            return DeviceCall.groups("matmul of few rows", DeviceGemm::few, m == 0 ? 0 : tiles(n, FEW_COLUMNS),
                    FEW_ITEMS, ints);
        }
        return DeviceCall.groups("matmul", DeviceGemm::tile, Math.multiplyExact(tiles(m, TILE), tiles(n, TILE)), ITEMS,
                ints);
    }

    private static int tiles(int size, int tile) {
        return (size + tile - 1) / tile;
    }

    /**
     * One tile. Loops over private arrays are short enough for the compiler to unroll them whole, as registers ask. What lies outside of
     * a matrix is fetched from its border, and goes into sums that are not stored.
     */
    static void tile(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        float[] as = context.allocateFloatLocalArray(SLICE * STRIDE);
        float[] bs = context.allocateFloatLocalArray(SLICE * STRIDE);
        float[] sums = new float[32];
        float[] left = new float[8];
        float[] right = new float[4];
        float[] nextA = new float[SHARE];
        float[] nextB = new float[SHARE];
        int args = ints.get(i);
        int m = ints.get(args);
        int n = ints.get(args + 1);
        int k = ints.get(args + 2);
        int a = ints.get(args + 3);
        int aRow = ints.get(args + 4);
        int aTerm = ints.get(args + 5);
        int b = ints.get(args + 6);
        int bTerm = ints.get(args + 7);
        int bColumn = ints.get(args + 8);
        int bias = ints.get(args + 9);
        int addend = ints.get(args + 10);
        int c = ints.get(args + 11);
        int across = (n + TILE - 1) / TILE;
        int firstRow = context.groupIdx / across * TILE;
        int firstColumn = context.groupIdx % across * TILE;
        int item = context.localIdx;
        // Rows are own to own + 3, and as many 32 further on; columns are four in a row.
        int own = item / 16 * 4;
        int ownColumn = item % 16 * 4;
        int row = firstRow + own;
        int column = firstColumn + ownColumn;
        for (int y = 0; y < 4; y++) {
            right[y] = 0;
        }
        if (bias >= 0) {
            for (int y = 0; y < 4; y++) {
                right[y] = mem.get(bias + Math.min(column + y, n - 1));
            }
        }
        for (int x = 0; x < 8; x++) {
            for (int y = 0; y < 4; y++) {
                sums[x * 4 + y] = right[y];
            }
        }
        if (addend >= 0) {
            for (int x = 0; x < 8; x++) {
                for (int y = 0; y < 4; y++) {
                    sums[x * 4 + y] += mem.get(addend + Math.min(row + x / 4 * 32 + x % 4, m - 1) * n
                            + Math.min(column + y, n - 1));
                }
            }
        }
        // Neighbouring items fetch neighbouring numbers: terms of a line where these lie together, else a term of many lines.
        int aFirst = aTerm == 1 ? item % SLICE : item / TILE;
        int aLine = aTerm == 1 ? item / SLICE : item % TILE;
        int aStep = aTerm == 1 ? 0 : ITEMS / TILE;
        int aLineStep = aTerm == 1 ? ITEMS / SLICE : 0;
        int bFirst = bTerm == 1 ? item % SLICE : item / TILE;
        int bLine = bTerm == 1 ? item / SLICE : item % TILE;
        int bStep = bTerm == 1 ? 0 : ITEMS / TILE;
        int bLineStep = bTerm == 1 ? ITEMS / SLICE : 0;
        for (int term = k == 0 ? 0 : -SLICE; term < k; term += SLICE) {
            // The next slice is fetched while this one is multiplied.
            for (int q = 0; q < SHARE; q++) {
                nextA[q] = mem.get(a + Math.min(firstRow + aLine + q * aLineStep, m - 1) * aRow
                        + Math.min(term + SLICE + aFirst + q * aStep, k - 1) * aTerm);
                nextB[q] = mem.get(b + Math.min(firstColumn + bLine + q * bLineStep, n - 1) * bColumn
                        + Math.min(term + SLICE + bFirst + q * bStep, k - 1) * bTerm);
            }
            int present = term < 0 ? 0 : Math.min(SLICE, k - term);
            for (int p = 0; p < present; p++) {
                for (int y = 0; y < 4; y++) {
                    left[y] = as[p * STRIDE + own + y];
                    left[y + 4] = as[p * STRIDE + own + 32 + y];
                    right[y] = bs[p * STRIDE + ownColumn + y];
                }
                for (int x = 0; x < 8; x++) {
                    for (int y = 0; y < 4; y++) {
                        sums[x * 4 + y] += left[x] * right[y];
                    }
                }
            }
            context.localBarrier();
            for (int q = 0; q < SHARE; q++) {
                as[(aFirst + q * aStep) * STRIDE + aLine + q * aLineStep] = nextA[q];
                bs[(bFirst + q * bStep) * STRIDE + bLine + q * bLineStep] = nextB[q];
            }
            context.localBarrier();
        }
        for (int x = 0; x < 8; x++) {
            for (int y = 0; y < 4; y++) {
                int at = row + x / 4 * 32 + x % 4;
                if (at < m && column + y < n) {
                    mem.set(c + at * n + column + y, sums[x * 4 + y]);
                }
            }
        }
    }

    /** At most {@value #FEW} rows: a group has {@value #FEW_COLUMNS} columns. */
    static void few(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        int args = ints.get(i);
        float[] as = context.allocateFloatLocalArray(FEW * FEW_STRIDE);
        float[] bs = context.allocateFloatLocalArray(FEW_COLUMNS * FEW_STRIDE);
        float[] sums = new float[4];
        int m = ints.get(args);
        int n = ints.get(args + 1);
        int k = ints.get(args + 2);
        int a = ints.get(args + 3);
        int aRow = ints.get(args + 4);
        int aTerm = ints.get(args + 5);
        int b = ints.get(args + 6);
        int bTerm = ints.get(args + 7);
        int bColumn = ints.get(args + 8);
        int bias = ints.get(args + 9);
        int addend = ints.get(args + 10);
        int c = ints.get(args + 11);
        int item = context.localIdx;
        int row = item / FEW_COLUMNS;
        int firstColumn = context.groupIdx * FEW_COLUMNS;
        int column = firstColumn + item % FEW_COLUMNS;
        for (int x = 0; x < 4; x++) {
            float start = 0;
            if (row + 4 * x < m && column < n) {
                if (bias >= 0) {
                    start = mem.get(bias + column);
                }
                if (addend >= 0) {
                    start += mem.get(addend + (row + 4 * x) * n + column);
                }
            }
            sums[x] = start;
        }
        for (int term = 0; term < k; term += FEW_SLICE) {
            for (int e = item; e < m * FEW_SLICE; e += FEW_ITEMS) {
                int p = term + e % FEW_SLICE;
                float x = 0;
                if (p < k) {
                    x = mem.get(a + e / FEW_SLICE * aRow + p * aTerm);
                }
                as[e / FEW_SLICE * FEW_STRIDE + e % FEW_SLICE] = x;
            }
            for (int q = 0; q < FEW_COLUMNS * FEW_SLICE / FEW_ITEMS; q++) {
                int e = item + q * FEW_ITEMS;
                int p = bTerm == 1 ? e % FEW_SLICE : e / FEW_COLUMNS;
                int l = bTerm == 1 ? e / FEW_SLICE : e % FEW_COLUMNS;
                float x = 0;
                if (term + p < k && firstColumn + l < n) {
                    x = mem.get(b + (firstColumn + l) * bColumn + (term + p) * bTerm);
                }
                bs[l * FEW_STRIDE + p] = x;
            }
            context.localBarrier();
            int present = Math.min(FEW_SLICE, k - term);
            for (int p = 0; p < present; p++) {
                float right = bs[item % FEW_COLUMNS * FEW_STRIDE + p];
                for (int x = 0; x < 4; x++) {
                    sums[x] += as[(row + 4 * x) * FEW_STRIDE + p] * right;
                }
            }
            context.localBarrier();
        }
        for (int x = 0; x < 4; x++) {
            if (row + 4 * x < m && column < n) {
                mem.set(c + (row + 4 * x) * n + column, sums[x]);
            }
        }
    }
}
