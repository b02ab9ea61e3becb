package org.spin4j.kernels;

/**
 * The one list of numeric kernels. {@link ScalarKernels} says in plain loops what each of them means; other backends give
 * the same numbers up to rounding. All storages are row-major. Unless a method says "added to", outputs are overwritten;
 * an output may not overlap an input except where said. Storages may be longer than the shape asks; a shorter one is an
 * {@link IllegalArgumentException}.
 *
 * <p>Every result is the same for any number of threads, and a row of a result does not depend on the other rows in the
 * call, as long as all numbers are finite: work is split by output tile or by fixed chunk, and the terms of each sum are added in one fixed order.
 *
 * <p>Frozen weights may be stored as BF16, F16 or Q8_0, where a method says "any weight type"; the result is bit for bit
 * that of the weight widened to F32. Rows of a Q8_0 weight are whole blocks of 32.
 */
public interface Kernels {
    /** The three matrix products of a linear layer, named by which operand is stored transposed. */
    enum Product {
        /** C[m,n] = A[m,k] · B[k,n]: gradient of a layer's input. */
        NN,
        /** C[m,n] = A[m,k] · B[n,k]ᵀ: a layer's forward step, weights stored [out, in]. */
        NT,
        /** C[m,n] = A[k,m]ᵀ · B[k,n]: gradient of a layer's weights. */
        TN
    }

    /** A right-hand matrix in the layout that a backend multiplies fastest; valid for the kernels that made it. */
    interface PackedMatrix {
        /** Columns of the product. */
        int n();

        /** Length of each sum. */
        int k();

        /** Bytes of memory that it takes: what a product with few rows reads. */
        long bytes();
    }

    /** One line on what computes: backend, vector width, threads. */
    String describe();

    /**
     * C = op(A) · op(B) + bias + addend.
     *
     * @param b      any weight type where {@code product} is NT
     * @param bias   [n], or null
     * @param addend [m,n], or null; may be {@code c} itself, which then accumulates
     * @param c      [m,n]
     */
    void matmul(Product product, int m, int n, int k, Storage a, Storage b, Storage bias, Storage addend, Storage c);

    /**
     * Lays out a weight {@code [n,k]} (or {@code [k,n]} where {@code product} is NN) for {@link #matmulPacked}, in its own
     * type.
     *
     * @param product NT or NN
     * @param b       any weight type where {@code product} is NT
     */
    PackedMatrix pack(Product product, int n, int k, Storage b);

    /** C[m,n] = A[m,k] · op(B) + bias + addend, bit for bit what {@link #matmul} gives. */
    void matmulPacked(int m, Storage a, PackedMatrix b, Storage bias, Storage addend, Storage c);

    /** out[j] += sum over rows of x[i,j]: gradient of a bias. */
    void columnSums(int rows, int cols, Storage x, Storage out);

    /** y += alpha · x, over n numbers. */
    void axpy(long n, double alpha, Storage x, Storage y);

    /** Sum of the squares of n numbers, in double precision. */
    double sumOfSquares(long n, Storage x);

    /**
     * Looks rows up in a table: out[i,:] = table[rows[i],:], or += where {@code accumulate}.
     *
     * @param rows  row numbers, {@code count} of them
     * @param table [tableRows, dim], any weight type
     * @param out   [count, dim]
     */
    void gatherRows(int[] rows, int count, int dim, Storage table, boolean accumulate, Storage out);

    /** table[rows[i],:] += x[i,:], in order of i: the backward step of {@link #gatherRows}. */
    void scatterAddRows(int[] rows, int count, int dim, Storage x, Storage table);

    /**
     * RMSNorm (Zhang and Sennrich 2019, arXiv 1910.07467, eq. 4): out = x / sqrt(mean(x²) + eps) · weight.
     *
     * @param x      [rows, dim]
     * @param weight [dim]
     * @param out    [rows, dim]
     * @param invRms [rows]: 1/sqrt(mean(x²) + eps), kept for the backward step
     */
    void rmsNorm(int rows, int dim, double eps, Storage x, Storage weight, Storage out, Storage invRms);

    /** Backward step of {@link #rmsNorm}: gradients are added to {@code dX} [rows, dim] and {@code dWeight} [dim]. */
    void rmsNormBackward(int rows, int dim, Storage x, Storage weight, Storage invRms, Storage dOut, Storage dX,
            Storage dWeight);

    /**
     * RMSNorm of every head of each row, in place, as Qwen 3 and Gemma 3 normalise queries and keys.
     *
     * @param rowStride numbers from one row of x to the next; the first {@code heads · headDim} of each row are normalised
     * @param x         {@code rows} rows, changed
     * @param weight    [headDim]
     * @param before    [rows, heads · headDim]: the numbers as they were, kept for the backward step; or null
     * @param invRms    [rows, heads], kept for the backward step
     */
    void headNorm(int rows, int rowStride, int heads, int headDim, double eps, Storage x, Storage weight,
            Storage before, Storage invRms);

