package org.spin4j.kernels.tornado;

import java.util.List;
import java.util.function.IntUnaryOperator;
import org.spin4j.kernels.Kernels.Product;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.enums.MMAShape;
import uk.ac.manchester.tornado.api.types.BFloat16;
import uk.ac.manchester.tornado.api.types.HalfFloat;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Matrix products on tensor cores: operands lie in F32, are rounded to 16 bits on their way into local memory, and their products are summed
 * in F32. A work-group of four warps computes a square tile of C, each warp a quarter of it, as 2 × 4 fragments of 16 × 8; a fragment's
 * step is 16 terms, and the shapes of fragments and of their tiles in local memory are those of {@code mma.m16n8k16} and {@code ldmatrix} (PTX ISA).
 *
 * <p>An element is Σ rounded(a)·rounded(b) with each product exact: two factors of at most 11 bits have one of 22. So its error beside the
 * same sum in exact arithmetic is that of summing k numbers in F32, at most about k·2⁻²³·Σ|a·b|, tensor cores being free to cut off where F32 would
 * round; beside the product of operands not rounded it is 2·u·Σ|a·b| more, with u = 2⁻¹¹ for F16 and 2⁻⁸ for BF16.
 *
 * <p>All sizes take this one kernel, so a row does not depend on the others here either. Fragments are stored whole. Where C's sides are no
 * multiples of theirs, or something is to be added, they go to scratch memory, and a second kernel takes C from there.
 *
 * @param type    what operands are rounded to
 * @param scratch gives the index of so many numbers of scratch memory
 */
record TensorGemm(TensorCores type, IntUnaryOperator scratch) implements Products {
    /** Rows and columns of C that a work-group computes. */
    private static final int TILE = 64;
    /** Terms of the sums that lie in local memory at a time. */
    private static final int SLICE = 32;
    /** Work-items: four warps of 32. */
    private static final int ITEMS = 128;
    /** Rows of a fragment of A and C, and terms of one of A and B. */
    private static final int ROWS = 16;
    /** Columns of a fragment of B and C. */
    private static final int COLUMNS = 8;
    /** Pairs of numbers that a slice of an operand has. */
    private static final int PAIRS = TILE * SLICE / 2;
    /** Pairs in the first 16 terms of a slice, and bytes of these. */
    private static final int HALF = PAIRS / 2;
    private static final int HALF_BYTES = 4 * HALF;
    /** Bytes of a row of A's tile, of which a fragment has 16, and of a fragment of B. */
    private static final int A_ROW_BYTES = 2 * ROWS;
    private static final int B_BYTES = 2 * ROWS * COLUMNS;

    @Override
    public List<DeviceCall> matmul(Product product, int m, int n, int k, int a, int b, int bias, int addend, int c) {
        if (m == 0 || n == 0) {
            return List.of();
        }
        boolean aAlongK = product != Product.TN;
        boolean bAlongK = product == Product.NT;
        int rows = whole(m, ROWS);
        int columns = whole(n, COLUMNS);
        boolean direct = rows == m && columns == n && bias == DeviceCall.NONE && addend == DeviceCall.NONE;
        int out = direct ? c : scratch.applyAsInt(Math.multiplyExact(rows, columns));
        int[] ints = {m, n, k, a, aAlongK ? k : 1, aAlongK ? 1 : m, b, bAlongK ? 1 : n, bAlongK ? k : 1, out, rows,
                columns};
        int groups = Math.multiplyExact((m + TILE - 1) / TILE, (n + TILE - 1) / TILE);
        List<DeviceCall> products = type == TensorCores.F16
                ? DeviceCall.groups("matmul in f16", TensorGemm::f16, groups, ITEMS, ints)
                : DeviceCall.groups("matmul in bf16", TensorGemm::bf16, groups, ITEMS, ints);
        return direct
                ? products
                : DeviceCall.sequence(products, DeviceCall.flat("rest of matmul", TensorGemm::rest,
                        Math.multiplyExact(m, n), new int[]{m * n, n, columns, out, bias, addend, c}));
    }

