package org.spin4j.kernels.tornado;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntUnaryOperator;
import org.spin4j.kernels.Shares;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Draws of tokens, a work-group a row. Shares are whole numbers and their sums exact, so what others sort for is found by bisection here,
 * with nothing but sums: the greatest share from which on there are k, or enough of them; the column up to which the sum is too little.
 *
 * <p>The sum over a group is written out in each kernel: of an array in local memory that is passed to a method, TornadoVM's CUDA
 * backend (5.2) makes wrong indices.
 */
final class DeviceSampling {
    /** Work-items of a row, a power of two. */
    private static final int ITEMS = 128;
    /** A number of shares is kept as two numbers in F32, the upper one in units of 2^20. */
    private static final int HALF = 20;
    /** Bisections of all shares there may be, from 0 to twice those of a probability of 1. */
    private static final int ROUNDS = 41;

    private DeviceSampling() {}

    /** See {@link org.spin4j.kernels.Kernels#repetitionPenalty}. */
    static List<DeviceCall> repetitionPenalty(int[] places, int count, double penalty, int x) {
        int[] ints = new int[2 + count];
        ints[0] = count;
        ints[1] = x;
        System.arraycopy(places, 0, ints, 2, count);
        return DeviceCall.flat("repetitionPenalty", DeviceSampling::repetitionPenalty, count, ints, (float) penalty);
    }

    static void repetitionPenalty(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i,
            int r) {
        int args = ints.get(i);
        int e = context.globalIdx;
        if (e < ints.get(args)) {
            int at = ints.get(args + 1) + ints.get(args + 2 + e);
            float logit = mem.get(at);
            float penalty = reals.get(r);
            mem.set(at, logit < 0 ? logit * penalty : logit / penalty);
        }
    }

    /**
     * See {@link org.spin4j.kernels.Kernels#sampleRows}.
     *
     * @param drawn   [rows]: the columns, as numbers
     * @param scratch gives the index of so many numbers of scratch memory
     */
    static List<DeviceCall> sampleRows(int rows, int cols, int topK, double topP, double minP, int p,
            double[] uniforms, int drawn, IntUnaryOperator scratch) {
        List<DeviceCall> calls = new ArrayList<>();
        int least = DeviceCall.NONE;
        if (topK > 0 && topK < cols) {
            least = least(rows, cols, p, topK, 0, Shares.fraction(1), least, scratch, calls);
        }
        if (topP < 1) {
            least = least(rows, cols, p, 0, Shares.fraction(topP), Shares.fraction(1), least, scratch, calls);
        }
        if (minP > 0) {
            least = least(rows, cols, p, 1, 0, Shares.fraction(minP), least, scratch, calls);
        }
        int[] shape = {cols, p, least, drawn, Integer.SIZE - Integer.numberOfLeadingZeros(cols - 1)};
        int[] ints = new int[shape.length + 2 * rows];
        System.arraycopy(shape, 0, ints, 0, shape.length);
        for (int row = 0; row < rows; row++) {
            long uniform = Shares.fraction(uniforms[row]);
            ints[shape.length + 2 * row] = Shares.upper(uniform);
            ints[shape.length + 2 * row + 1] = Shares.lower(uniform);
        }
        calls.addAll(DeviceCall.groups("sampleRows", DeviceSampling::sampleRow, rows, ITEMS, ints));
        return calls;
    }

    /**
     * Adds the call that finds the least share that a filter lets through.
     *
     * @param count  how many there are from the share on that is looked for; 0 where it is their sum that counts
     * @param sum    what fraction of all their sum is
     * @param times  fraction of the share found that is the least
     * @param before [rows, 2]: the least share so far
     * @return [rows, 2]: the least share now
     */
    private static int least(int rows, int cols, int p, int count, long sum, long times, int before,
            IntUnaryOperator scratch, List<DeviceCall> calls) {
        int least = scratch.applyAsInt(2 * rows);
        calls.addAll(DeviceCall.groups("leastShare", DeviceSampling::leastShare, rows, ITEMS,
                new int[]{cols, p, count, Shares.upper(sum), Shares.lower(sum), Shares.upper(times),
                        Shares.lower(times), before, least}));
        return least;
    }

