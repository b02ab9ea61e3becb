package org.spin4j.kernels;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import org.spin4j.kernels.Kernels.PackedMatrix;
import org.spin4j.kernels.Kernels.Product;

/**
 * Matrix products with the Vector API. C is cut into blocks of rows × panels of columns, shared out among the threads;
 * within a block {@link VectorTile} computes tile after tile. Each element of C is the sum of a few chains of fused
 * multiply-adds over stretches of k ({@link #stretch}), then + bias, then + addend: the same bits for any cut into blocks,
 * any number of threads, packed or not.
 *
 * <p>B is packed into panels by all threads first, unless it is small and lies right already. A is read where it lies: its
 * rows one by one, or, for TN, its columns, which are copied together where the matrix is too large for the second-level
 * cache.
 */
final class VectorGemm {
    /** Bytes of A that a block of rows may take: the part of a 1 MiB second-level cache that a panel of B leaves free. */
    private static final long BLOCK_BYTES = 384 << 10;
    /** Bytes up to which a matrix is read as it lies although its rows are far apart. */
    private static final long IN_PLACE_BYTES = 384 << 10;
    /** Products of fewer rows than this do not repay packing B. */
    private static final int FEW_ROWS = 32;
    /** Multiply-adds worth a task of their own: about 4 µs. */
    private static final long TASK_WORK = 200_000;
    /** Floats that one task packs at least. */
    private static final int PACK_WORK = 16_384;
    private static final int ROWS = 4;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private final Parallel parallel;
    private final Scratch packedB = new Scratch();
    private final Scratch packedA = new Scratch();
    private final Scratch tile = new Scratch();

    VectorGemm(Parallel parallel) {
        this.parallel = parallel;
    }

