package org.spin4j.kernels;

/**
 * Probabilities as whole numbers, shares of 2^-40. Whole numbers add up to the same sum in any order: from the same probabilities every
 * backend draws the same token. What is less than one share is never drawn: of 100,000 tokens, less than 2^-23 altogether, about what
 * rounds off a probability. Runs on a device too, hence the products that fit in 64 bits.
 */
public final class Shares {
    /** Half of the bits of a fraction, see {@link #fraction}. */
    private static final int HALF = 22;

    private Shares() {}

    /**
     * Shares of a probability; none of what is no number.
     *
     * @param p from 0 to 1
     */
    public static long of(float p) {
        // floor(p · 2^40) by halves: TornadoVM makes a long of a float by way of an int. The rest is exact.
        float scaled = p * 0x1p20f;
        int upper = (int) scaled;
        return ((long) upper << 20) + (int) ((scaled - upper) * 0x1p20f);
    }

    /**
     * A number from 0 to 1 in units of 2^-44.
     *
     * @param x from 0 to 1
     */
    public static long fraction(double x) {
        return (long) (x * 0x1p44);
    }

    /** The upper 22 bits of a fraction (23 of the fraction 1). */
    public static int upper(long fraction) {
        return (int) (fraction >> HALF);
    }

    /** The lower 22 bits of a fraction. */
    public static int lower(long fraction) {
        return (int) (fraction & (1 << HALF) - 1);
    }

    /**
     * A fraction of a sum of shares, rounded down: less than the sum where the fraction is less than 1.
     *
     * @param total less than 2^41, shares of probabilities that add up to less than 2
     */
    public static long part(long total, int upper, int lower) {
        return upper * total + (lower * total >> HALF) >> HALF;
    }

    /** The same of a fraction in one piece. */
    static long part(long total, long fraction) {
        return part(total, upper(fraction), lower(fraction));
    }
}
