package org.spin4j.kernels;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.util.concurrent.atomic.AtomicBoolean;
import jdk.incubator.vector.FloatVector;
import org.spin4j.kernels.Kernels.PackedMatrix;
import org.spin4j.kernels.Kernels.Product;

/**
 * Matrix products with the Vector API. C is cut into blocks of rows × panels of columns, shared out among the threads;
 * within a block {@link VectorTile} computes tile after tile. Each element of C is a chain of fused multiply-adds over the
 * first stretch of k ({@link #stretch}), + bias, + addend, + the chains over the further stretches in their order: the same
 * bits for any cut into blocks, any number of threads, packed or not.
 *
 * <p>B is packed into panels by all threads first, unless it lies right already and meets few rows. A is read where it
 * lies, row by row; for TN its columns are copied together.
 */
final class VectorGemm {
    /** Bytes of A that a block may use at a time: a fraction of a 1 MiB second-level cache, which B and C pass through. */
    private static final long BLOCK_BYTES = 288 << 10;
    /** Terms of each sum that a block goes through at a time, so that it comes back to cold parts of C as seldom as can be. */
    private static final int SLICE = 768;
    /** Floats of B that are packed at a time: 8 MiB, of the order of a core's share of the third-level cache. */
    private static final long PACKED_FLOATS = 2 << 20;
    /** For fewer rows than this a matrix B that lies as [k, n] is not worth packing. */
    private static final int IN_PLACE_ROWS = 128;
    /** The least height of a block: enough rows to use each panel of B often. */
    private static final int FEW_ROWS = 32;
    /** For blocks of this many rows, a typed matrix is widened panel by panel instead of in registers. */
    private static final int MANY_ROWS = 65;
    /** Fewer rows than this wait for the memory of B as long as this many. */
    private static final int MEMORY_ROWS = 4;
    /** Multiply-adds worth a task of their own: about 20 µs. Smaller ones lose more to cold caches than a thread gains. */
    private static final long TASK_WORK = 1_000_000;
    /** Floats that one task packs at least. */
    private static final int PACK_WORK = 16_384;
    /** Rows of a tile, where there are that many. */
    private static final int ROWS = 6;
    private static final long SCRATCH_ROW = VectorPanels.WIDTH * 4L;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private final Parallel parallel;
    private final Scratch packedB = new Scratch();
    private final Scratch packedA = new Scratch();
    private final Scratch widened = new Scratch();
    private final Scratch tile = new Scratch();
    private final VectorInPlaceGemm inPlace;

    VectorGemm(Parallel parallel) {
        this.parallel = parallel;
        inPlace = new VectorInPlaceGemm(parallel, this);
    }

    /** See {@link Kernels#matmul}. */
    void matmul(Product product, int m, int n, int k, Storage a, Storage b, Storage bias, Storage addend, Storage c) {
        requireShape(m, n, k);
        try {
            LeftMatrix left = LeftMatrix.of(product, Memory.f32(a, (long) m * k, "a"),
                    (product == Product.TN ? m : k) * 4L);
            matmul(product, left, m, n, k, right(product, n, k, b), b.type(), optional(bias, n, "bias"),
                    optional(addend, (long) m * n, "addend"), Memory.f32(c, (long) m * n, "c"));
        } finally {
            keepAlive(a, b, bias, addend, c);
        }
    }

    /**
     * The product on addresses, without bias.
     *
     * @param aRowBytes from one stored row of A to the next
     * @param addend    address of the addend, or 0
     */
    void matmul(Product product, int m, int n, int k, long a, long aRowBytes, long b, long addend, long c) {
        matmul(product, LeftMatrix.of(product, a, aRowBytes), m, n, k, b, DType.F32, 0, addend, c);
    }

