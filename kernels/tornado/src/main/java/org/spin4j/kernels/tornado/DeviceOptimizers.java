package org.spin4j.kernels.tornado;

import java.util.List;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** The optimisers' steps. What depends on scalars alone is computed by the host in double precision. */
final class DeviceOptimizers {
    private DeviceOptimizers() {}

    /** See {@link org.spin4j.kernels.Kernels#adamW}. */
    static List<DeviceCall> adamW(long n, int param, int grad, int m, int v, double lr, double beta1, double beta2,
            double eps, double weightDecay, double gradScale, int step) {
        return DeviceCall.flat("adamW", DeviceOptimizers::adamW, n,
                new int[]{Math.toIntExact(n), param, grad, m, v}, (float) beta1, (float) (1 - beta1), (float) beta2,
                (float) (1 - beta2), (float) (lr / (1 - Math.pow(beta1, step))),
                (float) (1 / Math.sqrt(1 - Math.pow(beta2, step))), (float) eps, (float) (1 - lr * weightDecay),
                (float) gradScale);
    }

    static void adamW(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        int args = ints.get(i);
        int e = context.globalIdx;
        if (e < ints.get(args)) {
            int p = ints.get(args + 1) + e;
            int m = ints.get(args + 3) + e;
            int v = ints.get(args + 4) + e;
            float g = mem.get(ints.get(args + 2) + e) * reals.get(r + 8);
            float first = reals.get(r) * mem.get(m) + reals.get(r + 1) * g;
            float second = reals.get(r + 2) * mem.get(v) + reals.get(r + 3) * g * g;
            mem.set(m, first);
            mem.set(v, second);
            mem.set(p, mem.get(p) * reals.get(r + 7)
                    - reals.get(r + 4) * first / (TornadoMath.sqrt(second) * reals.get(r + 5) + reals.get(r + 6)));
        }
    }

    /** See {@link org.spin4j.kernels.Kernels#rmsProp}. */
    static List<DeviceCall> rmsProp(long n, int param, int grad, int v, double lr, double alpha, double eps,
            double weightDecay, double gradScale) {
        return DeviceCall.flat("rmsProp", DeviceOptimizers::rmsProp, n, new int[]{Math.toIntExact(n), param, grad, v},
                (float) lr, (float) alpha, (float) (1 - alpha), (float) eps, (float) weightDecay, (float) gradScale);
    }

    static void rmsProp(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        int args = ints.get(i);
        int e = context.globalIdx;
        if (e < ints.get(args)) {
            int p = ints.get(args + 1) + e;
            int v = ints.get(args + 3) + e;
            float before = mem.get(p);
            float g = mem.get(ints.get(args + 2) + e) * reals.get(r + 5) + reals.get(r + 4) * before;
            float second = reals.get(r + 1) * mem.get(v) + reals.get(r + 2) * g * g;
            mem.set(v, second);
            mem.set(p, before - reals.get(r) * g / (TornadoMath.sqrt(second) + reals.get(r + 3)));
        }
    }
}