    private static int whole(int size, int fragment) {
        return Math.multiplyExact((size + fragment - 1) / fragment, fragment);
    }

    /** A tile, operands in F16. */
    static void f16(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        int[] as = context.allocateIntLocalArray(PAIRS);
        int[] bs = context.allocateIntLocalArray(PAIRS);
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
        int c = ints.get(args + 9);
        int rows = ints.get(args + 10);
        int columns = ints.get(args + 11);
        int across = (n + TILE - 1) / TILE;
        int firstRow = context.groupIdx / across * TILE;
        int firstColumn = context.groupIdx % across * TILE;
        int item = context.localIdx;
        int warpRow = item / 64 * 32;
        int warpColumn = item / 32 % 2 * 32;
        float[] c00 = context.mmaFragment(0.0f);
        float[] c01 = context.mmaFragment(0.0f);
        float[] c02 = context.mmaFragment(0.0f);
        float[] c03 = context.mmaFragment(0.0f);
        float[] c10 = context.mmaFragment(0.0f);
        float[] c11 = context.mmaFragment(0.0f);
        float[] c12 = context.mmaFragment(0.0f);
        float[] c13 = context.mmaFragment(0.0f);
        for (int term = 0; term < k; term += SLICE) {
            for (int q = 0; q < PAIRS / ITEMS; q++) {
                int e = item + q * ITEMS;
                int row = firstRow + row(e);
                int first = term + 2 * terms(e);
                int both = f16Pair(mem.get(index(a, row, m, aRow, first, k, aTerm)),
                        mem.get(index(a, row, m, aRow, first + 1, k, aTerm)));
                as[aPlace(e)] = first + 1 < k ? both : first < k ? both & 0xFFFF : 0;
                int column = firstColumn + 2 * columns(e);
                int own = term + term(e);
                both = f16Pair(mem.get(index(b, column, n, bColumn, own, k, bTerm)),
                        mem.get(index(b, column + 1, n, bColumn, own, k, bTerm)));
                bs[bPlace(e)] = own < k ? both : 0;
            }
            context.localBarrier();
            for (int half = 0; half < 2; half++) {
                int aAt = half * HALF_BYTES + warpRow * A_ROW_BYTES;
                int bAt = half * HALF_BYTES + warpColumn / COLUMNS * B_BYTES;
                HalfFloat[] a0 = context.mmaLoadA(as, ROWS, aAt);
                HalfFloat[] a1 = context.mmaLoadA(as, ROWS, aAt + ROWS * A_ROW_BYTES);
                HalfFloat[] b0 = context.mmaLoadB(bs, ROWS, bAt);
                HalfFloat[] b1 = context.mmaLoadB(bs, ROWS, bAt + B_BYTES);
                HalfFloat[] b2 = context.mmaLoadB(bs, ROWS, bAt + 2 * B_BYTES);
                HalfFloat[] b3 = context.mmaLoadB(bs, ROWS, bAt + 3 * B_BYTES);
                c00 = context.mma(a0, b0, c00, MMAShape.M16N8K16);
                c01 = context.mma(a0, b1, c01, MMAShape.M16N8K16);
                c02 = context.mma(a0, b2, c02, MMAShape.M16N8K16);
                c03 = context.mma(a0, b3, c03, MMAShape.M16N8K16);
                c10 = context.mma(a1, b0, c10, MMAShape.M16N8K16);
                c11 = context.mma(a1, b1, c11, MMAShape.M16N8K16);
                c12 = context.mma(a1, b2, c12, MMAShape.M16N8K16);
                c13 = context.mma(a1, b3, c13, MMAShape.M16N8K16);
            }
            context.localBarrier();
        }
        int top = firstRow + warpRow;
        int left = firstColumn + warpColumn;
        store(context, mem, c, rows, columns, top, left, c00);
        store(context, mem, c, rows, columns, top, left + COLUMNS, c01);
        store(context, mem, c, rows, columns, top, left + 2 * COLUMNS, c02);
        store(context, mem, c, rows, columns, top, left + 3 * COLUMNS, c03);
        store(context, mem, c, rows, columns, top + ROWS, left, c10);
        store(context, mem, c, rows, columns, top + ROWS, left + COLUMNS, c11);
        store(context, mem, c, rows, columns, top + ROWS, left + 2 * COLUMNS, c12);
        store(context, mem, c, rows, columns, top + ROWS, left + 3 * COLUMNS, c13);
    }

