package org.spin4j.kernels.tornado;

import java.util.List;
import java.util.function.IntUnaryOperator;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** RMSNorm, of rows and of heads, and LayerNorm: one work-group for each row. Weight gradients are {@link DeviceSums}. */
final class DeviceNorms {
    /** Work-items of a row, a power of two. */
    private static final int ITEMS = 128;

    private DeviceNorms() {}

    /** See {@link org.spin4j.kernels.Kernels#rmsNorm}. */
    static List<DeviceCall> rmsNorm(int rows, int dim, double eps, int x, int weight, int out, int invRms) {
        return forward("rmsNorm", rows, dim, 1, dim, eps, x, weight, DeviceCall.NONE, out, DeviceCall.NONE,
                DeviceCall.NONE, invRms);
    }

    /** See {@link org.spin4j.kernels.Kernels#headNorm}. */
    static List<DeviceCall> headNorm(int rows, int rowStride, int heads, int headDim, double eps, int x, int weight,
            int before, int invRms) {
        return forward("headNorm", Math.multiplyExact(rows, heads), headDim, heads, rowStride, eps, x, weight,
                DeviceCall.NONE, x, before, DeviceCall.NONE, invRms);
    }

    /** See {@link org.spin4j.kernels.Kernels#layerNorm}. */
    static List<DeviceCall> layerNorm(int rows, int dim, double eps, int x, int weight, int bias, int out, int mean,
            int invStd) {
        return forward("layerNorm", rows, dim, 1, dim, eps, x, weight, bias, out, DeviceCall.NONE, mean, invStd);
    }

    private static List<DeviceCall> forward(String name, int rows, int dim, int heads, int stride, double eps, int x,
            int weight, int bias, int out, int before, int mean, int inverse) {
        return DeviceCall.groups(name, DeviceNorms::norm, rows, ITEMS,
                new int[]{dim, heads, stride, x, weight, bias, out, before, mean, inverse}, (float) eps);
    }

    /** out = (x - mean) · inverse · weight + bias, where rows without a mean have 0 in its place. */
    static void norm(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        int args = ints.get(i);
        float[] sums = context.allocateFloatLocalArray(ITEMS);
        int dim = ints.get(args);
        int row = context.groupIdx;
        int at = row / ints.get(args + 1) * ints.get(args + 2) + row % ints.get(args + 1) * dim;
        int x = ints.get(args + 3) + at;
        int weight = ints.get(args + 4);
        int bias = ints.get(args + 5);
        int out = ints.get(args + 6) + at;
        int before = ints.get(args + 7);
        int mean = ints.get(args + 8);
        int item = context.localIdx;
        float mu = 0;
        if (mean >= 0) {
            float sum = 0;
            for (int j = item; j < dim; j += ITEMS) {
                sum += mem.get(x + j);
            }
            sums[item] = sum;
        }
        context.localBarrier();
        for (int half = ITEMS / 2; half > 0; half /= 2) {
            if (mean >= 0 && item < half) {
                sums[item] += sums[item + half];
            }
            context.localBarrier();
        }
        if (mean >= 0) {
            mu = sums[0] / dim;
        }
        context.localBarrier();
        float squares = 0;
        for (int j = item; j < dim; j += ITEMS) {
            float d = mem.get(x + j) - mu;
            squares += d * d;
        }
        sums[item] = squares;
        context.localBarrier();
        for (int half = ITEMS / 2; half > 0; half /= 2) {
            if (item < half) {
                sums[item] += sums[item + half];
            }
            context.localBarrier();
        }
        float inverse = 1 / TornadoMath.sqrt(sums[0] / dim + reals.get(r));
        if (item == 0) {
            mem.set(ints.get(args + 9) + row, inverse);
            if (mean >= 0) {
                mem.set(mean + row, mu);
            }
        }
        for (int j = item; j < dim; j += ITEMS) {
            float v = mem.get(x + j);
            if (before >= 0) {
                mem.set(before + row * dim + j, v);
            }
            float y = (v - mu) * inverse * mem.get(weight + j);
            if (bias >= 0) {
                y += mem.get(bias + j);
            }
            mem.set(out + j, y);
        }
    }

