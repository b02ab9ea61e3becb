package org.spin4j.kernels;

/**
 * The shape of an attention layer. A row of the packed {@code qkv} storage holds all query heads, then all key heads, then
 * all value heads of one token: {@code (heads + 2 * kvHeads) * headDim} numbers. Query head {@code h} reads key and value
 * head {@code h / (heads / kvHeads)}.
 *
 * @param heads   query heads
 * @param kvHeads key and value heads; divides {@code heads}
 * @param headDim width of one head
 * @param scale   factor on every score, usually 1/sqrt(headDim)
 * @param window  a token sees those less than this many positions back (itself included); 0 = all
 * @param softcap bound on the scaled scores, which become softcap · tanh(score / softcap) (arXiv 2408.00118); 0 = none
 */
public record AttentionShape(int heads, int kvHeads, int headDim, double scale, int window, double softcap) {
    /** Checks the numbers. */
    public AttentionShape {
        if (heads < 1 || kvHeads < 1 || headDim < 1 || window < 0 || softcap < 0 || heads % kvHeads != 0) {
            throw new IllegalArgumentException(
                    "expected heads to be a multiple of kvHeads, a window and a softcap of at least 0, found " + heads
                            + " heads, " + kvHeads + " kvHeads, headDim " + headDim + ", window " + window
                            + ", softcap " + softcap);
        }
    }

    /** A layer whose scores are not bounded. */
    public AttentionShape(int heads, int kvHeads, int headDim, double scale, int window) {
        this(heads, kvHeads, headDim, scale, window, 0);
    }

    /** Numbers in one row of {@code qkv}. */
    public int qkvWidth() {
        return (heads + 2 * kvHeads) * headDim;
    }

    /** Numbers in one row of the attention output. */
    public int outWidth() {
        return heads * headDim;
    }

    /** Numbers that one layer has in a page of a key-value cache ({@link CachedBatch}). */
    public long pageSize() {
        return 2L * kvHeads * headDim * CachedBatch.PAGE;
    }
}
