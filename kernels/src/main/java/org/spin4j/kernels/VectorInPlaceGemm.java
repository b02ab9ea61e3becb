package org.spin4j.kernels;

/**
 * Few rows times a weight [n, k] of 16-bit numbers or blocks where it lies, in a mapped file for example: for weights that are too large to
 * be packed once and for all. A panel of the weight is packed for a slice of k, in memory that stays in the second-level cache, multiplied
 * and forgotten. The sums are those of {@link VectorGemm}.
 */
final class VectorInPlaceGemm {
    private static final int WIDTH = VectorTypedPanels.WIDTH;
    /** Bytes of a panel's slice, a fraction of a 1 MiB second-level cache. */
    private static final long SLICE_BYTES = 128 << 10;
    /** Numbers of the weight worth a task of their own. */
    private static final int TASK_NUMBERS = 1 << 17;

    private final Parallel parallel;
    private final VectorGemm gemm;
    private final Scratch packed = new Scratch();
    private final Scratch squares = new Scratch();
    private final Scratch tile = new Scratch();

    /** @param gemm multiplies what is not finite, widened to F32 */
    VectorInPlaceGemm(Parallel parallel, VectorGemm gemm) {
        this.parallel = parallel;
        this.gemm = gemm;
    }

    /**
     * C = A · Bᵀ + bias + addend.
     *
     * @param a plain rows
     * @param b address of the weight
     */
    void multiply(LeftMatrix a, int m, int n, int k, long b, DType type, VectorGemm.Target c) {
        int panels = Math.ceilDiv(n, WIDTH);
        int perTask = Math.clamp(TASK_NUMBERS / ((long) WIDTH * Math.max(1, k)), 1, panels);
        parallel.forEach(Math.ceilDiv(panels, perTask), t -> {
            for (int p = t * perTask; p < Math.min(panels, (t + 1) * perTask); p++) {
                int j = p * WIDTH;
                panel(a, m, Math.min(WIDTH, n - j), k, b + j * type.bytes(k), type, c.column(j));
            }
        });
    }

    private void panel(LeftMatrix a, int m, int cols, int k, long b, DType type, VectorGemm.Target c) {
        long rowBytes = type.bytes(k);
        int stretch = VectorGemm.stretch(k);
        int slice = slice(k, stretch, type);
        VectorGemm.Target target = c;
        for (int q = 0; q == 0 || q < k; q += slice) {
            int steps = Math.min(slice, k - q);
            long from = b + type.bytes(q);
            long bytes = VectorTypedPanels.packedBytes(type, cols, steps);
            VectorTypedPanels panel = new VectorTypedPanels(type, cols, steps, packed.floats(bytes / 4 + 1));
            if (cols < WIDTH) {
                VectorMemory.zero(panel.address(), bytes / 4 + 1);
            }
            if (panel.pack(from, rowBytes, 0, squares.floats(VectorTypedPanels.SCRATCH))) {
                VectorTypedGemm.multiply(a.address() + q * a.stepBytes(), a.rowBytes(), m, panel, stretch, 0, 1, target,
                        tile.floats(VectorTypedGemm.SCRATCH));
            } else {
                widened(a.from(q), m, cols, steps, from, rowBytes, type, stretch, target);
            }
            target = c.accumulated();
        }
    }

    private void widened(LeftMatrix a, int m, int cols, int k, long b, long rowBytes, DType type, int stretch,
            VectorGemm.Target c) {
        VectorPanels panels = VectorPanels.packed(cols, k, packed.floats(VectorPanels.packedSize(cols, k)));
        for (int p = 0; p < panels.count(); p++) {
            VectorPanels.packWidened(type, cols, k, b, rowBytes, p, squares.floats(VectorPanels.WIDENED),
                    panels.panel(p));
        }
        gemm.block(a, m, panels, stretch, 0, panels.count(), c);
    }

    /** Whole stretches of k, as many as fit the cache; all of k where they would cut a block of the type. */
    private static int slice(int k, int stretch, DType type) {
        long stretches = Math.max(1,
                SLICE_BYTES / VectorTypedPanels.packedBytes(type, WIDTH, Math.ceilDiv(stretch, 32) * 32));
        long slice = stretch * stretches;
        return slice >= k || slice % type.block() != 0 ? Math.max(1, k) : (int) slice;
    }
}