    private void matmul(Product product, LeftMatrix a, int m, int n, int k, long b, DType type, long bias, long addend,
            long c) {
        if (m == 0 || n == 0) {
            return;
        }
        if (product != Product.NT && m < IN_PLACE_ROWS) {
            long tail = 0;
            if (!VectorPanels.wholeHalves(n)) {
                tail = packedB.floats((long) k * VectorPanels.WIDTH);
                int j = n / VectorPanels.WIDTH * VectorPanels.WIDTH;
                VectorPanels.packed(n - j, k, tail).packRows(b + j * 4L, n * 4L, 0, k);
            }
            multiply(a, m, VectorPanels.inPlace(n, k, b, tail), stretch(k), new Target(c, n * 4L, bias, addend));
            return;
        }
        if (type != DType.F32 && m < MANY_ROWS) {
            inPlace.multiply(a, m, n, k, b, type, new Target(c, n * 4L, bias, addend));
            return;
        }
        boolean transposed = product == Product.NT;
        long rowBytes = type.bytes(transposed ? k : n);
        int stretch = stretch(k);
        // Numbers of a typed matrix come in blocks along k, which no slice may cut.
        int slice = type == DType.F32 ? slice(k) : Math.max(1, k);
        Target target = new Target(c, n * 4L, bias, addend);
        for (int q = 0; q == 0 || q < k; q += slice) {
            int steps = Math.min(slice, k - q);
            int most = Math.clamp(PACKED_FLOATS / Math.max(steps, 1) / VectorPanels.WIDTH, 1, VectorPanels.count(n))
                    * VectorPanels.WIDTH;
            for (int j = 0; j < n; j += most) {
                int cols = Math.min(most, n - j);
                long from = b + (transposed ? j * rowBytes + q * 4L : q * rowBytes + j * 4L);
                VectorPanels panels = packAll(transposed, cols, steps, type, from, rowBytes,
                        packedB.floats(VectorPanels.packedSize(cols, steps)));
                multiply(a.from(q), m, panels, stretch, target.column(j));
            }
            target = target.accumulated();
        }
    }

    /** See {@link Kernels#pack}: {@code product} is NT for a weight stored [n, k], else the weight is stored [k, n]. */
    PackedMatrix pack(Product product, int n, int k, Storage b) {
        requireShape(0, n, k);
        if (product == Product.TN) {
            throw new IllegalArgumentException("expected product NN or NT for a packed right-hand side, found TN");
        }
        long address = right(product, n, k, b);
        try {
            Packed typed = b.type() == DType.F32 ? null : packTyped(n, k, address, b.type());
            if (typed != null) {
                return typed;
            }
            MemorySegment memory = zeroed(VectorPanels.packedSize(n, k) * 4);
            boolean transposed = product == Product.NT;
            return new Packed(packAll(transposed, n, k, b.type(), address, b.type().bytes(transposed ? k : n),
                    memory.address()), memory);
        } finally {
            Reference.reachabilityFence(b);
        }
    }

    /** Packs a weight [n, k] in its own type; null where a number is not finite, which only F32 panels can hold. */
    private Packed packTyped(int n, int k, long b, DType type) {
        MemorySegment memory = zeroed(VectorTypedPanels.packedBytes(type, n, k));
        VectorTypedPanels panels = new VectorTypedPanels(type, n, k, memory.address());
        AtomicBoolean finite = new AtomicBoolean(true);
        inParallel(panels.count(), k * VectorTypedPanels.WIDTH, (from, end) -> {
            for (int p = from; p < end; p++) {
                if (!panels.pack(b, type.bytes(k), p, widened.floats(VectorTypedPanels.SCRATCH))) {
                    finite.set(false);
                }
            }
        });
        return finite.get() ? new Packed(panels, memory) : null;
    }

    private static MemorySegment zeroed(long bytes) {
        return Arena.ofAuto().allocate(Math.max(1, bytes), 64);
    }

    private static long right(Product product, int n, int k, Storage b) {
        return product == Product.NT ? Memory.weight(b, (long) n * k, k, "b") : Memory.f32(b, (long) n * k, "b");
    }

    /** See {@link Kernels#matmulPacked}. */
    void matmulPacked(int m, Storage a, PackedMatrix b, Storage bias, Storage addend, Storage c) {
        if (!(b instanceof Packed packed)) {
            throw new IllegalArgumentException("expected a matrix packed by the vector backend, found " + b
                    + "; pack it with the kernels that multiply it");
        }
        int n = packed.n();
        int k = packed.k();
        requireShape(m, n, k);
        try {
            LeftMatrix left = LeftMatrix.of(Product.NT, Memory.f32(a, (long) m * k, "a"), k * 4L);
            multiply(left, m, packed.panels, stretch(k), new Target(Memory.f32(c, (long) m * n, "c"), n * 4L,
                    optional(bias, n, "bias"), optional(addend, (long) m * n, "addend")));
        } finally {
            keepAlive(a, packed, bias, addend, c);
        }
    }

