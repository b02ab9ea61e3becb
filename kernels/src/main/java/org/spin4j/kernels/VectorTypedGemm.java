package org.spin4j.kernels;

/**
 * Few rows times a typed matrix, whose vectors are widened in registers, once for each group of rows. The sums are those of
 * {@link VectorGemm}: the first stretch of k, bias, addend, the other stretches.
 */
final class VectorTypedGemm {
    private static final int ROWS = 4;
    private static final int WIDTH = VectorTypedPanels.WIDTH;
    private static final long SCRATCH_ROW = WIDTH * 4L;
    /** Floats that {@link #multiply} works in: a tile. */
    static final int SCRATCH = ROWS * WIDTH;
    /** Rows of a tile: 16 registers are too few for four. */
    private static final int TILE_ROWS = VectorTile.SPECIES.vectorBitSize() >= 512 ? ROWS : 1;

    private VectorTypedGemm() {}

    /**
     * One block of C on the calling thread.
     *
     * @param a         address of the first row
     * @param aRowBytes from one row to the next
     * @param stretch   of k that makes a chain
     * @param from      first panel
     * @param to        panel after the last
     * @param c         where the block's first row goes
     * @param scratch   room for {@link #SCRATCH} floats
     */
    static void multiply(long a, long aRowBytes, int rows, VectorTypedPanels b, int stretch, int from, int to,
            VectorGemm.Target c, long scratch) {
        int k = b.k();
        for (int p = from; p < to; p++) {
            int j = p * WIDTH;
            int cols = Math.min(WIDTH, b.n() - j);
            boolean whole = cols == WIDTH;
            for (int i = 0; i < rows; i += TILE_ROWS) {
                int r = Math.min(TILE_ROWS, rows - i);
                long x = a + i * aRowBytes;
                long target = c.address() + i * c.rowBytes() + j * 4L;
                boolean direct = whole && c.bias() == 0 && c.addend() == 0 && (r == ROWS || r == 1);
                tile(x, aRowBytes, r, b, p, 0, Math.min(stretch, k), direct ? target : scratch,
                        direct ? c.rowBytes() : SCRATCH_ROW);
                if (!direct) {
                    VectorGemm.finish(r, cols, scratch, c.bias() == 0 ? 0 : c.bias() + j * 4L,
                            c.addend() == 0 ? 0 : c.addend() + i * c.rowBytes() + j * 4L, target, c.rowBytes());
                }
                for (int q = stretch; q < k; q += stretch) {
                    tile(x + q * 4L, aRowBytes, r, b, p, q, Math.min(stretch, k - q), scratch, SCRATCH_ROW);
                    if (whole) {
                        VectorTile.add(r, WIDTH, scratch, SCRATCH_ROW, target, c.rowBytes());
                    } else {
                        VectorGemm.finish(r, cols, scratch, 0, target, target, c.rowBytes());
                    }
                }
            }
        }
    }

    private static void tile(long a, long aRowBytes, int rows, VectorTypedPanels b, int panel, int first, int steps,
            long c, long cRowBytes) {
        long w = b.row(panel, first);
        int skip = first % b.type().block();
        switch (b.type()) {
            case BF16 -> {
                if (rows == 1) {
                    VectorTypedTile.bf16Row1(a, w, steps, c);
                } else {
                    VectorTypedTile.bf16Rows4(a, aRowBytes, rows, w, steps, c, cRowBytes);
                }
            }
            case F16 -> {
                if (rows == 1) {
                    VectorTypedTile.f16Row1(a, 4, w, VectorTypedTile.SHORT_ROW, steps, c);
                } else {
                    VectorTypedTile.f16Rows4(a, aRowBytes, rows, w, steps, c, cRowBytes);
                }
            }
            default -> {
                if (rows == 1) {
                    VectorTypedTile.q8Row1(a, w, skip, steps, c);
                } else {
                    VectorTypedTile.q8Rows4(a, aRowBytes, rows, w, skip, steps, c, cRowBytes);
                }
            }
        }
    }
}
