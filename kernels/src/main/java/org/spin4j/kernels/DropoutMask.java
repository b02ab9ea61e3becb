package org.spin4j.kernels;

/**
 * Which places dropout keeps, as every backend computes it: a hash of (key, place), so that no mask is stored and the backward step
 * finds that of the forward step again. Place i is kept where {@link #hash} is at least {@code threshold}.
 *
 * @param first     half of the mixed key, for the first round of the hash
 * @param second    the other half, for the second
 * @param threshold probability of being dropped, in units of 2^-31
 * @param scale     what a kept number is multiplied by, so that expectations stay as they are: 1 / (1 - p)
 */
public record DropoutMask(int first, int second, int threshold, double scale) {
    static final int MULTIPLIER_1 = 0x85EBCA6B;
    static final int MULTIPLIER_2 = 0xC2B2AE35;

    /**
     * The mask of a key. The key is mixed first (a step of SplitMix64: Steele, Lea, Flood 2014), so that each of its bits tells in
     * both rounds and keys that follow each other have nothing in common.
     *
     * @param p probability of being dropped, from 0 to below 1
     */
    public static DropoutMask of(double p, long key) {
        requireProbability(p);
        long z = key + 0x9E3779B97F4A7C15L;
        long a = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        long b = (a ^ (a >>> 27)) * 0x94D049BB133111EBL;
        long mixed = b ^ (b >>> 31);
        return new DropoutMask((int) (mixed >>> 32), (int) mixed, (int) (p * 0x1p31), 1 / (1 - p));
    }

    /** Refuses a probability that dropout cannot have. */
    public static void requireProbability(double p) {
        if (!(p >= 0 && p < 1)) {
            throw new IllegalArgumentException("expected a probability of dropout from 0 to below 1, found " + p);
        }
    }

    /** Whether a place keeps its number; places that are 2^32 apart share their fate. */
    public boolean keeps(long place) {
        return hash((int) place, first, second) >= threshold;
    }

    /** 31 bits of a place: two rounds, each with its half of the key. Runs on a device too. */
    public static int hash(int place, int first, int second) {
        return mix(mix(place ^ first) ^ second) >> 1 & 0x7FFFFFFF;
    }

    /**
     * The finaliser of MurmurHash3 for 32 bits (Appleby): every bit of the argument flips every bit of the result half of the time.
     * Its unsigned shifts are written as signed ones without the bits of the sign, as TornadoVM makes the signed one of both.
     */
    private static int mix(int x) {
        int a = (x ^ (x >> 16 & 0xFFFF)) * MULTIPLIER_1;
        int b = (a ^ (a >> 13 & 0x7FFFF)) * MULTIPLIER_2;
        return b ^ (b >> 16 & 0xFFFF);
    }
}