    /** See {@link org.spin4j.kernels.Kernels#rmsNormBackward}. */
    static List<DeviceCall> rmsNormBackward(int rows, int dim, int x, int weight, int invRms, int dOut, int dX,
            int dWeight, IntUnaryOperator scratch) {
        return DeviceCall.sequence(
                DeviceSums.columnSums(rows, dim, 1, dim, dOut, x, DeviceCall.NONE, invRms, dWeight, scratch),
                backward("rmsNormBackward", rows, dim, 1, dim, x, weight, DeviceCall.NONE, invRms, dOut, dX, true));
    }

    /** See {@link org.spin4j.kernels.Kernels#headNormBackward}. */
    static List<DeviceCall> headNormBackward(int rows, int rowStride, int heads, int headDim, int before, int weight,
            int invRms, int dX, int dWeight, IntUnaryOperator scratch) {
        int all = Math.multiplyExact(rows, heads);
        // The weight's gradient first: the other step overwrites what it reads.
        return DeviceCall.sequence(
                DeviceSums.columnSums(all, headDim, heads, rowStride, dX, before, DeviceCall.NONE, invRms, dWeight,
                        scratch),
                backward("headNormBackward", all, headDim, heads, rowStride, before, weight, DeviceCall.NONE, invRms,
                        dX, dX, false));
    }

    /** See {@link org.spin4j.kernels.Kernels#layerNormBackward}. */
    static List<DeviceCall> layerNormBackward(int rows, int dim, int x, int weight, int mean, int invStd, int dOut,
            int dX, int dWeight, int dBias, IntUnaryOperator scratch) {
        return DeviceCall.sequence(
                DeviceSums.columnSums(rows, dim, 1, dim, dOut, x, mean, invStd, dWeight, scratch),
                DeviceSums.columnSums(rows, dim, dOut, dBias, scratch),
                backward("layerNormBackward", rows, dim, 1, dim, x, weight, mean, invStd, dOut, dX, true));
    }

    private static List<DeviceCall> backward(String name, int rows, int dim, int heads, int stride, int x, int weight,
            int mean, int inverse, int dOut, int dX, boolean accumulate) {
        return DeviceCall.groups(name, DeviceNorms::normBackward, rows, ITEMS,
                new int[]{dim, heads, stride, x, weight, mean, inverse, dOut, dX, accumulate ? 1 : 0});
    }

    /**
     * With z = (x - mean) · inverse and g = weight · dOut: dX = (g - mean(g) - z · mean(g · z)) · inverse, where rows without a mean
     * have 0 in the place of mean(g).
     */
    static void normBackward(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        int args = ints.get(i);
        float[] sums = context.allocateFloatLocalArray(ITEMS);
        float[] dots = context.allocateFloatLocalArray(ITEMS);
        int dim = ints.get(args);
        int row = context.groupIdx;
        int at = row / ints.get(args + 1) * ints.get(args + 2) + row % ints.get(args + 1) * dim;
        int x = ints.get(args + 3) + row * dim;
        int weight = ints.get(args + 4);
        int mean = ints.get(args + 5);
        float inverse = mem.get(ints.get(args + 6) + row);
        int dOut = ints.get(args + 7) + at;
        int dX = ints.get(args + 8) + at;
        int accumulate = ints.get(args + 9);
        int item = context.localIdx;
        float mu = 0;
        if (mean >= 0) {
            mu = mem.get(mean + row);
        }
        float sum = 0;
        float dot = 0;
        for (int j = item; j < dim; j += ITEMS) {
            float g = mem.get(weight + j) * mem.get(dOut + j);
            sum += g;
            dot += g * ((mem.get(x + j) - mu) * inverse);
        }
        sums[item] = sum;
        dots[item] = dot;
        context.localBarrier();
        for (int half = ITEMS / 2; half > 0; half /= 2) {
            if (item < half) {
                sums[item] += sums[item + half];
                dots[item] += dots[item + half];
            }
            context.localBarrier();
        }
        float meanG = 0;
        if (mean >= 0) {
            meanG = sums[0] / dim;
        }
        float meanGz = dots[0] / dim;
        for (int j = item; j < dim; j += ITEMS) {
            float z = (mem.get(x + j) - mu) * inverse;
            float d = (mem.get(weight + j) * mem.get(dOut + j) - meanG - z * meanGz) * inverse;
            if (accumulate != 0) {
                d += mem.get(dX + j);
            }
            mem.set(dX + j, d);
        }
    }
}
