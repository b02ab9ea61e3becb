package org.spin4j.engine;

import java.util.SplittableRandom;

/**
 * Random numbers in streams named by purpose: the stream of (seed, purpose, index) is always the same, whatever else was
 * drawn before, so that sample i does not depend on its neighbours.
 */
public final class RandomStreams {
    private RandomStreams() {}

    /** The stream of {@code seed} for the {@code index}-th use of {@code purpose}. */
    public static SplittableRandom of(long seed, String purpose, long index) {
        long h = mix(seed);
        for (int i = 0; i < purpose.length(); i++) {
            h = mix(h ^ purpose.charAt(i));
        }
        return new SplittableRandom(mix(h ^ mix(index)));
    }

    /** The finaliser of MurmurHash3 after a Weyl step: spreads neighbouring seeds over all 64 bits. */
    private static long mix(long z) {
        long x = z + 0x9e3779b97f4a7c15L;
        x = (x ^ (x >>> 33)) * 0xff51afd7ed558ccdL;
        x = (x ^ (x >>> 33)) * 0xc4ceb9fe1a85ec53L;
        return x ^ (x >>> 33);
    }
}
