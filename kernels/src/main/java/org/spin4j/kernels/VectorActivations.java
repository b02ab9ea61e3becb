package org.spin4j.kernels;

import static jdk.incubator.vector.VectorOperators.AND_NOT;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.XOR;
import static org.spin4j.kernels.VectorMemory.LANES;
import static org.spin4j.kernels.VectorMemory.load;
import static org.spin4j.kernels.VectorMemory.splat;
import static org.spin4j.kernels.VectorMemory.store;
import static org.spin4j.kernels.VectorMemory.tail;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;

/** SwiGLU, GEGLU and GELU, forward and backward, the soft cap and dropout, in vectors. Every number of the result depends on one place of the inputs only. */
final class VectorActivations {
    private static final FloatVector ONE = splat(1);
    private static final FloatVector GELU_CUBE = splat(0.044715f);
    private static final FloatVector GELU_CUBE_3 = splat(3 * 0.044715f);
    /** 2 · sqrt(2 / π), twice the slope of the tanh form of GELU. */
    private static final FloatVector GELU_SLOPE = splat(1.595769f);

    private static final FloatVector MINUS_GELU_SLOPE = GELU_SLOPE.neg();

    /** 0, 1, 2, … */
    private static final IntVector PLACES = IntVector.zero(IntVector.SPECIES_PREFERRED).addIndex(1);

    private final Chunks chunks;

    VectorActivations(Parallel parallel) {
        this.chunks = new Chunks(parallel);
    }

    /** 1 / (1 + e^-x). */
    static FloatVector sigmoid(FloatVector x) {
        return ONE.div(VectorMath.exp(x.neg()).add(ONE));
    }

    void swiGlu(int rows, int hidden, long gateUp, long out) {
        VectorMask<Float> tail = tail(hidden);
        chunks.rows(rows, hidden, (from, to) -> {
            for (long i = from; i < to; i++) {
                long gate = gateUp + i * hidden * 8;
                long up = gate + hidden * 4L;
                long y = out + i * hidden * 4;
                int j = 0;
                for (; j + LANES <= hidden; j += LANES) {
                    store(silu(load(gate + j * 4L)).mul(load(up + j * 4L)), y + j * 4L);
                }
                if (j < hidden) {
                    store(silu(load(gate + j * 4L, tail)).mul(load(up + j * 4L, tail)), y + j * 4L, tail);
                }
            }
        });
    }

    void swiGluBackward(int rows, int hidden, long gateUp, long dOut, long dGateUp) {
        VectorMask<Float> tail = tail(hidden);
        long up = hidden * 4L;
        chunks.rows(rows, 2L * hidden, (from, to) -> {
            for (long i = from; i < to; i++) {
                long gate = gateUp + i * hidden * 8;
                long dGate = dGateUp + i * hidden * 8;
                long dY = dOut + i * hidden * 4;
                int j = 0;
                for (; j + LANES <= hidden; j += LANES) {
                    long at = j * 4L;
                    FloatVector g = load(gate + at);
                    FloatVector s = sigmoid(g);
                    FloatVector d = load(dY + at).mul(s);
                    store(d.mul(g), dGate + up + at);
                    store(d.mul(load(gate + up + at)).mul(siluSlope(g, s)), dGate + at);
                }
                if (j < hidden) {
                    long at = j * 4L;
                    FloatVector g = load(gate + at, tail);
                    FloatVector s = sigmoid(g);
                    FloatVector d = load(dY + at, tail).mul(s);
                    store(d.mul(g), dGate + up + at, tail);
                    store(d.mul(load(gate + up + at, tail)).mul(siluSlope(g, s)), dGate + at, tail);
                }
            }
        });
    }

    private static FloatVector silu(FloatVector x) {
        return x.div(VectorMath.exp(x.neg()).add(ONE));
    }

    /** With s = sigmoid(g): d silu / dg = s · (1 + g · (1 - s)); here without the factor s. */
    private static FloatVector siluSlope(FloatVector g, FloatVector s) {
        return g.fma(ONE.sub(s), ONE);
    }

    void geGlu(int rows, int hidden, long gateUp, long out) {
        VectorMask<Float> tail = tail(hidden);
        chunks.rows(rows, hidden, (from, to) -> {
            for (long i = from; i < to; i++) {
                long gate = gateUp + i * hidden * 8;
                long up = gate + hidden * 4L;
                long y = out + i * hidden * 4;
                int j = 0;
                for (; j + LANES <= hidden; j += LANES) {
                    store(gelu(load(gate + j * 4L)).mul(load(up + j * 4L)), y + j * 4L);
                }
                if (j < hidden) {
                    store(gelu(load(gate + j * 4L, tail)).mul(load(up + j * 4L, tail)), y + j * 4L, tail);
                }
            }
        });
    }

