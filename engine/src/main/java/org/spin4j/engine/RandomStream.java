package org.spin4j.engine;

import java.util.random.RandomGenerator;

/**
 * A stream of random numbers named by what it is for, so that no part of a run can disturb another by drawing more or
 * fewer numbers.
 *
 * <p>Counter-based: number {@code n} of a stream is a mixing function of the stream's key and {@code n} (SplitMix64: Steele,
 * Lea, Flood, "Fast splittable pseudorandom number generators", 2014). The same seed, purpose and index give the same
 * numbers on every machine.
 */
public final class RandomStream implements RandomGenerator {
    private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

    private final long key;
    private long counter;

    private RandomStream(long key) {
        this.key = key;
    }

    /**
     * The stream of one purpose.
     *
     * @param seed the run's seed
     * @param purpose what the numbers are for, "shuffle" for instance
     * @param index which of many such streams, an epoch or a sample for instance
     */
    public static RandomStream of(long seed, String purpose, long index) {
        long key = mix(seed + GOLDEN_GAMMA);
        for (int i = 0; i < purpose.length(); i++) {
            key = mix(key + GOLDEN_GAMMA * (purpose.charAt(i) + 1L));
        }
        return new RandomStream(mix(mix(key ^ purpose.length()) + GOLDEN_GAMMA * (index + 1)));
    }

    @Override
    public long nextLong() {
        return mix(key + GOLDEN_GAMMA * ++counter);
    }

    /** The numbers 0 … n−1 in random order (Fisher–Yates). */
    public int[] permutation(int n) {
        int[] order = new int[n];
        for (int i = 0; i < n; i++) {
            int j = nextInt(i + 1);
            order[i] = order[j];
            order[j] = i;
        }
        return order;
    }

    /** The finaliser of SplitMix64 (Stafford's variant 13). */
    private static long mix(long z) {
        long a = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        long b = (a ^ (a >>> 27)) * 0x94D049BB133111EBL;
        return b ^ (b >>> 31);
    }
}
