package org.spin4j.kernels;

/**
 * How numbers are stored. Kernels compute in F32; BF16, F16 and Q8_0 are storage types of frozen weights, widened exactly
 * to F32 while a product or a look-up reads them. F64 exists for the gradient checks of the scalar specification.
 */
public enum DType {
    /** 32-bit IEEE floating point: what every backend computes and trains in. */
    F32(1, 4),
    /** 64-bit IEEE floating point: understood by the scalar backend only. */
    F64(1, 8),
    /** The upper half of an F32: 8 bits of exponent, 7 of fraction. */
    BF16(1, 2),
    /** 16-bit IEEE floating point: 5 bits of exponent, 10 of fraction. */
    F16(1, 2),
    /** GGUF's blocks of 32 numbers: a scale d in F16, then 32 signed bytes q; a number is d·q. */
    Q8_0(32, 34);

    private final int block;
    private final int blockBytes;

    DType(int block, int blockBytes) {
        this.block = block;
        this.blockBytes = blockBytes;
    }

    /** Elements that are stored together: 1, or a block's. */
    public int block() {
        return block;
    }

    /** Bytes of one {@link #block}. */
    public int blockBytes() {
        return blockBytes;
    }

    /**
     * Bytes of {@code elements} elements.
     *
     * @throws IllegalArgumentException where that is not a whole number of blocks
     */
    public long bytes(long elements) {
        if (elements % block != 0) {
            throw new IllegalArgumentException("expected a multiple of " + block + " elements of " + this + ", found "
                    + elements);
        }
        return Math.multiplyExact(elements / block, (long) blockBytes);
    }
}
