package org.spin4j.kernels;

import static org.spin4j.kernels.Memory.f32;
import static org.spin4j.kernels.Memory.weight;

import java.lang.ref.Reference;
import jdk.incubator.vector.FloatVector;

/**
 * The kernels in SIMD through the Vector API, on all threads. Numbers are those of {@link ScalarKernels} up to float
 * rounding, and the same bits for any number of threads. Computes in F32 only.
 *
 * <p>This class checks at the door that every operand is as long as its shape asks, and hands plain addresses on; it keeps
 * the storages reachable until the work is done.
 */
public final class VectorKernels implements Kernels {
    private static final String MODULE = "jdk.incubator.vector";
    private static final int LEAST_BITS = 128;

    private final int threads;
    private final int bits;
    private final VectorGemm gemm;
    private final VectorTokenLogProbs tokenLogProbs;
    private final VectorRows rows;
    private final VectorNorms norms;
    private final VectorActivations activations;
    private final VectorAttention attention;
    private final VectorAttentionBackward attentionBackward;
    private final VectorCachedAttention cachedAttention;
    private final VectorSampling sampling;
    private final VectorOptimizers optimizers;

    /**
     * Starts the backend.
     *
     * @param threads number of threads, at least 1
     * @throws UnsupportedOperationException where this JVM cannot run it; the message says why and what to do
     */
    public VectorKernels(int threads) {
        if (ModuleLayer.boot().findModule(MODULE).isEmpty()) {
            throw new UnsupportedOperationException(
                    "the module jdk.incubator.vector is not loaded; start java with --add-modules " + MODULE);
        }
        this.bits = FloatVector.SPECIES_PREFERRED.vectorBitSize();
        if (bits < LEAST_BITS) {
            throw new UnsupportedOperationException("the preferred vector has " + bits + " bits, at least " + LEAST_BITS
                    + " are needed; use a machine with SIMD or start java without -XX:-UseSuperWord and -XX:UseSSE/UseAVX");
        }
        this.threads = threads;
        Parallel parallel = new Parallel(threads);
        this.gemm = new VectorGemm(parallel);
        this.tokenLogProbs = new VectorTokenLogProbs(parallel, gemm);
        this.rows = new VectorRows(parallel);
        this.norms = new VectorNorms(parallel);
        this.activations = new VectorActivations(parallel);
        this.attention = new VectorAttention(parallel);
        this.attentionBackward = new VectorAttentionBackward(parallel);
        this.cachedAttention = new VectorCachedAttention(parallel);
        this.sampling = new VectorSampling(parallel);
        this.optimizers = new VectorOptimizers(parallel);
    }

    /** Bits of the vectors that it computes with. */
    public int bits() {
        return bits;
    }

    @Override
    public String describe() {
        return "vector backend (Vector API, " + bits + " bit, " + threads + (threads == 1 ? " thread)" : " threads)");
    }

    @Override
    public void matmul(Product product, int m, int n, int k, Storage a, Storage b, Storage bias, Storage addend,
            Storage c) {
        gemm.matmul(product, m, n, k, a, b, bias, addend, c);
    }

    @Override
    public PackedMatrix pack(Product product, int n, int k, Storage b) {
        return gemm.pack(product, n, k, b);
    }

    @Override
    public void matmulPacked(int m, Storage a, PackedMatrix b, Storage bias, Storage addend, Storage c) {
        gemm.matmulPacked(m, a, b, bias, addend, c);
    }

    @Override
    public void columnSums(int rows, int cols, Storage x, Storage out) {
        this.rows.columnSums(rows, cols, f32(x, Sizes.of(rows, cols), "x"), f32(out, cols, "out"));
        keep(x, out);
    }

    @Override
    public void axpy(long n, double alpha, Storage x, Storage y) {
        rows.axpy(n, (float) alpha, f32(x, n, "x"), f32(y, n, "y"));
        keep(x, y);
    }