    static void leastShare(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        int args = ints.get(i);
        long[] sums = context.allocateLongLocalArray(ITEMS);
        int cols = ints.get(args);
        int row = ints.get(args + 1) + context.groupIdx * cols;
        int count = ints.get(args + 2);
        int item = context.localIdx;
        long before = 1;
        if (ints.get(args + 7) >= 0) {
            before = shares(mem, ints.get(args + 7) + 2 * context.groupIdx);
        }
        long wanted = count;
        // Round 0 asks for the sum of all, of which wanted is a part; then those from low on are enough, from high on too few.
        long low = 0;
        long high = 1L << ROUNDS;
        for (int round = 0; round <= ROUNDS; round++) {
            long from = before;
            if (round > 0) {
                from = (low + high) / 2;
            }
            long sum = 0;
            for (int j = item; j < cols; j += ITEMS) {
                long share = Shares.of(mem.get(row + j));
                if (share >= from) {
                    sum += count == 0 ? share : 1;
                }
            }
            sums[item] = sum;
            context.localBarrier();
            for (int half = ITEMS / 2; half > 0; half /= 2) {
                if (item < half) {
                    sums[item] += sums[item + half];
                }
                context.localBarrier();
            }
            long all = sums[0];
            context.localBarrier();
            if (round == 0) {
                if (count == 0) {
                    wanted = Shares.part(all, ints.get(args + 3), ints.get(args + 4));
                    if (wanted == 0) {
                        wanted = 1;
                    }
                }
            } else if (all >= wanted) {
                low = from;
            } else {
                high = from;
            }
        }
        if (item == 0) {
            // Not Math.max: CUDA has none of the two types that TornadoVM gives longs.
            long least = Shares.part(low, ints.get(args + 5), ints.get(args + 6));
            if (least < before) {
                least = before;
            }
            int at = ints.get(args + 8) + 2 * context.groupIdx;
            mem.set(at, (float) (least >> HALF));
            mem.set(at + 1, (float) (least & (1L << HALF) - 1));
        }
    }

    private static long shares(FloatArray mem, int at) {
        return ((long) (int) mem.get(at) << HALF) + (int) mem.get(at + 1);
    }

    static void sampleRow(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        int args = ints.get(i);
        long[] sums = context.allocateLongLocalArray(ITEMS);
        int cols = ints.get(args);
        int row = ints.get(args + 1) + context.groupIdx * cols;
        int item = context.localIdx;
        long least = 1;
        if (ints.get(args + 2) >= 0) {
            least = shares(mem, ints.get(args + 2) + 2 * context.groupIdx);
        }
        // Round 0 asks for the sum of all, of which left is a part. Then the column lies in [from, to), and left is what the sum from there
        // on must pass. Where one column is left, more rounds change nothing.
        long left = 0;
        int from = 0;
        int to = cols;
        int rounds = ints.get(args + 4);
        for (int round = 0; round <= rounds; round++) {
            int end = to;
            if (round > 0) {
                end = (from + to) / 2;
            }
            long sum = 0;
            for (int j = from + item; j < end; j += ITEMS) {
                long share = Shares.of(mem.get(row + j));
                if (share >= least) {
                    sum += share;
                }
            }
            sums[item] = sum;
            context.localBarrier();
            for (int half = ITEMS / 2; half > 0; half /= 2) {
                if (item < half) {
                    sums[item] += sums[item + half];
                }
                context.localBarrier();
            }
            long all = sums[0];
            context.localBarrier();
            if (round == 0) {
                left = Shares.part(all, ints.get(args + 5 + 2 * context.groupIdx),
                        ints.get(args + 6 + 2 * context.groupIdx));
                if (all == 0) {
                    to = 1;
                }
            } else if (left < all) {
                to = end;
            } else {
                left -= all;
                from = end;
            }
        }
        if (item == 0) {
            mem.set(ints.get(args + 3) + context.groupIdx, (float) from);
        }
    }
}
