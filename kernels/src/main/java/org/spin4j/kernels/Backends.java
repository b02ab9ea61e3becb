package org.spin4j.kernels;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;

/**
 * Chooses the backend that computes, and says in one log line which one and why. Falling back to slow loops is never silent.
 */
public final class Backends {
    private static final Logger LOG = System.getLogger("org.spin4j.kernels");

    private Backends() {}

    /**
     * The kernels for a specification: {@code auto} and {@code vector} take the Vector API where the JVM offers it and the
     * scalar loops where not; {@code vector!} takes nothing else; {@code scalar} takes the loops.
     *
     * @param spec    one of the four
     * @param threads number of threads, at least 1
     * @throws IllegalArgumentException      for another specification
     * @throws UnsupportedOperationException where {@code vector!} cannot be had; the message says why and what to do
     */
    public static Kernels choose(String spec, int threads) {
        return switch (spec) {
            case "scalar", "scalar!" -> picked(new ScalarKernels(), "asked for");
            case "vector!" -> picked(new VectorKernels(threads), "asked for, without fallback");
            case "auto", "vector" -> {
                Kernels vector;
                try {
                    vector = new VectorKernels(threads);
                } catch (UnsupportedOperationException e) {
                    yield picked(new ScalarKernels(), "slow fallback, as " + e.getMessage());
                }
                yield picked(vector, spec.equals("auto") ? "the fastest one this JVM offers" : "asked for");
            }
            default -> throw new IllegalArgumentException(
                    "expected backend auto, scalar, vector or vector!, found \"" + spec
                            + "\"; correct the backend setting");
        };
    }

    private static Kernels picked(Kernels kernels, String reason) {
        LOG.log(Level.INFO, "backend: {0}: {1}", kernels.describe(), reason);
        return kernels;
    }
}