    /**
     * Packs {@code n} columns of a matrix as F32, in parallel.
     *
     * @param type     F32, or, where the matrix is stored as [n, k], any that {@link Memory#weight} admits
     * @param b        address of the first of them
     * @param rowBytes from one stored row to the next
     * @param to       address of {@link VectorPanels#packedSize} floats
     */
    VectorPanels packAll(boolean transposed, int n, int k, DType type, long b, long rowBytes, long to) {
        VectorPanels panels = VectorPanels.packed(n, k, to);
        if (!transposed) {
            inParallel(k, n, (from, end) -> panels.packRows(b, rowBytes, from, end));
        } else {
            inParallel(panels.count(), k * VectorPanels.WIDTH, (from, end) -> {
                for (int p = from; p < end; p++) {
                    if (type == DType.F32) {
                        panels.packTransposed(b, rowBytes, p);
                    } else {
                        VectorPanels.packWidened(type, n, k, b, rowBytes, p, widened.floats(VectorPanels.WIDENED),
                                panels.panel(p));
                    }
                }
            });
        }
        return panels;
    }

    /** Some of the rows or panels of a matrix: {@code from} inclusive, {@code to} exclusive. */
    private interface Part {
        void pack(int from, int to);
    }

    /** Runs {@code part} for {@code count} rows or panels of so many numbers each, in parallel. */
    private void inParallel(int count, int numbers, Part part) {
        int perTask = Math.max(1, PACK_WORK / Math.max(1, numbers));
        parallel.forEach(Math.ceilDiv(count, perTask),
                t -> part.pack(t * perTask, Math.min(count, (t + 1) * perTask)));
    }

    /** The blocks of C, in parallel. */
    private void multiply(LeftMatrix a, int m, Right b, int stretch, Target c) {
        if (m == 0 || b.n() == 0) {
            return;
        }
        int k = b.k();
        int panels = b.count();
        long work = (long) Math.max(m, MEMORY_ROWS) * b.n() * Math.max(k, 1);
        int wanted = (int) Math.min(parallel.threads() == 1 ? 1 : 8L * parallel.threads(), 1 + work / TASK_WORK);
        int cacheRows = (int) Math.max(ROWS, BLOCK_BYTES / (4L * slice(k, stretch)));
        // Rows are cut first: a block of 32 rows or more uses each panel of B often enough.
        int rows = roundUp(Math.min(cacheRows, Math.max(FEW_ROWS, Math.ceilDiv(m, wanted))));
        int rowBlocks = Math.ceilDiv(m, rows);
        int groups = Math.clamp(Math.ceilDiv(wanted, rowBlocks), 1, panels);
        parallel.forEach(rowBlocks * groups, t -> {
            int i = t / groups * rows;
            block(a.rowsFrom(i), Math.min(rows, m - i), b, stretch, firstPanel(panels, t % groups, groups),
                    firstPanel(panels, t % groups + 1, groups), c.row(i));
        });
    }

    private static int firstPanel(int panels, int group, int groups) {
        return (int) ((long) panels * group / groups);
    }

    private void block(LeftMatrix a, int rows, Right b, int stretch, int from, int to, Target c) {
        switch (b) {
            case VectorPanels panels -> block(a, rows, panels, stretch, from, to, c);
            case VectorTypedPanels panels when rows < MANY_ROWS ->
                VectorTypedGemm.multiply(a.address(), a.rowBytes(), rows, panels, stretch, from, to, c,
                        tile.floats(VectorTypedGemm.SCRATCH));
            case VectorTypedPanels panels -> widenedBlock(a, rows, panels, from, to, c);
        }
    }

    /** Many rows repay widening each panel of a typed matrix to F32 first. */
    private void widenedBlock(LeftMatrix a, int rows, VectorTypedPanels b, int from, int to, Target c) {
        int k = b.k();
        long scratch = widened.floats((long) k * VectorTypedPanels.WIDTH);
        for (int p = from; p < to; p++) {
            int j = p * VectorTypedPanels.WIDTH;
            int cols = Math.min(VectorTypedPanels.WIDTH, b.n() - j);
            VectorPanels panels = VectorPanels.packed(cols, k, scratch);
            for (int first = 0; first < cols; first += VectorTypedPanels.PAIR) {
                int panel = first / VectorPanels.WIDTH;
                b.widen(p, first / VectorTypedPanels.PAIR, panels.panel(panel) + first % VectorPanels.WIDTH * 4L,
                        panels.row(panel));
            }
            block(a, rows, panels, stretch(k), 0, panels.count(), c.column(j));
        }
    }

    /**
     * Plain rows times some columns of a packed matrix, on the calling thread.
     *
     * @param a         address of the first row
     * @param aRowBytes from one row to the next
     * @param from      first column, a multiple of {@link VectorPanels#WIDTH}
     * @param to        column after the last, another multiple or the end
     * @param c         address of the first row of C at column 0 of the matrix, reached or not
     */
    void multiplyRows(long a, long aRowBytes, int rows, VectorPanels b, int from, int to, long c, long cRowBytes) {
        block(LeftMatrix.of(Product.NN, a, aRowBytes), rows, b, stretch(b.k()), from / VectorPanels.WIDTH,
                VectorPanels.count(to), new Target(c, cRowBytes, 0, 0));
    }

