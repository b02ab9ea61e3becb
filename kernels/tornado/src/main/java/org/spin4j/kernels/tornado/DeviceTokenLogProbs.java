package org.spin4j.kernels.tornado;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntUnaryOperator;
import org.spin4j.kernels.Kernels.Product;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Head projection, log-softmax and gather, chunk by chunk of the vocabulary: a product gives the chunk's logits in scratch memory,
 * one more kernel takes from each row what is to be kept of them (the "online softmax" of Milakov and Gimelshein 2018, arXiv 1805.02867).
 * Within a chunk, rows are taken in pieces of {@value #PIECE} columns, so that no bit depends on how wide the chunks are.
 */
final class DeviceTokenLogProbs {
    /** Work-items of a row, a power of two. */
    private static final int ITEMS = 128;
    /** Columns that are put together at a time, and of which chunks are whole multiples. */
    private static final int PIECE = 1024;
    /** Logits that scratch memory holds, where a piece of each row is not more. */
    private static final int LOGITS = 1 << 24;
    /** Numbers that a row carries from chunk to chunk: maximum, sum of exponentials, weighted sum, argmax, target's logit. */
    private static final int STATE = 5;
    /** Less than any logit; finite, so that the difference of two is a number. */
    private static final float LOWEST = -3e38f;

    private DeviceTokenLogProbs() {}

    private static int chunk(int rows, int vocab) {
        int pieces = Math.max(1, LOGITS / PIECE / Math.max(1, rows));
        return (int) Math.min(vocab, (long) pieces * PIECE);
    }

    /**
     * See {@link org.spin4j.kernels.Kernels#tokenLogProbs}.
     *
     * @param entropy {@link DeviceCall#NONE} where it is not wanted
     * @param argmax  [rows], where the tokens go as numbers; {@link DeviceCall#NONE} where they are not wanted
     * @param scratch gives the index of so many numbers of scratch memory
     */
    static List<DeviceCall> forward(Products products, int rows, int dim, int vocab, double softcap, int hidden,
            int head, int[] targets,
            int logProbs, int logSumExp, int entropy, int argmax, IntUnaryOperator scratch) {
        List<DeviceCall> calls = new ArrayList<>();
        int chunk = chunk(rows, vocab);
        int logits = scratch.applyAsInt(Math.multiplyExact(rows, chunk));
        int state = scratch.applyAsInt(Math.multiplyExact(rows, STATE));
        for (int from = 0; from < vocab; from += chunk) {
            int cols = Math.min(chunk, vocab - from);
            calls.addAll(products.matmul(Product.NT, rows, cols, dim, hidden, head + from * dim, DeviceCall.NONE,
                    DeviceCall.NONE, logits));
            int[] ints = new int[9 + rows];
            int[] shape = {cols, from, vocab, logits, state, logProbs, logSumExp, entropy, argmax};
            System.arraycopy(shape, 0, ints, 0, shape.length);
            System.arraycopy(targets, 0, ints, shape.length, rows);
            calls.addAll(DeviceCall.groups("tokenLogProbs", DeviceTokenLogProbs::reduce, rows, ITEMS, ints,
                    (float) softcap));
        }
        return calls;
    }

    /** One row of a chunk: its state goes on, and with the last chunk the results come out. */
    static void reduce(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        int args = ints.get(i);
        float[] best = context.allocateFloatLocalArray(ITEMS);
        int[] places = context.allocateIntLocalArray(ITEMS);
        float[] sums = context.allocateFloatLocalArray(ITEMS);
        float[] weights = context.allocateFloatLocalArray(ITEMS);
        int cols = ints.get(args);
        int from = ints.get(args + 1);
        int row = context.groupIdx;
        int logits = ints.get(args + 3) + row * cols;
        int state = ints.get(args + 4) + row * STATE;
        int target = ints.get(args + 9 + row) - from;
        float cap = reals.get(r);
        int item = context.localIdx;
        float max = LOWEST;
        float sum = 0;
        float weighted = 0;
        float argmax = 0;
        float targetLogit = 0;
        if (from > 0) {
            max = mem.get(state);
            sum = mem.get(state + 1);
            weighted = mem.get(state + 2);
            argmax = mem.get(state + 3);
            targetLogit = mem.get(state + 4);
        }
        if (target >= 0 && target < cols) {
            targetLogit = DeviceActivations.capped(mem.get(logits + target), cap);
        }
        // Whoever overwrites the state has first let all others read it.
        context.localBarrier();
        for (int first = 0; first < cols; first += PIECE) {
            int end = Math.min(first + PIECE, cols);
            float own = LOWEST;
            int place = first;
            for (int j = first + item; j < end; j += ITEMS) {
                float logit = DeviceActivations.capped(mem.get(logits + j), cap);
                if (logit > own) {
                    own = logit;
                    place = j;
                }
            }
            best[item] = own;
            places[item] = place;
            context.localBarrier();
            for (int half = ITEMS / 2; half > 0; half /= 2) {
                if (item < half) {
                    float other = best[item + half];
                    int otherPlace = places[item + half];
                    if (other > best[item] || other == best[item] && otherPlace < places[item]) {
                        best[item] = other;
                        places[item] = otherPlace;
                    }
                }
                context.localBarrier();
            }
            float pieceMax = best[0];
            int piecePlace = places[0];
            float e = 0;
            float w = 0;
            for (int j = first + item; j < end; j += ITEMS) {
                float shifted = DeviceActivations.capped(mem.get(logits + j), cap) - pieceMax;
                float p = TornadoMath.exp(shifted);
                e += p;
                w += p * shifted;
            }
            sums[item] = e;
            weights[item] = w;
            context.localBarrier();
            for (int half = ITEMS / 2; half > 0; half /= 2) {
                if (item < half) {
                    sums[item] += sums[item + half];
                    weights[item] += weights[item + half];
                }
                context.localBarrier();
            }
            // Every item keeps the state. Sums are relative to their maximum: Σ e^(x-max), Σ e^(x-max)·(x-max).
            float newMax = TornadoMath.max(max, pieceMax);
            float before = TornadoMath.exp(max - newMax);
            float now = TornadoMath.exp(pieceMax - newMax);
            if (pieceMax > max) {
                argmax = from + piecePlace;
            }
            if (sum == 0) {
                weighted = weights[0];
                sum = sums[0];
            } else {
                weighted = before * (weighted + sum * (max - newMax))
                        + now * (weights[0] + sums[0] * (pieceMax - newMax));
                sum = before * sum + now * sums[0];
            }
            max = newMax;
            context.localBarrier();
        }
        if (item == 0) {
            if (from + cols < ints.get(args + 2)) {
                mem.set(state, max);
                mem.set(state + 1, sum);
                mem.set(state + 2, weighted);
                mem.set(state + 3, argmax);
                mem.set(state + 4, targetLogit);
            } else {
                float logSum = TornadoMath.log(sum);
                mem.set(ints.get(args + 5) + row, targetLogit - max - logSum);
                mem.set(ints.get(args + 6) + row, max + logSum);
                if (ints.get(args + 7) >= 0) {
                    mem.set(ints.get(args + 7) + row, logSum - weighted / sum);
                }
                if (ints.get(args + 8) >= 0) {
                    mem.set(ints.get(args + 8) + row, argmax);
                }
            }
        }
    }

    /** See {@link org.spin4j.kernels.Kernels#tokenLogProbsBackward}. */
    static List<DeviceCall> backward(Products products, int rows, int dim, int vocab, double softcap, int hidden,
            int head, int[] targets,
            int logSumExp, int dLogProbs, int dHidden, int dHead, IntUnaryOperator scratch) {
        List<DeviceCall> calls = new ArrayList<>();
        int chunk = chunk(rows, vocab);
        int logits = scratch.applyAsInt(Math.multiplyExact(rows, chunk));
        for (int from = 0; from < vocab; from += chunk) {
            int cols = Math.min(chunk, vocab - from);
            int part = from * dim;
            calls.addAll(products.matmul(Product.NT, rows, cols, dim, hidden, head + part, DeviceCall.NONE,
                    DeviceCall.NONE, logits));
            int[] ints = new int[6 + rows];
            int[] shape = {rows * cols, cols, from, logits, logSumExp, dLogProbs};
            System.arraycopy(shape, 0, ints, 0, shape.length);
            System.arraycopy(targets, 0, ints, shape.length, rows);
            calls.addAll(DeviceCall.flat("tokenLogProbsBackward", DeviceTokenLogProbs::dLogits, shape[0], ints,
                    (float) softcap));
            calls.addAll(products.matmul(Product.NN, rows, dim, cols, logits, head + part, DeviceCall.NONE,
                    from == 0 ? DeviceCall.NONE : dHidden, dHidden));
            calls.addAll(products.matmul(Product.TN, cols, dim, rows, logits, hidden, DeviceCall.NONE, dHead + part,
                    dHead + part));
        }
        return calls;
    }

    /** Logits become their gradients, in place. */
    static void dLogits(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        int args = ints.get(i);
        int e = context.globalIdx;
        if (e < ints.get(args)) {
            int cols = ints.get(args + 1);
            int row = e / cols;
            int at = ints.get(args + 3) + e;
            float cap = reals.get(r);
            float logit = DeviceActivations.capped(mem.get(at), cap);
            float d = -TornadoMath.exp(logit - mem.get(ints.get(args + 4) + row));
            if (ints.get(args + 2) + e % cols == ints.get(args + 6 + row)) {
                d += 1;
            }
            mem.set(at, mem.get(ints.get(args + 5) + row) * d * DeviceActivations.cappedSlope(logit, cap));
        }
    }

    /** See {@link org.spin4j.kernels.Kernels#softmaxRows}. */
    static List<DeviceCall> softmaxRows(int rows, int cols, double scale, int x, int logSumExp) {
        return DeviceCall.groups("softmaxRows", DeviceTokenLogProbs::softmaxRow, rows, ITEMS,
                new int[]{cols, x, logSumExp}, (float) scale);
    }

    static void softmaxRow(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        int args = ints.get(i);
        float[] parts = context.allocateFloatLocalArray(ITEMS);
        int cols = ints.get(args);
        int row = context.groupIdx;
        int x = ints.get(args + 1) + row * cols;
        float scale = reals.get(r);
        int item = context.localIdx;
        float own = LOWEST;
        for (int j = item; j < cols; j += ITEMS) {
            own = TornadoMath.max(own, scale * mem.get(x + j));
        }
        parts[item] = own;
        context.localBarrier();
        for (int half = ITEMS / 2; half > 0; half /= 2) {
            if (item < half) {
                parts[item] = TornadoMath.max(parts[item], parts[item + half]);
            }
            context.localBarrier();
        }
        float max = parts[0];
        context.localBarrier();
        float sum = 0;
        for (int j = item; j < cols; j += ITEMS) {
            sum += TornadoMath.exp(scale * mem.get(x + j) - max);
        }
        parts[item] = sum;
        context.localBarrier();
        for (int half = ITEMS / 2; half > 0; half /= 2) {
            if (item < half) {
                parts[item] += parts[item + half];
            }
            context.localBarrier();
        }
        float logSumExp = max + TornadoMath.log(parts[0]);
        if (item == 0) {
            mem.set(ints.get(args + 2) + row, logSumExp);
        }
        for (int j = item; j < cols; j += ITEMS) {
            mem.set(x + j, TornadoMath.exp(scale * mem.get(x + j) - logSumExp));
        }
    }

    /**
     * See {@link org.spin4j.kernels.Kernels#argmaxRows}.
     *
     * @param found [rows]: the columns, as numbers
     */
    static List<DeviceCall> argmaxRows(int rows, int cols, int x, int found) {
        return DeviceCall.groups("argmaxRows", DeviceTokenLogProbs::argmaxRow, rows, ITEMS,
                new int[]{cols, x, found});
    }

    static void argmaxRow(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        int args = ints.get(i);
        float[] best = context.allocateFloatLocalArray(ITEMS);
        int[] places = context.allocateIntLocalArray(ITEMS);
        int cols = ints.get(args);
        int row = context.groupIdx;
        int x = ints.get(args + 1) + row * cols;
        int found = ints.get(args + 2) + row;
        int item = context.localIdx;
        float own = LOWEST;
        int place = cols;
        for (int j = item; j < cols; j += ITEMS) {
            float v = mem.get(x + j);
            if (v > own) {
                own = v;
                place = j;
            }
        }
        best[item] = own;
        places[item] = place;
        context.localBarrier();
        for (int half = ITEMS / 2; half > 0; half /= 2) {
            if (item < half) {
                float other = best[item + half];
                int otherPlace = places[item + half];
                if (other > best[item] || other == best[item] && otherPlace < places[item]) {
                    best[item] = other;
                    places[item] = otherPlace;
                }
            }
            context.localBarrier();
        }
        if (item == 0) {
            int at = places[0];
            if (at == cols) {
                at = 0;
            }
            mem.set(found, at);
        }
    }
}
