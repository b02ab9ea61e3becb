package org.spin4j.kernels.tornado;

import java.util.List;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** Kernels that bring numbers into the device arena and move them about in it. */
final class Moves {
    private Moves() {}

    /** mem[to + j] = value, for n numbers. */
    static List<DeviceCall> fill(int to, long n, float value) {
        return DeviceCall.flat("fill", Moves::fill, n, new int[]{Math.toIntExact(n), to}, value);
    }

    static void fill(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        int at = ints.get(i);
        int j = context.globalIdx;
        if (j >= ints.get(at)) {
            return;
        }
        mem.set(ints.get(at + 1) + j, reals.get(r));
    }

    /** mem[to + j] = mem[from + j], for n numbers. */
    static List<DeviceCall> copy(int from, int to, long n) {
        return DeviceCall.flat("copy", Moves::copy, n, new int[]{Math.toIntExact(n), from, to});
    }

    static void copy(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        int at = ints.get(i);
        int j = context.globalIdx;
        if (j >= ints.get(at)) {
            return;
        }
        mem.set(ints.get(at + 2) + j, mem.get(ints.get(at + 1) + j));
    }

    /** mem[to + j] = values[j]: numbers of the host travel with the call. */
    static List<DeviceCall> put(int to, float[] values) {
        return DeviceCall.flat("put", Moves::put, values.length, new int[]{values.length, to}, values);
    }

    static void put(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        int at = ints.get(i);
        int j = context.globalIdx;
        if (j >= ints.get(at)) {
            return;
        }
        // More reals than a call's own place has: the cell behind ours says where they are.
        mem.set(ints.get(at + 1) + j, reals.get(ints.get(i + 1) + j));
    }
}
