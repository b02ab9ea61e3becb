package org.spin4j.kernels.tornado;

import java.util.List;
import org.spin4j.kernels.DropoutMask;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** What layers do number by number: gated units, GELU, softcap, dropout, and the steps around them. */
final class DeviceActivations {
    /** sqrt(2/π), of GELU's tanh form. */
    private static final float GELU_SCALE = 0.7978846f;

    private static final float GELU_CUBIC = 0.044715f;

    private DeviceActivations() {}

    /** See {@link org.spin4j.kernels.Kernels#axpy}. */
    static List<DeviceCall> axpy(long n, double alpha, int x, int y) {
        return DeviceCall.flat("axpy", DeviceActivations::axpy, n, new int[]{count(n), x, y}, (float) alpha);
    }

    static void axpy(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        int args = ints.get(i);
        int e = context.globalIdx;
        if (e < ints.get(args)) {
            int y = ints.get(args + 2) + e;
            mem.set(y, mem.get(y) + reals.get(r) * mem.get(ints.get(args + 1) + e));
        }
    }

    /** See {@link org.spin4j.kernels.Kernels#softcap}. */
    static List<DeviceCall> softcap(long n, double cap, int x) {
        return DeviceCall.flat("softcap", DeviceActivations::softcap, n, new int[]{count(n), x}, (float) cap);
    }

    static void softcap(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        int args = ints.get(i);
        int e = context.globalIdx;
        if (e < ints.get(args)) {
            int x = ints.get(args + 1) + e;
            mem.set(x, capped(mem.get(x), reals.get(r)));
        }
    }

    /** cap · tanh(x / cap), or x where there is no cap. */
    static float capped(float x, float cap) {
        return cap == 0 ? x : cap * TornadoMath.tanh(x / cap);
    }

    /** Derivative of {@link #capped}, from its result: 1 - tanh². */
    static float cappedSlope(float y, float cap) {
        return cap == 0 ? 1 : 1 - y / cap * (y / cap);
    }

    /** See {@link org.spin4j.kernels.Kernels#dropout}; the key changes from step to step. */
    static List<DeviceCall> dropout(long n, DropoutMask mask, int x) {
        return DeviceCall.flat("dropout", DeviceActivations::dropout, n,
                new int[]{count(n), x, mask.first(), mask.second(), mask.threshold()}, (float) mask.scale());
    }

    static void dropout(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        int args = ints.get(i);
        int e = context.globalIdx;
        if (e < ints.get(args)) {
            int x = ints.get(args + 1) + e;
            int hash = DropoutMask.hash(e, ints.get(args + 2), ints.get(args + 3));
            mem.set(x, hash >= ints.get(args + 4) ? mem.get(x) * reals.get(r) : 0);
        }
    }

    /** See {@link org.spin4j.kernels.Kernels#swiGlu}. */
    static List<DeviceCall> swiGlu(int rows, int hidden, int gateUp, int out) {
        return gated("swiGlu", rows, hidden, new int[]{rows * hidden, hidden, gateUp, out, 0});
    }

    /** See {@link org.spin4j.kernels.Kernels#geGlu}. */
    static List<DeviceCall> geGlu(int rows, int hidden, int gateUp, int out) {
        return gated("geGlu", rows, hidden, new int[]{rows * hidden, hidden, gateUp, out, 1});
    }

    private static List<DeviceCall> gated(String name, int rows, int hidden, int[] ints) {
        return DeviceCall.flat(name, DeviceActivations::gated, Math.multiplyExact(rows, hidden), ints);
    }

    static void gated(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        int args = ints.get(i);
        int e = context.globalIdx;
        if (e < ints.get(args)) {
            int hidden = ints.get(args + 1);
            int gateAt = ints.get(args + 2) + e / hidden * 2 * hidden + e % hidden;
            float gate = mem.get(gateAt);
            float active = ints.get(args + 4) == 0 ? gate * sigmoid(gate) : gelu(gate);
            mem.set(ints.get(args + 3) + e, active * mem.get(gateAt + hidden));
        }
    }

    /** See {@link org.spin4j.kernels.Kernels#swiGluBackward}. */
    static List<DeviceCall> swiGluBackward(int rows, int hidden, int gateUp, int dOut, int dGateUp) {
        return gatedBackward("swiGluBackward", rows, hidden,
                new int[]{rows * hidden, hidden, gateUp, dOut, dGateUp, 0});
    }

    /** See {@link org.spin4j.kernels.Kernels#geGluBackward}. */
    static List<DeviceCall> geGluBackward(int rows, int hidden, int gateUp, int dOut, int dGateUp) {
        return gatedBackward("geGluBackward", rows, hidden,
                new int[]{rows * hidden, hidden, gateUp, dOut, dGateUp, 1});
    }

