package org.spin4j.kernels;

import static org.spin4j.kernels.VectorMemory.LANES;
import static org.spin4j.kernels.VectorMemory.load;
import static org.spin4j.kernels.VectorMemory.splat;
import static org.spin4j.kernels.VectorMemory.store;
import static org.spin4j.kernels.VectorMemory.tail;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/** AdamW and RMSProp in vectors: one walk over parameter, gradient and moments. */
final class VectorOptimizers {
    private final Chunks chunks;

    VectorOptimizers(Parallel parallel) {
        this.chunks = new Chunks(parallel);
    }

    /** The numbers of one AdamW step that are the same for every parameter, rounded to float once. */
    private record Adam(float beta1, float rest1, float beta2, float rest2, float gradScale, float decay, float rate,
            float rootCorrection, float eps) {
        FloatVector m(FloatVector m, FloatVector g) {
            return m.mul(beta1).add(g.mul(rest1));
        }

        FloatVector v(FloatVector v, FloatVector g) {
            return v.mul(beta2).add(g.mul(g).mul(rest2));
        }

        FloatVector param(FloatVector p, FloatVector m, FloatVector v) {
            return p.mul(decay).sub(m.mul(rate).div(v.sqrt().mul(rootCorrection).add(eps)));
        }
    }

    void adamW(long n, long param, long grad, long m, long v, double lr, double beta1, double beta2, double eps,
            double weightDecay, double gradScale, int step) {
        Adam adam = new Adam((float) beta1, (float) (1 - beta1), (float) beta2, (float) (1 - beta2), (float) gradScale,
                (float) (1 - lr * weightDecay), (float) (lr / (1 - Math.pow(beta1, step))),
                (float) (1 / Math.sqrt(1 - Math.pow(beta2, step))), (float) eps);
        chunks.flat(n, (from, to) -> {
            long i = from;
            for (; i + LANES <= to; i += LANES) {
                long at = i * 4;
                FloatVector g = load(grad + at).mul(adam.gradScale);
                FloatVector newM = adam.m(load(m + at), g);
                FloatVector newV = adam.v(load(v + at), g);
                store(newM, m + at);
                store(newV, v + at);
                store(adam.param(load(param + at), newM, newV), param + at);
            }
            if (i < to) {
                long at = i * 4;
                VectorMask<Float> tail = tail(to - i);
                FloatVector g = load(grad + at, tail).mul(adam.gradScale);
                FloatVector newM = adam.m(load(m + at, tail), g);
                FloatVector newV = adam.v(load(v + at, tail), g);
                store(newM, m + at, tail);
                store(newV, v + at, tail);
                store(adam.param(load(param + at, tail), newM, newV), param + at, tail);
            }
        });
    }

    void rmsProp(long n, long param, long grad, long v, double lr, double alpha, double eps, double weightDecay,
            double gradScale) {
        float keep = (float) alpha;
        float rest = (float) (1 - alpha);
        float rate = (float) lr;
        float epsilon = (float) eps;
        FloatVector scale = splat((float) gradScale);
        float decay = (float) weightDecay;
        chunks.flat(n, (from, to) -> {
            long i = from;
            for (; i + LANES <= to; i += LANES) {
                long at = i * 4;
                FloatVector p = load(param + at);
                FloatVector g = load(grad + at).fma(scale, p.mul(decay));
                FloatVector newV = load(v + at).mul(keep).add(g.mul(g).mul(rest));
                store(newV, v + at);
                store(p.sub(g.mul(rate).div(newV.sqrt().add(epsilon))), param + at);
            }
            if (i < to) {
                long at = i * 4;
                VectorMask<Float> tail = tail(to - i);
                FloatVector p = load(param + at, tail);
                FloatVector g = load(grad + at, tail).fma(scale, p.mul(decay));
                FloatVector newV = load(v + at, tail).mul(keep).add(g.mul(g).mul(rest));
                store(newV, v + at, tail);
                store(p.sub(g.mul(rate).div(newV.sqrt().add(epsilon))), param + at, tail);
            }
        });
    }
}
