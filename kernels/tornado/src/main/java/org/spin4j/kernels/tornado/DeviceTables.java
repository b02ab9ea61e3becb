package org.spin4j.kernels.tornado;

import java.util.List;
import java.util.stream.IntStream;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** Rows of a table: looked up, and the gradient that flows back into them. */
final class DeviceTables {
    private DeviceTables() {}

    /** See {@link org.spin4j.kernels.Kernels#gatherRows}. */
    static List<DeviceCall> gatherRows(int[] rows, int count, int dim, int table, boolean accumulate, int out) {
        int n = Math.multiplyExact(count, dim);
        int[] ints = new int[5 + count];
        ints[0] = n;
        ints[1] = dim;
        ints[2] = table;
        ints[3] = accumulate ? 1 : 0;
        ints[4] = out;
        System.arraycopy(rows, 0, ints, 5, count);
        return DeviceCall.flat("gatherRows", DeviceTables::gatherRows, n, ints);
    }

    static void gatherRows(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        int args = ints.get(i);
        int e = context.globalIdx;
        if (e < ints.get(args)) {
            int dim = ints.get(args + 1);
            float x = mem.get(ints.get(args + 2) + ints.get(args + 5 + e / dim) * dim + e % dim);
            int out = ints.get(args + 4) + e;
            if (ints.get(args + 3) != 0) {
                x += mem.get(out);
            }
            mem.set(out, x);
        }
    }

    /**
     * See {@link org.spin4j.kernels.Kernels#scatterAddRows}. The host sorts the rows (stably), so that each row of the table has
     * one run of what is added to it, in order, and needs no atomics.
     */
    static List<DeviceCall> scatterAddRows(int[] rows, int count, int dim, int x, int table) {
        // Row in the upper half, place in the lower: sorting these is a stable sort by row.
        long[] sorted = IntStream.range(0, count).mapToLong(i -> (long) rows[i] << 32 | i).sorted().toArray();
        int[] ints = new int[6 + 3 * count];
        int places = 6 + 2 * count;
        int distinct = 0;
        for (int j = 0; j < count; j++) {
            int row = (int) (sorted[j] >>> 32);
            if (j == 0 || row != (int) (sorted[j - 1] >>> 32)) {
                ints[5 + 2 * distinct] = j;
                ints[6 + 2 * distinct++] = row;
            }
            ints[places + j] = (int) sorted[j];
        }
        // A run ends where the next begins, the last where there are no more.
        ints[5 + 2 * distinct] = count;
        int n = Math.multiplyExact(distinct, dim);
        ints[0] = n;
        ints[1] = dim;
        ints[2] = x;
        ints[3] = table;
        ints[4] = places;
        return DeviceCall.flat("scatterAddRows", DeviceTables::scatterAddRows, n, ints);
    }

    static void scatterAddRows(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        int args = ints.get(i);
        int e = context.globalIdx;
        if (e < ints.get(args)) {
            int dim = ints.get(args + 1);
            int x = ints.get(args + 2) + e % dim;
            int run = args + 5 + e / dim * 2;
            int at = ints.get(args + 3) + ints.get(run + 1) * dim + e % dim;
            int places = args + ints.get(args + 4);
            int end = ints.get(run + 2);
            float sum = mem.get(at);
            for (int j = ints.get(run); j < end; j++) {
                sum += mem.get(x + ints.get(places + j) * dim);
            }
            mem.set(at, sum);
        }
    }
}
