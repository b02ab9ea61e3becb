package org.spin4j.kernels.tornado;

import java.util.List;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** Kernels that move numbers about the device arena. */
final class Moves {
    private Moves() {}

    /** mem[to + j] = value, for n numbers. */
    static List<DeviceCall> fill(int to, int n, float value) {
        return DeviceCall.flat("fill", Moves::fill, n, new int[]{n, to}, value);
    }

    static void fill(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        int at = ints.get(i);
        int j = context.globalIdx;
        if (j >= ints.get(at)) {
            return;
        }
        mem.set(ints.get(at + 1) + j, reals.get(r));
    }
}