    /**
     * One block of C on the calling thread, one slice of k after the other: the rows of A stay in the second-level cache
     * while the panels of B pass by.
     *
     * @param from first panel
     * @param to   panel after the last
     */
    void block(LeftMatrix a, int rows, VectorPanels b, int stretch, int from, int to, Target c) {
        int k = b.k();
        int slice = slice(k, stretch);
        long scratch = tile.floats((long) ROWS * VectorPanels.WIDTH);
        boolean gather = a.columns() && to - from > 1;
        long gathered = gather ? packedA.floats(LeftMatrix.gatheredSize(rows, slice)) : 0;
        Target target = c;
        for (int q = 0; q == 0 || q < k; q += slice) {
            int steps = Math.min(slice, k - q);
            LeftMatrix part = gather ? a.from(q).gathered(rows, steps, gathered) : a.from(q);
            for (int p = from; p < to; p++) {
                panel(part, rows, steps, stretch, b, p, q, target, scratch);
            }
            target = c.accumulated();
        }
    }

    /** The tiles of one panel over one slice of k. */
    private static void panel(LeftMatrix a, int rows, int steps, int stretch, VectorPanels b, int p, int q, Target c,
            long scratch) {
        int j = p * VectorPanels.WIDTH;
        int cols = Math.min(VectorPanels.WIDTH, b.n() - j);
        int width = VectorPanels.width(b.n(), p);
        long step = b.row(p);
        long panel = b.panel(p) + q * step;
        boolean whole = cols == width;
        for (int i = 0, r; i < rows; i += r) {
            r = tileRows(rows - i, a.columns());
            long x = a.row(i);
            long to = c.address + i * c.rowBytes + j * 4L;
            // A tile writes all of its rows and vectors.
            boolean direct = whole && c.bias == 0 && c.addend == 0 && (r == ROWS || r == 4 || r == 1);
            if (direct) {
                tile(x, a, r, panel, step, Math.min(stretch, steps), width, to, c.rowBytes);
            } else {
                tile(x, a, r, panel, step, Math.min(stretch, steps), width, scratch, SCRATCH_ROW);
                finish(r, cols, width, scratch, c.bias == 0 ? 0 : c.bias + j * 4L,
                        c.addend == 0 ? 0 : c.addend + i * c.rowBytes + j * 4L, to, c.rowBytes);
            }
            for (int s = stretch; s < steps; s += stretch) {
                tile(x + s * a.stepBytes(), a, r, panel + s * step, step, Math.min(stretch, steps - s), width, scratch,
                        SCRATCH_ROW);
                finish(r, cols, width, scratch, 0, to, to, c.rowBytes);
            }
        }
    }

    /** What a tile found, with bias and addend (addresses, or 0), to where it belongs. */
    private static void finish(int rows, int cols, int width, long scratch, long bias, long addend, long to,
            long rowBytes) {
        if (cols == width && bias == 0 && addend == to) {
            VectorTile.add(rows, width, scratch, SCRATCH_ROW, to, rowBytes);
        } else {
            finish(rows, cols, scratch, bias, addend, to, rowBytes);
        }
    }

    /** Rows of the next tile where so many are left: the fewest tiles, and those as little larger as can be. */
    private static int tileRows(int left, boolean inStrips) {
        return !inStrips && (left == 7 || left == 8) ? 4 : Math.min(ROWS, left);
    }

    private static void tile(long x, LeftMatrix a, int rows, long b, long bStepBytes, int steps, int width, long c,
            long cRowBytes) {
        boolean wide = width == 2 * VectorPanels.HALF;
        long rowBytes = a.rowBytes();
        long stepBytes = a.stepBytes();
        if (rows == 1 && wide) {
            VectorTile.row1Vectors4(x, stepBytes, b, bStepBytes, steps, c);
        } else if (rows == 1) {
            VectorTile.row1Vectors2(x, stepBytes, b, bStepBytes, steps, c);
        } else if (rows <= 4 && wide) {
            VectorTile.rows4Vectors4(x, rowBytes, stepBytes, rows, b, bStepBytes, steps, c, cRowBytes);
        } else if (rows <= 4) {
            VectorTile.rows4Vectors2(x, rowBytes, stepBytes, rows, b, bStepBytes, steps, c, cRowBytes);
        } else if (wide) {
            VectorTile.rows6Vectors4(x, rowBytes, stepBytes, rows, b, bStepBytes, steps, c, cRowBytes);
        } else {
            VectorTile.rows6Vectors2(x, rowBytes, stepBytes, rows, b, bStepBytes, steps, c, cRowBytes);
        }
    }