    @Override
    public double sumOfSquares(long n, Storage x) {
        double sum = rows.sumOfSquares(n, f32(x, n, "x"));
        keep(x);
        return sum;
    }

    @Override
    public void gatherRows(int[] rows, int count, int dim, Storage table, boolean accumulate, Storage out) {
        this.rows.gather(rows, count, dim, table.type(), weight(table, Sizes.ofTable(rows, count, dim), dim, "table"),
                accumulate, f32(out, Sizes.of(count, dim), "out"));
        keep(table, out);
    }

    @Override
    public void scatterAddRows(int[] rows, int count, int dim, Storage x, Storage table) {
        this.rows.scatterAdd(rows, count, dim, f32(x, Sizes.of(count, dim), "x"),
                f32(table, Sizes.ofTable(rows, count, dim), "table"));
        keep(x, table);
    }

    @Override
    public void rmsNorm(int rows, int dim, double eps, Storage x, Storage weight, Storage out, Storage invRms) {
        long n = Sizes.of(rows, dim);
        norms.rmsNorm(rows, dim, eps, f32(x, n, "x"), f32(weight, dim, "weight"), f32(out, n, "out"),
                f32(invRms, rows, "invRms"));
        keep(x, weight, out, invRms);
    }

    @Override
    public void rmsNormBackward(int rows, int dim, Storage x, Storage weight, Storage invRms, Storage dOut, Storage dX,
            Storage dWeight) {
        long n = Sizes.of(rows, dim);
        norms.rmsNormBackward(rows, dim, f32(x, n, "x"), f32(weight, dim, "weight"), f32(invRms, rows, "invRms"),
                f32(dOut, n, "dOut"), f32(dX, n, "dX"), f32(dWeight, dim, "dWeight"));
        keep(x, weight, invRms, dOut, dX, dWeight);
    }

    @Override
    public void headNorm(int rows, int rowStride, int heads, int headDim, double eps, Storage x, Storage weight,
            Storage before, Storage invRms) {
        long n = Sizes.of(rows, heads) * headDim;
        norms.headNorm(rows, rowStride, heads, headDim, eps,
                f32(x, Sizes.ofHeads(rows, rowStride, heads, headDim), "x"),
                f32(weight, headDim, "weight"), before == null ? 0 : f32(before, n, "before"),
                f32(invRms, Sizes.of(rows, heads), "invRms"));
        keep(x, weight, before, invRms);
    }

    @Override
    public void headNormBackward(int rows, int rowStride, int heads, int headDim, Storage before, Storage weight,
            Storage invRms, Storage dX, Storage dWeight) {
        norms.headNormBackward(rows, rowStride, heads, headDim,
                f32(before, Sizes.of(rows, heads) * headDim, "before"), f32(weight, headDim, "weight"),
                f32(invRms, Sizes.of(rows, heads), "invRms"),
                f32(dX, Sizes.ofHeads(rows, rowStride, heads, headDim), "dX"), f32(dWeight, headDim, "dWeight"));
        keep(before, weight, invRms, dX, dWeight);
    }

    @Override
    public void layerNorm(int rows, int dim, double eps, Storage x, Storage weight, Storage bias, Storage out,
            Storage mean, Storage invStd) {
        long n = Sizes.of(rows, dim);
        norms.layerNorm(rows, dim, eps, f32(x, n, "x"), f32(weight, dim, "weight"), f32(bias, dim, "bias"),
                f32(out, n, "out"), f32(mean, rows, "mean"), f32(invStd, rows, "invStd"));
        keep(x, weight, bias, out, mean, invStd);
    }

    @Override
    public void layerNormBackward(int rows, int dim, Storage x, Storage weight, Storage mean, Storage invStd,
            Storage dOut, Storage dX, Storage dWeight, Storage dBias) {
        long n = Sizes.of(rows, dim);
        norms.layerNormBackward(rows, dim, f32(x, n, "x"), f32(weight, dim, "weight"), f32(mean, rows, "mean"),
                f32(invStd, rows, "invStd"), f32(dOut, n, "dOut"), f32(dX, n, "dX"), f32(dWeight, dim, "dWeight"),
                f32(dBias, dim, "dBias"));
        keep(x, weight, mean, invStd, dOut, dX, dWeight, dBias);
    }