    private static List<DeviceCall> gatedBackward(String name, int rows, int hidden, int[] ints) {
        return DeviceCall.flat(name, DeviceActivations::gatedBackward, Math.multiplyExact(rows, hidden), ints);
    }

    /** silu'(g) = σ(g)·(1 + g·(1 - σ(g))). */
    static void gatedBackward(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        int args = ints.get(i);
        int e = context.globalIdx;
        if (e < ints.get(args)) {
            int hidden = ints.get(args + 1);
            int at = e / hidden * 2 * hidden + e % hidden;
            float gate = mem.get(ints.get(args + 2) + at);
            float up = mem.get(ints.get(args + 2) + at + hidden);
            float dy = mem.get(ints.get(args + 3) + e);
            float active;
            float slope;
            if (ints.get(args + 5) == 0) {
                float s = sigmoid(gate);
                active = gate * s;
                slope = s * (1 + gate * (1 - s));
            } else {
                active = gelu(gate);
                slope = geluSlope(gate);
            }
            mem.set(ints.get(args + 4) + at, dy * up * slope);
            mem.set(ints.get(args + 4) + at + hidden, dy * active);
        }
    }

    /** See {@link org.spin4j.kernels.Kernels#gelu}. */
    static List<DeviceCall> gelu(long n, int x, int out) {
        return DeviceCall.flat("gelu", DeviceActivations::gelu, n, new int[]{count(n), x, out});
    }

    static void gelu(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        int args = ints.get(i);
        int e = context.globalIdx;
        if (e < ints.get(args)) {
            mem.set(ints.get(args + 2) + e, gelu(mem.get(ints.get(args + 1) + e)));
        }
    }

    /** See {@link org.spin4j.kernels.Kernels#geluBackward}. */
    static List<DeviceCall> geluBackward(long n, int x, int dOut, int dX) {
        return DeviceCall.flat("geluBackward", DeviceActivations::geluBackward, n, new int[]{count(n), x, dOut, dX});
    }

    static void geluBackward(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        int args = ints.get(i);
        int e = context.globalIdx;
        if (e < ints.get(args)) {
            mem.set(ints.get(args + 3) + e,
                    mem.get(ints.get(args + 2) + e) * geluSlope(mem.get(ints.get(args + 1) + e)));
        }
    }

    /** See {@link org.spin4j.kernels.Kernels#rope}. */
    static List<DeviceCall> rope(int rows, int rowStride, int heads, int headDim, int[] positions, int cosSin,
            boolean inverse, int x) {
        int[] ints = new int[7 + rows];
        int n = Math.multiplyExact(rows, heads * (headDim / 2));
        int[] shape = {n, rowStride, heads, headDim, cosSin, inverse ? -1 : 1, x};
        System.arraycopy(shape, 0, ints, 0, shape.length);
        System.arraycopy(positions, 0, ints, shape.length, rows);
        return DeviceCall.flat("rope", DeviceActivations::rope, n, ints);
    }

    static void rope(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        int args = ints.get(i);
        int e = context.globalIdx;
        if (e < ints.get(args)) {
            int heads = ints.get(args + 2);
            int headDim = ints.get(args + 3);
            int half = headDim / 2;
            int j = e % half;
            int row = e / half / heads;
            int at = ints.get(args + 6) + row * ints.get(args + 1) + e / half % heads * headDim + j;
            int angle = ints.get(args + 4) + ints.get(args + 7 + row) * headDim + j;
            float cos = mem.get(angle);
            float sin = ints.get(args + 5) * mem.get(angle + half);
            float a = mem.get(at);
            float b = mem.get(at + half);
            mem.set(at, a * cos - b * sin);
            mem.set(at + half, b * cos + a * sin);
        }
    }

    private static float sigmoid(float x) {
        return 1 / (1 + TornadoMath.exp(-x));
    }

    private static float gelu(float v) {
        return 0.5f * v * (1 + TornadoMath.tanh(GELU_SCALE * (v + GELU_CUBIC * v * v * v)));
    }

    private static float geluSlope(float v) {
        float t = TornadoMath.tanh(GELU_SCALE * (v + GELU_CUBIC * v * v * v));
        float inner = GELU_SCALE * (1 + 3 * GELU_CUBIC * v * v);
        return 0.5f * (1 + t) + 0.5f * v * (1 - t * t) * inner;
    }

    private static int count(long n) {
        return Math.toIntExact(n);
    }
}