    /** See {@link Kernels#matmul}. */
    void matmul(Product product, int m, int n, int k, Storage a, Storage b, Storage bias, Storage addend, Storage c) {
        requireShape(m, n, k);
        try {
            Left left = left(product, Memory.f32(a, (long) m * k, "a"), (product == Product.TN ? m : k) * 4L, m);
            matmul(product, left, m, n, k, Memory.f32(b, (long) n * k, "b"), optional(bias, n, "bias"),
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
        matmul(product, left(product, a, aRowBytes, m), m, n, k, b, 0, addend, c);
    }

    private void matmul(Product product, Left a, int m, int n, int k, long b, long bias, long addend, long c) {
        if (m == 0 || n == 0) {
            return;
        }
        boolean inPlace = product != Product.NT && (m < FEW_ROWS || (long) n * k * 4 <= IN_PLACE_BYTES);
        VectorPanels panels;
        if (inPlace) {
            long tail = 0;
            if (!VectorPanels.wholeHalves(n)) {
                tail = packedB.floats((long) k * VectorPanels.WIDTH);
                VectorPanels.pack(false, n, k, b, n / VectorPanels.WIDTH, tail);
            }
            panels = VectorPanels.inPlace(n, k, b, tail);
        } else {
            panels = packAll(product == Product.NT, n, k, b, packedB.floats(VectorPanels.packedSize(n, k)));
        }
        multiply(a, m, panels, bias, addend, c);
    }

    /** See {@link Kernels#pack}: {@code product} is NT for a weight stored [n, k], else the weight is stored [k, n]. */
    PackedMatrix pack(Product product, int n, int k, Storage b) {
        requireShape(0, n, k);
        long address = Memory.f32(b, (long) n * k, "b");
        MemorySegment memory = Arena.ofAuto().allocate(Math.max(1, VectorPanels.packedSize(n, k)) * 4, 64);
        try {
            return new Packed(packAll(product == Product.NT, n, k, address, memory.address()), memory);
        } finally {
            Reference.reachabilityFence(b);
        }
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
            Left left = left(Product.NT, Memory.f32(a, (long) m * k, "a"), k * 4L, m);
            multiply(left, m, packed.panels, optional(bias, n, "bias"), optional(addend, (long) m * n, "addend"),
                    Memory.f32(c, (long) m * n, "c"));
        } finally {
            keepAlive(a, packed, bias, addend, c);
        }
    }

    /** Packs all panels of a matrix, in parallel. */
    VectorPanels packAll(boolean transposed, int n, int k, long b, long to) {
        VectorPanels panels = VectorPanels.packed(n, k, to);
        int count = VectorPanels.count(n);
        int perTask = Math.max(1, PACK_WORK / Math.max(1, k * VectorPanels.WIDTH));
        parallel.forEach(Math.ceilDiv(count, perTask), t -> {
            int end = Math.min(count, (t + 1) * perTask);
            for (int p = t * perTask; p < end; p++) {
                VectorPanels.pack(transposed, n, k, b, p, panels.panel(p));
            }
        });
        return panels;
    }

    /** The blocks of C, in parallel. */
    private void multiply(Left a, int m, VectorPanels b, long bias, long addend, long c) {
        if (m == 0 || b.n() == 0) {
            return;
        }
        int n = b.n();
        int k = b.k();
        int panels = VectorPanels.count(n);
        long work = (long) m * n * Math.max(k, 1);
        int wanted = (int) Math.min(parallel.threads() == 1 ? 1 : 8L * parallel.threads(), 1 + work / TASK_WORK);
        int cacheRows = (int) Math.max(4 * ROWS, BLOCK_BYTES / (4L * Math.max(k, 1)));
        // Rows are cut first: a block of 32 rows or more uses each panel of B often enough. Columns of a transposed A may
        // have to be copied together for each group of panels, so there smaller blocks are the lesser evil.
        int fewest = a.columns ? FEW_ROWS / 2 : FEW_ROWS;
        int rows = roundUp(Math.min(cacheRows, Math.max(fewest, Math.ceilDiv(m, wanted))));
        int rowBlocks = Math.ceilDiv(m, rows);
        int groups = Math.clamp(Math.ceilDiv(wanted, rowBlocks), 1, panels);
        parallel.forEach(rowBlocks * groups, t -> {
            int i = t / groups * rows;
            int group = t % groups;
            int from = (int) ((long) panels * group / groups);
            int to = (int) ((long) panels * (group + 1) / groups);
            block(a, i, Math.min(rows, m - i), b, from, to, bias, addend, c + (long) i * n * 4, n * 4L, i * (n * 4L));
        });
    }

    /**
     * One block of C on the calling thread.
     *
     * @param from      first panel
     * @param to        panel after the last
     * @param addend    address of the whole addend, or 0
     * @param c         address of the block's first row, column 0 of the matrix
     * @param cRowBytes from one row of C, and of the addend, to the next
     * @param skipped   bytes from the addend's start to the block's first row
     */
    private void block(Left a, int firstRow, int rows, VectorPanels b, int from, int to, long bias, long addend,
            long c, long cRowBytes, long skipped) {
        Left block = a.rowsFrom(firstRow);
        if (a.columns && to - from > 0 && (long) a.m * b.k() * 4 > IN_PLACE_BYTES) {
            block = block.gathered(rows, b.k(), packedA.floats((long) (rows + ROWS) * b.k()));
        }
        multiplyBlock(block, rows, b, from, to, bias, addend == 0 ? 0 : addend + skipped, c, cRowBytes);
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
        multiplyBlock(new Left(a, rows, false, aRowBytes, aRowBytes * ROWS, 4), rows, b, from / VectorPanels.WIDTH,
                VectorPanels.count(to), 0, 0, c, cRowBytes);
    }

    private void multiplyBlock(Left a, int rows, VectorPanels b, int from, int to, long bias, long addend, long c,
            long cRowBytes) {
        long rowBytes = a.rowBytes;
        long stepBytes = a.stepBytes;
        long scratch = tile.floats(2L * ROWS * VectorPanels.WIDTH);
        long part = scratch + 4L * ROWS * VectorPanels.WIDTH;
        int k = b.k();
        int stretch = stretch(k);
        for (int p = from; p < to; p++) {
            int j = p * VectorPanels.WIDTH;
            int cols = Math.min(VectorPanels.WIDTH, b.n() - j);
            int width = VectorPanels.width(b.n(), p);
            long panel = b.panel(p);
            long step = b.row(p);
            boolean plain = bias == 0 && addend == 0 && cols == width;
            for (int i = 0; i < rows; i += ROWS) {
                int r = Math.min(ROWS, rows - i);
                long x = a.address + i / ROWS * a.groupBytes;
                long target = c + i * cRowBytes + j * 4L;
                boolean direct = plain && (r == ROWS || r == 1);
                long out = direct ? target : scratch;
                long outRow = direct ? cRowBytes : VectorPanels.WIDTH * 4L;
                tile(x, rowBytes, stepBytes, r, panel, step, Math.min(stretch, k), width, out, outRow);
                for (int q = stretch; q < k; q += stretch) {
                    tile(x + q * stepBytes, rowBytes, stepBytes, r, panel + q * step, step, Math.min(stretch, k - q),
                            width,
                            part, VectorPanels.WIDTH * 4L);
                    VectorTile.add(r, width, part, VectorPanels.WIDTH * 4L, out, outRow);
                }
                if (!direct) {
                    finish(r, cols, scratch, bias == 0 ? 0 : bias + j * 4L,
                            addend == 0 ? 0 : addend + i * cRowBytes + j * 4L, target, cRowBytes);
                }
            }
        }
    }

    private static void tile(long a, long rowBytes, long stepBytes, int rows, long b, long bStepBytes, int steps,
            int width, long c, long cRowBytes) {
        boolean wide = width == 2 * VectorPanels.HALF;
        if (rows == 1 && wide) {
            VectorTile.row1Vectors4(a, stepBytes, b, bStepBytes, steps, c);
        } else if (rows == 1) {
            VectorTile.row1Vectors2(a, stepBytes, b, bStepBytes, steps, c);
        } else if (wide) {
            VectorTile.rows4Vectors4(a, rowBytes, stepBytes, rows, b, bStepBytes, steps, c, cRowBytes);
        } else {
            VectorTile.rows4Vectors2(a, rowBytes, stepBytes, rows, b, bStepBytes, steps, c, cRowBytes);
        }
    }

    /**
     * How long one chain over k may be. A float sum of k terms is off by about the square root of its longest chain; sums of
     * short chains cost one more addition per chain and came ten times nearer to the true gradients of a small model.
     */
    static int stretch(int k) {
        return k <= 32 ? Math.max(1, k) : Math.ceilDiv(k, Math.max(2, Math.ceilDiv(k, 256)));
    }

    /** Moves the valid part of a tile from scratch to C, adding bias and addend in that order. */
    private static void finish(int rows, int cols, long scratch, long bias, long addend, long c, long rowBytes) {
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

    private static Left left(Product product, long a, long storedRowBytes, int m) {
        return product == Product.TN
                ? new Left(a, m, true, 4, 4L * ROWS, storedRowBytes)
                : new Left(a, m, false, storedRowBytes, storedRowBytes * ROWS, 4);
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
     * The left-hand matrix: where it is and how far apart its numbers are, in bytes.
     *
     * @param columns whether it is stored as [k, m], so that a row of it is a column in memory
     */
    private record Left(long address, int m, boolean columns, long rowBytes, long groupBytes, long stepBytes) {
        Left rowsFrom(int i) {
            return new Left(address + i / ROWS * groupBytes, m, columns, rowBytes, groupBytes, stepBytes);
        }

        /** The first {@code rows} rows copied in groups of four: k by k, the four numbers side by side. */
        Left gathered(int rows, int k, long to) {
            long group = 4L * ROWS * k;
            int i = 0;
            // Four groups at a time: 16 numbers, a cache line.
            for (; i + 4 * ROWS <= rows; i += 4 * ROWS) {
                long in = address + i * 4L;
                long out = to + i / ROWS * group;
                for (int p = 0; p < k; p++) {
                    copyFour(in, out);
                    copyFour(in + 16, out + group);
                    copyFour(in + 32, out + 2 * group);
                    copyFour(in + 48, out + 3 * group);
                    in += stepBytes;
                    out += 4L * ROWS;
                }
            }
            for (; i < rows; i++) {
                long in = address + i * 4L;
                long out = to + i / ROWS * group + i % ROWS * 4L;
                for (int p = 0; p < k; p++) {
                    Memory.ALL.set(FLOAT, out, Memory.ALL.get(FLOAT, in));
                    in += stepBytes;
                    out += 4L * ROWS;
                }
            }
            return new Left(to, m, columns, 4, group, 4L * ROWS);
        }

        private static void copyFour(long from, long to) {
            FloatVector.fromMemorySegment(FloatVector.SPECIES_128, Memory.ALL, from, ORDER)
                    .intoMemorySegment(Memory.ALL, to, ORDER);
        }
    }

    /** Keeps the memory of its panels alive. */
    private record Packed(VectorPanels panels, MemorySegment memory) implements PackedMatrix {
        @Override
        public int n() {
            return panels.n();
        }

        @Override
        public int k() {
            return panels.k();
        }
    }
}