    /**
     * Backward step of {@link #headNorm}, in place too: the gradient of the result in {@code dX} becomes that of the input;
     * the weight's is added to {@code dWeight} [headDim].
     */
    void headNormBackward(int rows, int rowStride, int heads, int headDim, Storage before, Storage weight,
            Storage invRms, Storage dX, Storage dWeight);

    /**
     * LayerNorm (Ba et al. 2016, arXiv 1607.06450): out = (x - mean) / sqrt(variance + eps) · weight + bias.
     *
     * @param mean   [rows], kept for the backward step
     * @param invStd [rows], kept for the backward step
     */
    void layerNorm(int rows, int dim, double eps, Storage x, Storage weight, Storage bias, Storage out, Storage mean,
            Storage invStd);

    /** Backward step of {@link #layerNorm}: gradients are added to {@code dX}, {@code dWeight} and {@code dBias}. */
    void layerNormBackward(int rows, int dim, Storage x, Storage weight, Storage mean, Storage invStd, Storage dOut,
            Storage dX, Storage dWeight, Storage dBias);

    /**
     * Rotary position embedding (Su et al. 2021, arXiv 2104.09864, eq. 34), in place, in the half-split layout of Hugging
     * Face: (x[j], x[j + headDim/2]) turns by the angle of (position, j).
     *
     * @param rowStride numbers from one row of x to the next; the first {@code heads · headDim} of each row are turned
     * @param positions position of each row, {@code rows} of them
     * @param cosSin    [maxPositions, headDim]: headDim/2 cosines, then headDim/2 sines
     * @param inverse   turn back: the backward step
     */
    void rope(int rows, int rowStride, int heads, int headDim, int[] positions, Storage cosSin, boolean inverse,
            Storage x);

    /**
     * Causal softmax attention over segments (Vaswani et al. 2017, arXiv 1706.03762, eq. 1), computed block by block with a
     * running maximum (Dao et al. 2022, arXiv 2205.14135): scores of a whole sequence are never in memory. A token sees
     * itself, what precedes it in its segment, and all tokens of the segment's ancestors, within the window.
     *
     * @param qkv       [tokens, shape.qkvWidth()]
     * @param out       [tokens, shape.outWidth()]
     * @param logSumExp [tokens, heads]: natural logarithm of the sum of exponentials of the scaled scores
     */
    void attention(Forest forest, AttentionShape shape, Storage qkv, Storage out, Storage logSumExp);

    /** Backward step of {@link #attention}; {@code dQkv} [tokens, shape.qkvWidth()] is overwritten. */
    void attentionBackward(Forest forest, AttentionShape shape, Storage qkv, Storage out, Storage logSumExp,
            Storage dOut,
            Storage dQkv);

    /**
     * Attention of the new tokens of several streams over all tokens that their streams have so far, within the window. Stores
     * the new tokens' keys and values first. What a token gets is the same bit for bit however many tokens come with it, and equal
     * to what {@link #attention} gives it in a plain sequence.
     *
     * @param layer where the layer lies in each page: numbers that other layers have before it
     * @param qkv   [batch.tokens(), shape.qkvWidth()]
     * @param out   [batch.tokens(), shape.outWidth()]
     */
    void cachedAttention(CachedBatch batch, AttentionShape shape, long layer, Storage qkv, Storage out);

    /** SwiGLU (Shazeer 2020, arXiv 2002.05202): out = silu(gate) · up, where a row of gateUp is [gate, up]. */
    void swiGlu(int rows, int hidden, Storage gateUp, Storage out);

    /** Backward step of {@link #swiGlu}; {@code dGateUp} [rows, 2·hidden] is overwritten. */
    void swiGluBackward(int rows, int hidden, Storage gateUp, Storage dOut, Storage dGateUp);

    /** GEGLU (Shazeer 2020, arXiv 2002.05202): out = gelu(gate) · up, laid out as in {@link #swiGlu}; gelu as below. */
    void geGlu(int rows, int hidden, Storage gateUp, Storage out);

    /** Backward step of {@link #geGlu}; {@code dGateUp} [rows, 2·hidden] is overwritten. */
    void geGluBackward(int rows, int hidden, Storage gateUp, Storage dOut, Storage dGateUp);

    /** GELU (Hendrycks and Gimpel 2016, arXiv 1606.08415) in its tanh form, "gelu_new". */
    void gelu(long n, Storage x, Storage out);

    /** Backward step of {@link #gelu}; {@code dX} is overwritten. */
    void geluBackward(long n, Storage x, Storage dOut, Storage dX);

