package org.spin4j.kernels.tornado;

import java.util.List;
import java.util.function.IntUnaryOperator;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Sums over rows and over everything, in two stages and one fixed order: the cut into pieces depends on the shape alone, and nothing
 * is added atomically.
 */
final class DeviceSums {
    /** Rows that a work-item adds in the first stage of a column's sum. */
    private static final int ROWS = 64;
    /** Work-items of a group that sums squares, a power of two. */
    private static final int ITEMS = 256;
    /** Squares that a group adds: 64 for each item. */
    private static final int PIECE = 64 * ITEMS;

    private DeviceSums() {}

    /** See {@link org.spin4j.kernels.Kernels#columnSums}. */
    static List<DeviceCall> columnSums(int rows, int cols, int x, int out, IntUnaryOperator scratch) {
        return columnSums(rows, cols, 1, cols, x, DeviceCall.NONE, DeviceCall.NONE, DeviceCall.NONE, out, scratch);
    }

    /**
     * out[j] += Σ y[i,j] · z[i,j] over rows, with z = (x[i,j] - mean[i]) · inverse[i]: the gradient of a norm's weight.
     *
     * @param heads   rows of {@code cols} numbers that lie together in a row of y; x has no such gaps
     * @param stride  numbers from one row of y to the next
     * @param x       {@link DeviceCall#NONE} where z = 1
     * @param mean    {@link DeviceCall#NONE} for 0
     * @param scratch gives the index of so many numbers of scratch memory
     */
    static List<DeviceCall> columnSums(int rows, int cols, int heads, int stride, int y, int x, int mean, int inverse,
            int out, IntUnaryOperator scratch) {
        int pieces = (rows + ROWS - 1) / ROWS;
        if (pieces == 0) {
            return List.of();
        }
        int n = Math.multiplyExact(pieces, cols);
        int partial = scratch.applyAsInt(n);
        return DeviceCall.sequence(
                DeviceCall.flat("partial columnSums", DeviceSums::partialColumnSums, n,
                        new int[]{n, cols, rows, heads, stride, y, x, mean, inverse, partial}),
                DeviceCall.flat("columnSums", DeviceSums::addPartials, cols, new int[]{cols, pieces, partial, out}));
    }

    static void partialColumnSums(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i,
            int r) {
        int args = ints.get(i);
        int e = context.globalIdx;
        if (e < ints.get(args)) {
            int cols = ints.get(args + 1);
            int heads = ints.get(args + 3);
            int stride = ints.get(args + 4);
            int y = ints.get(args + 5) + e % cols;
            int x = ints.get(args + 6);
            int mean = ints.get(args + 7);
            int inverse = ints.get(args + 8);
            int first = e / cols * ROWS;
            int end = Math.min(first + ROWS, ints.get(args + 2));
            float sum = 0;
            for (int row = first; row < end; row++) {
                float term = mem.get(y + row / heads * stride + row % heads * cols);
                if (x >= 0) {
                    float z = mem.get(x + row * cols + e % cols);
                    if (mean >= 0) {
                        z -= mem.get(mean + row);
                    }
                    term *= z * mem.get(inverse + row);
                }
                sum += term;
            }
            mem.set(ints.get(args + 9) + e, sum);
        }
    }

    static void addPartials(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        int args = ints.get(i);
        int e = context.globalIdx;
        int cols = ints.get(args);
        if (e < cols) {
            int partial = ints.get(args + 2) + e;
            float sum = 0;
            for (int p = 0; p < ints.get(args + 1); p++) {
                sum += mem.get(partial + p * cols);
            }
            int out = ints.get(args + 3) + e;
            mem.set(out, mem.get(out) + sum);
        }
    }

    /**
     * See {@link org.spin4j.kernels.Kernels#sumOfSquares}.
     *
     * @param out where the sum goes
     */
    static List<DeviceCall> sumOfSquares(long n, int x, int out, IntUnaryOperator scratch) {
        int count = Math.toIntExact(n);
        int pieces = (count + PIECE - 1) / PIECE;
        if (pieces == 0) {
            return Moves.fill(out, 1, 0);
        }
        int partial = scratch.applyAsInt(pieces);
        return DeviceCall.sequence(
                DeviceCall.groups("partial sumOfSquares", DeviceSums::sumPieces, pieces, ITEMS,
                        new int[]{count, PIECE, x, partial, 1}),
                DeviceCall.groups("sumOfSquares", DeviceSums::sumPieces, 1, ITEMS,
                        new int[]{pieces, pieces, partial, out, 0}));
    }

    /** One sum for each group: of squares, or of plain numbers. */
    static void sumPieces(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        int args = ints.get(i);
        float[] sums = context.allocateFloatLocalArray(ITEMS);
        int piece = ints.get(args + 1);
        int x = ints.get(args + 2);
        int squares = ints.get(args + 4);
        int item = context.localIdx;
        int first = context.groupIdx * piece;
        int end = Math.min(first + piece, ints.get(args));
        float sum = 0;
        for (int e = first + item; e < end; e += ITEMS) {
            float v = mem.get(x + e);
            sum += squares == 0 ? v : v * v;
        }
        sums[item] = sum;
        context.localBarrier();
        for (int half = ITEMS / 2; half > 0; half /= 2) {
            if (item < half) {
                sums[item] += sums[item + half];
            }
            context.localBarrier();
        }
        if (item == 0) {
            mem.set(ints.get(args + 3) + context.groupIdx, sums[0]);
        }
    }
}