    void geGluBackward(int rows, int hidden, long gateUp, long dOut, long dGateUp) {
        VectorMask<Float> tail = tail(hidden);
        long up = hidden * 4L;
        chunks.rows(rows, 2L * hidden, (from, to) -> {
            for (long i = from; i < to; i++) {
                long gate = gateUp + i * hidden * 8;
                long dGate = dGateUp + i * hidden * 8;
                long dY = dOut + i * hidden * 4;
                int j = 0;
                for (; j + LANES <= hidden; j += LANES) {
                    long at = j * 4L;
                    FloatVector g = load(gate + at);
                    FloatVector s = geluSigmoid(g);
                    FloatVector d = load(dY + at);
                    store(d.mul(g.mul(s)), dGate + up + at);
                    store(d.mul(load(gate + up + at)).mul(geluSlope(g, s)), dGate + at);
                }
                if (j < hidden) {
                    long at = j * 4L;
                    FloatVector g = load(gate + at, tail);
                    FloatVector s = geluSigmoid(g);
                    FloatVector d = load(dY + at, tail);
                    store(d.mul(g.mul(s)), dGate + up + at, tail);
                    store(d.mul(load(gate + up + at, tail)).mul(geluSlope(g, s)), dGate + at, tail);
                }
            }
        });
    }

    void softcap(long n, float cap, long x) {
        chunks.flat(n, (from, to) -> VectorSoftcap.apply(to - from, cap, x + from * 4));
    }

    void dropout(long n, DropoutMask mask, long x) {
        chunks.flat(n, (from, to) -> {
            FloatVector scale = splat((float) mask.scale());
            long i = from;
            for (; i + LANES <= to; i += LANES) {
                store(dropped(load(x + i * 4).mul(scale), i, mask), x + i * 4);
            }
            if (i < to) {
                VectorMask<Float> tail = tail(to - i);
                store(dropped(load(x + i * 4, tail).mul(scale), i, mask), x + i * 4, tail);
            }
        });
    }

    /** All bits cleared where {@link DropoutMask#keeps} says no: there hash - threshold has its sign set. */
    private static FloatVector dropped(FloatVector x, long place, DropoutMask mask) {
        IntVector first = mix(PLACES.add((int) place).lanewise(XOR, mask.first()));
        IntVector hash = mix(first.lanewise(XOR, mask.second())).lanewise(LSHR, 1);
        IntVector gone = hash.sub(mask.threshold()).lanewise(ASHR, 31);
        return x.reinterpretAsInts().lanewise(AND_NOT, gone).reinterpretAsFloats();
    }

    private static IntVector mix(IntVector x) {
        IntVector a = x.lanewise(XOR, x.lanewise(LSHR, 16)).mul(DropoutMask.MULTIPLIER_1);
        IntVector b = a.lanewise(XOR, a.lanewise(LSHR, 13)).mul(DropoutMask.MULTIPLIER_2);
        return b.lanewise(XOR, b.lanewise(LSHR, 16));
    }

    void gelu(long n, long x, long out) {
        chunks.flat(n, (from, to) -> {
            long i = from;
            for (; i + LANES <= to; i += LANES) {
                store(gelu(load(x + i * 4)), out + i * 4);
            }
            if (i < to) {
                VectorMask<Float> tail = tail(to - i);
                store(gelu(load(x + i * 4, tail)), out + i * 4, tail);
            }
        });
    }

    void geluBackward(long n, long x, long dOut, long dX) {
        chunks.flat(n, (from, to) -> {
            long i = from;
            for (; i + LANES <= to; i += LANES) {
                FloatVector v = load(x + i * 4);
                store(geluSlope(v, geluSigmoid(v)).mul(load(dOut + i * 4)), dX + i * 4);
            }
            if (i < to) {
                VectorMask<Float> tail = tail(to - i);
                FloatVector v = load(x + i * 4, tail);
                store(geluSlope(v, geluSigmoid(v)).mul(load(dOut + i * 4, tail)), dX + i * 4, tail);
            }
        });
    }

    /** x / 2 · (1 + tanh u) = x · sigmoid(2u), u = sqrt(2/π) (x + 0.044715 x³): nothing cancels where tanh u is near -1. */
    private static FloatVector gelu(FloatVector x) {
        FloatVector minusTwoU = x.mul(x).fma(GELU_CUBE, ONE).mul(x).mul(MINUS_GELU_SLOPE);
        return x.div(VectorMath.exp(minusTwoU).add(ONE));
    }

    /** The s of {@link #geluSlope}; gelu x = x · s. */
    private static FloatVector geluSigmoid(FloatVector x) {
        return sigmoid(x.mul(x).fma(GELU_CUBE, ONE).mul(x).mul(GELU_SLOPE));
    }

    /** With s = sigmoid(2u): d gelu / dx = s + x · s · (1 - s) · 2u'. */
    private static FloatVector geluSlope(FloatVector x, FloatVector s) {
        FloatVector slope = x.mul(x).fma(GELU_CUBE_3, ONE).mul(GELU_SLOPE);
        return x.mul(s).mul(ONE.sub(s)).fma(slope, s);
    }
}