    @Override
    public void rope(int rows, int rowStride, int heads, int headDim, int[] positions, Storage cosSin, boolean inverse,
            Storage x) {
        if (headDim % 2 != 0) {
            throw new IllegalArgumentException("expected an even headDim, found " + headDim);
        }
        long used = Sizes.ofHeads(rows, rowStride, heads, headDim);
        this.rows.rope(rows, rowStride, heads, headDim, positions,
                f32(cosSin, Sizes.ofTable(positions, rows, headDim), "cosSin"), inverse, f32(x, used, "x"));
        keep(cosSin, x);
    }

    @Override
    public void attention(Forest forest, AttentionShape shape, Storage qkv, Storage out, Storage logSumExp) {
        int tokens = forest.tokens();
        attention.forward(forest, shape, f32(qkv, Sizes.of(tokens, shape.qkvWidth()), "qkv"),
                f32(out, Sizes.of(tokens, shape.outWidth()), "out"),
                f32(logSumExp, Sizes.of(tokens, shape.heads()), "logSumExp"));
        keep(qkv, out, logSumExp);
    }

    @Override
    public void attentionBackward(Forest forest, AttentionShape shape, Storage qkv, Storage out, Storage logSumExp,
            Storage dOut, Storage dQkv) {
        int tokens = forest.tokens();
        attentionBackward.backward(forest, shape, f32(qkv, Sizes.of(tokens, shape.qkvWidth()), "qkv"),
                f32(out, Sizes.of(tokens, shape.outWidth()), "out"),
                f32(logSumExp, Sizes.of(tokens, shape.heads()), "logSumExp"),
                f32(dOut, Sizes.of(tokens, shape.outWidth()), "dOut"),
                f32(dQkv, Sizes.of(tokens, shape.qkvWidth()), "dQkv"));
        keep(qkv, out, logSumExp, dOut, dQkv);
    }

    @Override
    public void cachedAttention(CachedBatch batch, AttentionShape shape, long layer, Storage qkv, Storage out) {
        batch.forEachPage(page -> f32(page, Math.addExact(layer, shape.pageSize()), "page"));
        cachedAttention.attend(batch, shape, layer, f32(qkv, Sizes.of(batch.tokens(), shape.qkvWidth()), "qkv"),
                f32(out, Sizes.of(batch.tokens(), shape.outWidth()), "out"));
        keep(batch, qkv, out);
    }

    @Override
    public void swiGlu(int rows, int hidden, Storage gateUp, Storage out) {
        activations.swiGlu(rows, hidden, f32(gateUp, 2 * Sizes.of(rows, hidden), "gateUp"),
                f32(out, Sizes.of(rows, hidden), "out"));
        keep(gateUp, out);
    }

    @Override
    public void swiGluBackward(int rows, int hidden, Storage gateUp, Storage dOut, Storage dGateUp) {
        long n = Sizes.of(rows, hidden);
        activations.swiGluBackward(rows, hidden, f32(gateUp, 2 * n, "gateUp"), f32(dOut, n, "dOut"),
                f32(dGateUp, 2 * n, "dGateUp"));
        keep(gateUp, dOut, dGateUp);
    }

    @Override
    public void geGlu(int rows, int hidden, Storage gateUp, Storage out) {
        activations.geGlu(rows, hidden, f32(gateUp, 2 * Sizes.of(rows, hidden), "gateUp"),
                f32(out, Sizes.of(rows, hidden), "out"));
        keep(gateUp, out);
    }

    @Override
    public void geGluBackward(int rows, int hidden, Storage gateUp, Storage dOut, Storage dGateUp) {
        long n = Sizes.of(rows, hidden);
        activations.geGluBackward(rows, hidden, f32(gateUp, 2 * n, "gateUp"), f32(dOut, n, "dOut"),
                f32(dGateUp, 2 * n, "dGateUp"));
        keep(gateUp, dOut, dGateUp);
    }

