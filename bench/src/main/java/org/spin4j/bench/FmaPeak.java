package org.spin4j.bench;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;
import org.spin4j.kernels.Parallel;

/**
 * The most that the cores can multiply and add: fused multiply-adds on registers alone, in as many chains as it takes to keep
 * every unit busy. A product cannot be faster, so its rate is read as a share of this one.
 */
final class FmaPeak implements Runnable {
    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    /** Units × latency is 8 on the cores there are; 12 leaves room, and 12 chains and 2 constants fit 16 registers. */
    private static final int CHAINS = 12;
    /** Some 7 ms. */
    private static final int STEPS = 2_000_000;

    private final Parallel parallel;
    private final float[] results;

    FmaPeak(int threads) {
        parallel = new Parallel(threads);
        results = new float[threads];
    }

    /** Floating-point operations of one {@link #run}. */
    double flop() {
        return 2.0 * CHAINS * SPECIES.length() * STEPS * parallel.threads();
    }

    @Override
    public void run() {
        parallel.forEach(parallel.threads(), t -> results[t] = chains(0.5f, STEPS));
    }

    /** Every chain is x = factor · x + 1, which stays a number of ordinary size. */
    private static float chains(float factor, int steps) {
        FloatVector f = FloatVector.broadcast(SPECIES, factor);
        FloatVector one = FloatVector.broadcast(SPECIES, 1);
        FloatVector x0 = FloatVector.zero(SPECIES);
        FloatVector x1 = FloatVector.broadcast(SPECIES, 1);
        FloatVector x2 = FloatVector.broadcast(SPECIES, 2);
        FloatVector x3 = FloatVector.broadcast(SPECIES, 3);
        FloatVector x4 = FloatVector.broadcast(SPECIES, 4);
        FloatVector x5 = FloatVector.broadcast(SPECIES, 5);
        FloatVector x6 = FloatVector.broadcast(SPECIES, 6);
        FloatVector x7 = FloatVector.broadcast(SPECIES, 7);
        FloatVector x8 = FloatVector.broadcast(SPECIES, 8);
        FloatVector x9 = FloatVector.broadcast(SPECIES, 9);
        FloatVector x10 = FloatVector.broadcast(SPECIES, 10);
        FloatVector x11 = FloatVector.broadcast(SPECIES, 11);
        for (int i = 0; i < steps; i++) {
            x0 = x0.fma(f, one);
            x1 = x1.fma(f, one);
            x2 = x2.fma(f, one);
            x3 = x3.fma(f, one);
            x4 = x4.fma(f, one);
            x5 = x5.fma(f, one);
            x6 = x6.fma(f, one);
            x7 = x7.fma(f, one);
            x8 = x8.fma(f, one);
            x9 = x9.fma(f, one);
            x10 = x10.fma(f, one);
            x11 = x11.fma(f, one);
        }
        FloatVector sum = x0.add(x1).add(x2.add(x3)).add(x4.add(x5).add(x6.add(x7)))
                .add(x8.add(x9).add(x10.add(x11)));
        return sum.lane(0);
    }
}