    /** A tile, operands in BF16: TornadoVM knows the type of a step by the method. */
    static void bf16(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        int[] as = context.allocateIntLocalArray(PAIRS);
        int[] bs = context.allocateIntLocalArray(PAIRS);
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
        int c = ints.get(args + 9);
        int rows = ints.get(args + 10);
        int columns = ints.get(args + 11);
        int across = (n + TILE - 1) / TILE;
        int firstRow = context.groupIdx / across * TILE;
        int firstColumn = context.groupIdx % across * TILE;
        int item = context.localIdx;
        int warpRow = item / 64 * 32;
        int warpColumn = item / 32 % 2 * 32;
        float[] c00 = context.mmaFragment(0.0f);
        float[] c01 = context.mmaFragment(0.0f);
        float[] c02 = context.mmaFragment(0.0f);
        float[] c03 = context.mmaFragment(0.0f);
        float[] c10 = context.mmaFragment(0.0f);
        float[] c11 = context.mmaFragment(0.0f);
        float[] c12 = context.mmaFragment(0.0f);
        float[] c13 = context.mmaFragment(0.0f);
        for (int term = 0; term < k; term += SLICE) {
            for (int q = 0; q < PAIRS / ITEMS; q++) {
                int e = item + q * ITEMS;
                int row = firstRow + row(e);
                int first = term + 2 * terms(e);
                int both = bf16Pair(mem.get(index(a, row, m, aRow, first, k, aTerm)),
                        mem.get(index(a, row, m, aRow, first + 1, k, aTerm)));
                as[aPlace(e)] = first + 1 < k ? both : first < k ? both & 0xFFFF : 0;
                int column = firstColumn + 2 * columns(e);
                int own = term + term(e);
                both = bf16Pair(mem.get(index(b, column, n, bColumn, own, k, bTerm)),
                        mem.get(index(b, column + 1, n, bColumn, own, k, bTerm)));
                bs[bPlace(e)] = own < k ? both : 0;
            }
            context.localBarrier();
            for (int half = 0; half < 2; half++) {
                int aAt = half * HALF_BYTES + warpRow * A_ROW_BYTES;
                int bAt = half * HALF_BYTES + warpColumn / COLUMNS * B_BYTES;
                HalfFloat[] a0 = context.mmaLoadA(as, ROWS, aAt);
                HalfFloat[] a1 = context.mmaLoadA(as, ROWS, aAt + ROWS * A_ROW_BYTES);
                HalfFloat[] b0 = context.mmaLoadB(bs, ROWS, bAt);
                HalfFloat[] b1 = context.mmaLoadB(bs, ROWS, bAt + B_BYTES);
                HalfFloat[] b2 = context.mmaLoadB(bs, ROWS, bAt + 2 * B_BYTES);
                HalfFloat[] b3 = context.mmaLoadB(bs, ROWS, bAt + 3 * B_BYTES);
                c00 = context.mmaBF16(a0, b0, c00, MMAShape.M16N8K16);
                c01 = context.mmaBF16(a0, b1, c01, MMAShape.M16N8K16);
                c02 = context.mmaBF16(a0, b2, c02, MMAShape.M16N8K16);
                c03 = context.mmaBF16(a0, b3, c03, MMAShape.M16N8K16);
                c10 = context.mmaBF16(a1, b0, c10, MMAShape.M16N8K16);
                c11 = context.mmaBF16(a1, b1, c11, MMAShape.M16N8K16);
                c12 = context.mmaBF16(a1, b2, c12, MMAShape.M16N8K16);
                c13 = context.mmaBF16(a1, b3, c13, MMAShape.M16N8K16);
            }
            context.localBarrier();
        }
        int top = firstRow + warpRow;
        int left = firstColumn + warpColumn;
        store(context, mem, c, rows, columns, top, left, c00);
        store(context, mem, c, rows, columns, top, left + COLUMNS, c01);
        store(context, mem, c, rows, columns, top, left + 2 * COLUMNS, c02);
        store(context, mem, c, rows, columns, top, left + 3 * COLUMNS, c03);
        store(context, mem, c, rows, columns, top + ROWS, left, c10);
        store(context, mem, c, rows, columns, top + ROWS, left + COLUMNS, c11);
        store(context, mem, c, rows, columns, top + ROWS, left + 2 * COLUMNS, c12);
        store(context, mem, c, rows, columns, top + ROWS, left + 3 * COLUMNS, c13);
    }