    @Override
    public void gelu(long n, Storage x, Storage out) {
        activations.gelu(n, f32(x, n, "x"), f32(out, n, "out"));
        keep(x, out);
    }

    @Override
    public void geluBackward(long n, Storage x, Storage dOut, Storage dX) {
        activations.geluBackward(n, f32(x, n, "x"), f32(dOut, n, "dOut"), f32(dX, n, "dX"));
        keep(x, dOut, dX);
    }

    @Override
    public void dropout(long n, double p, long key, Storage x) {
        activations.dropout(n, DropoutMask.of(p, key), f32(x, n, "x"));
        keep(x);
    }

    @Override
    public void tokenLogProbs(int rows, int dim, int vocab, double softcap, Storage hidden, Storage head,
            int[] targets, Storage logProbs, Storage logSumExp, Storage entropy, int[] argmax) {
        tokenLogProbs.forward(rows, dim, vocab, (float) softcap, hidden, head, targets, logProbs, logSumExp, entropy,
                argmax);
    }

    @Override
    public void tokenLogProbsBackward(int rows, int dim, int vocab, double softcap, Storage hidden, Storage head,
            int[] targets, Storage logSumExp, Storage dLogProbs, Storage dHidden, Storage dHead) {
        tokenLogProbs.backward(rows, dim, vocab, (float) softcap, hidden, head, targets, logSumExp, dLogProbs, dHidden,
                dHead);
    }

    @Override
    public void softcap(long n, double cap, Storage x) {
        activations.softcap(n, (float) cap, f32(x, n, "x"));
        keep(x);
    }

    @Override
    public void softmaxRows(int rows, int cols, double scale, Storage x, Storage logSumExp) {
        this.rows.softmax(rows, cols, (float) scale, f32(x, Sizes.of(rows, cols), "x"),
                f32(logSumExp, rows, "logSumExp"));
        keep(x, logSumExp);
    }

    @Override
    public void argmaxRows(int rows, int cols, Storage x, int[] argmax) {
        this.rows.argmax(rows, cols, f32(x, Sizes.of(rows, cols), "x"), argmax);
        keep(x);
    }

    @Override
    public void repetitionPenalty(int[] places, int count, double penalty, Storage x) {
        VectorSampling.repetitionPenalty(places, count, (float) penalty, f32(x, Sizes.ofTable(places, count, 1), "x"));
        keep(x);
    }

    @Override
    public void sampleRows(int rows, int cols, int topK, double topP, double minP, Storage p, double[] uniforms,
            int[] drawn) {
        sampling.sample(rows, cols, topK, topP, minP, f32(p, Sizes.of(rows, cols), "p"), uniforms, drawn);
        keep(p);
    }

    @Override
    public void adamW(long n, Storage param, Storage grad, Storage m, Storage v, double lr, double beta1, double beta2,
            double eps, double weightDecay, double gradScale, int step) {
        optimizers.adamW(n, f32(param, n, "param"), f32(grad, n, "grad"), f32(m, n, "m"), f32(v, n, "v"), lr, beta1,
                beta2, eps, weightDecay, gradScale, step);
        keep(param, grad, m, v);
    }

    @Override
    public void rmsProp(long n, Storage param, Storage grad, Storage v, double lr, double alpha, double eps,
            double weightDecay, double gradScale) {
        optimizers.rmsProp(n, f32(param, n, "param"), f32(grad, n, "grad"), f32(v, n, "v"), lr, alpha, eps, weightDecay,
                gradScale);
        keep(param, grad, v);
    }

    /** Memory in the garbage collector's care must not be freed while only its address is in use. */
    @SuppressWarnings("ReachabilityFenceUsage") // after a failure nothing touches the memory any more
    private static void keep(Object... memory) {
        for (Object m : memory) {
            Reference.reachabilityFence(m);
        }
    }
}