    /**
     * How long one chain over k may be. A float sum of k terms is off by about the square root of its longest chain; sums of
     * short chains cost one more addition per chain and came ten times nearer to the true gradients of a small model.
     */
    static int stretch(int k) {
        return k <= 32 ? Math.max(1, k) : Math.ceilDiv(k, Math.max(2, Math.ceilDiv(k, 256)));
    }

    /** Terms of each sum that a block goes through before it turns to the next: whole stretches, as many as {@link #SLICE} holds. */
    private static int slice(int k, int stretch) {
        return Math.min(Math.max(1, k), Math.max(1, SLICE / stretch) * stretch);
    }

    private static int slice(int k) {
        return slice(k, stretch(k));
    }

    /** Moves the valid part of a tile from scratch to C, adding bias and addend in that order. */
    static void finish(int rows, int cols, long scratch, long bias, long addend, long c, long rowBytes) {
        for (int i = 0; i < rows; i++) {
            int j = 0;
            for (; j + VectorTile.LANES <= cols; j += VectorTile.LANES) {
                var v = VectorTile.load(scratch + j * 4L);
                if (bias != 0) {
                    v = v.add(VectorTile.load(bias + j * 4L));
                }
                if (addend != 0) {
                    v = v.add(VectorTile.load(addend + j * 4L));
                }
                VectorTile.store(v, c + j * 4L);
            }
            for (; j < cols; j++) {
                float v = Memory.ALL.get(FLOAT, scratch + j * 4L);
                if (bias != 0) {
                    v += Memory.ALL.get(FLOAT, bias + j * 4L);
                }
                if (addend != 0) {
                    v += Memory.ALL.get(FLOAT, addend + j * 4L);
                }
                Memory.ALL.set(FLOAT, c + j * 4L, v);
            }
            scratch += VectorPanels.WIDTH * 4L;
            c += rowBytes;
            addend = addend == 0 ? 0 : addend + rowBytes;
        }
    }

    private static int roundUp(int rows) {
        return Math.ceilDiv(rows, ROWS) * ROWS;
    }

    private static long optional(Storage s, long count, String operand) {
        return s == null ? 0 : Memory.f32(s, count, operand);
    }

    private static void requireShape(int m, int n, int k) {
        if (m < 0 || n < 0 || k < 0) {
            throw new IllegalArgumentException("expected sizes of at least 0, found m=" + m + ", n=" + n + ", k=" + k);
        }
    }

    /** Memory under a garbage collector's arena must not be freed while only its address is in use. */
    @SuppressWarnings("ReachabilityFenceUsage") // callers call this in their finally blocks
    private static void keepAlive(Object a, Object b, Object bias, Object addend, Object c) {
        Reference.reachabilityFence(a);
        Reference.reachabilityFence(b);
        Reference.reachabilityFence(bias);
        Reference.reachabilityFence(addend);
        Reference.reachabilityFence(c);
    }

    /**
     * Where the product goes and what is added to it; addresses of whole rows, from column 0 on.
     *
     * @param address  of C
     * @param rowBytes from one row of C, and of the addend, to the next
     * @param bias     of one number per column, or 0
     * @param addend   of a matrix like C, or 0
     */
    record Target(long address, long rowBytes, long bias, long addend) {
        Target row(int i) {
            long skipped = i * rowBytes;
            return new Target(address + skipped, rowBytes, bias, addend == 0 ? 0 : addend + skipped);
        }

        /** What the first part of each sum left is what the next is added to. */
        Target accumulated() {
            return new Target(address, rowBytes, 0, address);
        }

        Target column(int j) {
            long skipped = j * 4L;
            return new Target(address + skipped, rowBytes, bias == 0 ? 0 : bias + skipped,
                    addend == 0 ? 0 : addend + skipped);
        }
    }

    /** Keeps the memory of its panels alive. */
    private record Packed(Right panels, MemorySegment memory) implements PackedMatrix {
        @Override
        public int n() {
            return panels.n();
        }

        @Override
        public int k() {
            return panels.k();
        }

        @Override
        public long bytes() {
            return memory.byteSize();
        }
    }

    /** A right-hand matrix in panels. */
    sealed interface Right permits VectorPanels, VectorTypedPanels {
        /** Columns of the product. */
        int n();

        /** Length of each sum. */
        int k();

        /** Number of panels. */
        int count();
    }
}