    /**
     * Dropout (Srivastava et al. 2014, JMLR 15, section 4), in place and inverted: x[i] becomes 0 with probability p, else
     * x[i] / (1 - p). Which ones is a hash of (key, i), see {@link DropoutMask}: the same for every backend, and for the backward step
     * this kernel is run on the gradient with the same key.
     *
     * @param p   from 0 to below 1
     * @param key 64 bits, all of which matter
     */
    void dropout(long n, double p, long key, Storage x);

    /**
     * Log-probability of one target per row: head projection, log-softmax and gather, walking the vocabulary in chunks so
     * that rows × vocabulary numbers are never in memory.
     *
     * @param softcap   bound on the logits, which become softcap · tanh(logit / softcap); 0 = none
     * @param hidden    [rows, dim]
     * @param head      [vocab, dim], any weight type
     * @param targets   token to be predicted at each row
     * @param logProbs  [rows]: log p(targets[i])
     * @param logSumExp [rows], kept for the backward step
     * @param entropy   [rows]: entropy of the distribution in nats; or null
     * @param argmax    most probable token of each row (the lowest id on a tie), {@code rows} long; or null
     */
    void tokenLogProbs(int rows, int dim, int vocab, double softcap, Storage hidden, Storage head, int[] targets,
            Storage logProbs, Storage logSumExp, Storage entropy, int[] argmax);

    /**
     * Backward step of {@link #tokenLogProbs}: d logProb / d logit = [target] - softmax, and (1 - (logit / softcap)²) times
     * that where logits are capped.
     *
     * @param dLogProbs [rows]
     * @param dHidden   [rows, dim], overwritten
     * @param dHead     [vocab, dim], added to
     */
    void tokenLogProbsBackward(int rows, int dim, int vocab, double softcap, Storage hidden, Storage head,
            int[] targets, Storage logSumExp, Storage dLogProbs, Storage dHidden, Storage dHead);

    /** Bounds n numbers smoothly, in place (Gemma 2, arXiv 2408.00118, section 2): x = cap · tanh(x / cap). */
    void softcap(long n, double cap, Storage x);

    /**
     * Softmax of each row of logits, in place: x = exp(scale · x - logSumExp).
     *
     * @param scale     1 / temperature
     * @param logSumExp [rows]: log-sum-exp of the scaled logits
     */
    void softmaxRows(int rows, int cols, double scale, Storage x, Storage logSumExp);

    /**
     * The column of each row's greatest number, the lowest where several are as great.
     *
     * @param argmax [rows]
     */
    void argmaxRows(int rows, int cols, Storage x, int[] argmax);

    /**
     * Divides positive logits of tokens seen before by a penalty and multiplies negative ones (Keskar et al. 2019, arXiv 1909.05858,
     * section 4.1), in place.
     *
     * @param places index of each such logit in x, no two the same
     * @param count  how many places there are
     */
    void repetitionPenalty(int[] places, int count, double penalty, Storage x);

    /**
     * Draws a column of each row of probabilities: the first at which the running sum of what may be drawn passes the row's uniform number
     * times the whole sum; column 0 where there is nothing to draw from. Probabilities are {@link Shares}, and their sums exact: the same probabilities
     * and settings give the same columns in every backend. Filters come one after the other, each of what the one before leaves; columns as
     * probable as the last that a filter lets through pass too.
     *
     * @param topK     only the k most probable; 0 = all
     * @param topP     only the fewest most probable that add up to this share of what is left (Holtzman et al. 2019, arXiv 1904.09751); 1 = all
     * @param minP     only those at least this times as probable as the most probable (Nguyen et al. 2024, arXiv 2407.01082); 0 = all
     * @param p        [rows, cols], each row's sum less than 2
     * @param uniforms [rows]: in [0, 1)
     * @param drawn    [rows]
     */
    void sampleRows(int rows, int cols, int topK, double topP, double minP, Storage p, double[] uniforms, int[] drawn);

    /**
     * One AdamW step (Loshchilov and Hutter 2017, arXiv 1711.05101) as torch.optim.AdamW takes it.
     *
     * @param gradScale factor on every gradient first (clipping)
     * @param step      number of this step, from 1
     */
    void adamW(long n, Storage param, Storage grad, Storage m, Storage v, double lr, double beta1, double beta2,
            double eps,
            double weightDecay, double gradScale, int step);

    /** One RMSProp step as torch.optim.RMSprop takes it: v = αv + (1-α)g², p -= lr · g / (sqrt(v) + eps). */
    void rmsProp(long n, Storage param, Storage grad, Storage v, double lr, double alpha, double eps,
            double weightDecay,
            double gradScale);
}
