package org.spin4j.kernels.tornado;

import java.util.ArrayList;
import java.util.List;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task6;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * One run of one kernel on the device: a method of {@link org.spin4j.kernels.Kernels} is a list of these, in order. All numbers
 * lie in one array of F32, the device arena; a storage is the index of its first number there, {@link #NONE} for an operand that is null.
 *
 * <p>Cell {@code ints[i]} says where the call's integers begin (shapes, indices of storages, token ids, tables: as many as there are), and
 * its real arguments, at most {@value #MAX_REALS}, lie at {@code reals[r]} and on. Only {@code i} and {@code r} are built into a recorded
 * task, so that a replay may change everything else.
 *
 * @param name   key of the kernel: calls of one name have the same method and the same {@code local}
 * @param kernel (context, arena, ints, reals, i, r)
 * @param groups work-groups, at least 1, in one dimension
 * @param local  work-items of a group
 * @param ints   what is to lie from {@code ints[ints[i]]} on
 * @param reals  what is to lie from {@code reals[r]} on
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record DeviceCall(String name, Task6<KernelContext, FloatArray, IntArray, FloatArray, Integer, Integer> kernel,
        int groups, int local, int[] ints, float[] reals) {
    /** In the place of the index of a storage: there is none. */
    static final int NONE = -1;

    /** The most real arguments of a call. */
    static final int MAX_REALS = 16;

    /** Work-items of a group where each item does one thing of its own. */
    private static final int FLAT = 256;

    private static final float[] NO_REALS = {};

    /** A call of work-groups, or none where there are no groups. */
    static List<DeviceCall> groups(String name,
            Task6<KernelContext, FloatArray, IntArray, FloatArray, Integer, Integer> kernel, int groups, int local,
            int[] ints, float... reals) {
        return groups == 0
                ? List.of()
                : List.of(new DeviceCall(name, kernel, groups, local, ints, reals.length == 0 ? NO_REALS : reals));
    }

    /** A call of one work-item for each of {@code n} things; the kernel leaves out items from {@code n} on. */
    static List<DeviceCall> flat(String name,
            Task6<KernelContext, FloatArray, IntArray, FloatArray, Integer, Integer> kernel, long n, int[] ints,
            float... reals) {
        return groups(name, kernel, Math.toIntExact((n + FLAT - 1) / FLAT), FLAT, ints, reals);
    }

    /** One after the other. */
    @SafeVarargs
    static List<DeviceCall> sequence(List<DeviceCall>... calls) {
        List<DeviceCall> all = new ArrayList<>();
        for (List<DeviceCall> some : calls) {
            all.addAll(some);
        }
        return all;
    }
}