    // Neighbouring items take 8 lines of 8 terms: whole sectors of memory, whichever of the two lies together, and banks that differ.

    /** Row of A's tile that pair {@code e} of a slice belongs to. */
    private static int row(int e) {
        return (e & 7) + (e >> 5 & 7) * 8;
    }

    /** Which two terms it has, counted in twos. */
    private static int terms(int e) {
        return (e >> 3 & 3) + (e >> 8) * 4;
    }

    /** Where it goes: [half of the terms][row][two terms]. */
    private static int aPlace(int e) {
        return (terms(e) >> 3) * HALF + row(e) * 8 + (terms(e) & 7);
    }

    /** Which two columns pair {@code e} of a slice of B has, counted in twos. */
    private static int columns(int e) {
        return (e & 3) + (e >> 5 & 7) * 4;
    }

    /** Its term. */
    private static int term(int e) {
        return (e >> 2 & 7) + (e >> 8) * 8;
    }

    /** Where it goes: [half of the terms][fragment][term][two columns]. */
    private static int bPlace(int e) {
        return (term(e) >> 4) * HALF + (columns(e) >> 2) * (B_BYTES / 4) + (term(e) & 15) * 4 + (columns(e) & 3);
    }

    /** Where a number of an operand is. Lines behind the last one stand for it and are not kept, terms behind the last one are to count as 0. */
    private static int index(int from, int line, int lines, int lineStep, int term, int terms, int termStep) {
        return from + Math.min(line, lines - 1) * lineStep + Math.min(term, terms - 1) * termStep;
    }

    /** Two numbers as they lie in local memory. The compiler finds the rounding to F16 only where a number comes straight from memory. */
    private static int f16Pair(float low, float high) {
        int l = new HalfFloat(low).getHalfFloatValue() & 0xFFFF;
        int h = new HalfFloat(high).getHalfFloatValue() & 0xFFFF;
        return l | h << 16;
    }

    private static int bf16Pair(float low, float high) {
        return bits(BFloat16.bf16FromFloat(low)) | bits(BFloat16.bf16FromFloat(high)) << 16;
    }

    /** As an int, by way of a float: TornadoVM computes with a short in 16 bits, where the upper one of a pair would be lost. */
    private static int bits(short x) {
        return (int) (x + 32768.0f) ^ 0x8000;
    }

    private static void store(KernelContext context, FloatArray mem, int c, int rows, int columns, int row, int column,
            float[] fragment) {
        if (row < rows && column < columns) {
            context.mmaStore(fragment, mem, row, c + column, columns);
        }
    }

    /** c = what the tiles have left + bias + addend. */
    static void rest(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        int args = ints.get(i);
        int e = context.globalIdx;
        if (e < ints.get(args)) {
            int n = ints.get(args + 1);
            float x = mem.get(ints.get(args + 3) + e / n * ints.get(args + 2) + e % n);
            if (ints.get(args + 4) >= 0) {
                x += mem.get(ints.get(args + 4) + e % n);
            }
            if (ints.get(args + 5) >= 0) {
                x += mem.get(ints.get(args + 5) + e);
            }
            mem.set(ints.get(args + 6) + e, x);
        }
    }
}
