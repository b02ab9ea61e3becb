package org.spin4j.bench;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.spin4j.kernels.AttentionShape;
import org.spin4j.kernels.CachedBatch;
import org.spin4j.kernels.Forest;
import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.Storage;

/**
 * Kernels that time each call of other kernels and keep books by kernel and shape. Arithmetic is counted as the formulas
 * need it (attention: what the causal mask leaves), so that work a kernel does twice shows as a lower rate. Memory traffic
 * is counted as each operand read or written once.
 */
public final class TimedKernels implements Kernels {
    private static final int FLOAT = 4;

    /**
     * What the calls of one kernel with one shape took.
     *
     * @param kernel name, and shape where several occur
     * @param calls  number of calls
     * @param nanos  time of all calls together, in nanoseconds of the clock
     * @param flop   floating-point operations of all calls together; 0 where memory is what counts
     * @param bytes  bytes moved by all calls together
     * @param heap   bytes of Java heap that the calling thread took in all calls together
     */
    public record Entry(String kernel, int calls, long nanos, double flop, double bytes, long heap) {
        private Entry plus(Entry more) {
            return new Entry(kernel, calls + more.calls, nanos + more.nanos, flop + more.flop, bytes + more.bytes,
                    heap + more.heap);
        }

        /** Speed, in the unit that limits such a kernel: GFLOP/s, or GB/s. */
        public String rate() {
            return flop > 0
                    ? String.format(Locale.ROOT, "%.1f GFLOP/s", flop / nanos)
                    : String.format(Locale.ROOT, "%.1f GB/s", bytes / nanos);
        }
    }

    private final Kernels kernels;
    private final LongSupplier clock;
    private final LongSupplier heap;
    private final Map<String, Entry> entries = new HashMap<>();

    /**
     * Times the calls of {@code kernels}.
     *
     * @param clock nanoseconds since any moment
     * @param heap  bytes of Java heap that this thread has taken since any moment
     */
    public TimedKernels(Kernels kernels, LongSupplier clock, LongSupplier heap) {
        this.kernels = kernels;
        this.clock = clock;
        this.heap = heap;
    }

    /** The books, longest time first. */
    public List<Entry> entries() {
        List<Entry> list = new ArrayList<>(entries.values());
        list.sort(Comparator.comparingLong(Entry::nanos).reversed());
        return list;
    }

    /** Begins new books. */
    public void reset() {
        entries.clear();
    }

    private <T> T timed(String kernel, double flop, double numbers, Supplier<T> call) {
        long taken = heap.getAsLong();
        long start = clock.getAsLong();
        T result = call.get();
        long nanos = clock.getAsLong() - start;
        long more = heap.getAsLong() - taken;
        entries.merge(kernel, new Entry(kernel, 1, nanos, flop, numbers * FLOAT, more), Entry::plus);
        return result;
    }

    private void timed(String kernel, double flop, double numbers, Runnable call) {
        timed(kernel, flop, numbers, () -> {
            call.run();
            return null;
        });
    }

    @Override
    public String describe() {
        return kernels.describe();
    }

    @Override
    public void matmul(Product product, int m, int n, int k, Storage a, Storage b, Storage bias, Storage addend,
            Storage c) {
        timed("matmul " + product + " " + m + "x" + n + "x" + k, products(m, n, k), 0,
                () -> kernels.matmul(product, m, n, k, a, b, bias, addend, c));
    }

    @Override
    public PackedMatrix pack(Product product, int n, int k, Storage b) {
        return timed("pack", 0, 2.0 * n * k, () -> kernels.pack(product, n, k, b));
    }

    @Override
    public void matmulPacked(int m, Storage a, PackedMatrix b, Storage bias, Storage addend, Storage c) {
        timed("matmulPacked " + m + "x" + b.n() + "x" + b.k(), products(m, b.n(), b.k()), 0,
                () -> kernels.matmulPacked(m, a, b, bias, addend, c));
    }

    @Override
    public void columnSums(int rows, int cols, Storage x, Storage out) {
        timed("columnSums", 0, (double) rows * cols, () -> kernels.columnSums(rows, cols, x, out));
    }

    @Override
    public void axpy(long n, double alpha, Storage x, Storage y) {
        timed("axpy", 0, 3.0 * n, () -> kernels.axpy(n, alpha, x, y));
    }

    @Override
    public double sumOfSquares(long n, Storage x) {
        return timed("sumOfSquares", 0, (double) n, () -> kernels.sumOfSquares(n, x));
    }

    @Override
    public void gatherRows(int[] rows, int count, int dim, Storage table, boolean accumulate, Storage out) {
        timed("gatherRows", 0, 2.0 * count * dim,
                () -> kernels.gatherRows(rows, count, dim, table, accumulate, out));
    }

    @Override
    public void scatterAddRows(int[] rows, int count, int dim, Storage x, Storage table) {
        timed("scatterAddRows", 0, 3.0 * count * dim, () -> kernels.scatterAddRows(rows, count, dim, x, table));
    }

    @Override
    public void rmsNorm(int rows, int dim, double eps, Storage x, Storage weight, Storage out, Storage invRms) {
        timed("rmsNorm", 0, 2.0 * rows * dim, () -> kernels.rmsNorm(rows, dim, eps, x, weight, out, invRms));
    }

    @Override
    public void rmsNormBackward(int rows, int dim, Storage x, Storage weight, Storage invRms, Storage dOut, Storage dX,
            Storage dWeight) {
        timed("rmsNormBackward", 0, 4.0 * rows * dim,
                () -> kernels.rmsNormBackward(rows, dim, x, weight, invRms, dOut, dX, dWeight));
    }

    @Override
    public void headNorm(int rows, int rowStride, int heads, int headDim, double eps, Storage x, Storage weight,
            Storage before, Storage invRms) {
        timed("headNorm", 0, (before == null ? 2.0 : 3.0) * rows * heads * headDim,
                () -> kernels.headNorm(rows, rowStride, heads, headDim, eps, x, weight, before, invRms));
    }

    @Override
    public void headNormBackward(int rows, int rowStride, int heads, int headDim, Storage before, Storage weight,
            Storage invRms, Storage dX, Storage dWeight) {
        timed("headNormBackward", 0, 3.0 * rows * heads * headDim, () -> kernels.headNormBackward(rows, rowStride,
                heads, headDim, before, weight, invRms, dX, dWeight));
    }

    @Override
    public void layerNorm(int rows, int dim, double eps, Storage x, Storage weight, Storage bias, Storage out,
            Storage mean, Storage invStd) {
        timed("layerNorm", 0, 2.0 * rows * dim,
                () -> kernels.layerNorm(rows, dim, eps, x, weight, bias, out, mean, invStd));
    }

    @Override
    public void layerNormBackward(int rows, int dim, Storage x, Storage weight, Storage mean, Storage invStd,
            Storage dOut, Storage dX, Storage dWeight, Storage dBias) {
        timed("layerNormBackward", 0, 4.0 * rows * dim,
                () -> kernels.layerNormBackward(rows, dim, x, weight, mean, invStd, dOut, dX, dWeight, dBias));
    }

    @Override
    public void rope(int rows, int rowStride, int heads, int headDim, int[] positions, Storage cosSin, boolean inverse,
            Storage x) {
        timed(inverse ? "rope backward" : "rope", 0, 2.0 * rows * heads * headDim,
                () -> kernels.rope(rows, rowStride, heads, headDim, positions, cosSin, inverse, x));
    }

    @Override
    public void attention(Forest forest, AttentionShape shape, Storage qkv, Storage out, Storage logSumExp) {
        timed("attention", 2 * attentionProduct(forest, shape), 0,
                () -> kernels.attention(forest, shape, qkv, out, logSumExp));
    }

    @Override
    public void attentionBackward(Forest forest, AttentionShape shape, Storage qkv, Storage out, Storage logSumExp,
            Storage dOut, Storage dQkv) {
        // Scores once more, and the gradients of weights, values, queries and keys.
        timed("attentionBackward", 5 * attentionProduct(forest, shape), 0,
                () -> kernels.attentionBackward(forest, shape, qkv, out, logSumExp, dOut, dQkv));
    }

    @Override
    public void cachedAttention(CachedBatch batch, AttentionShape shape, long layer, Storage qkv, Storage out) {
        double seen = 0;
        for (int s = 0; s < batch.streams(); s++) {
            seen += (batch.end(s) - (batch.length(s) - 1) / 2.0) * batch.length(s);
        }
        timed("cachedAttention", 0, seen * 2 * shape.kvHeads() * shape.headDim(),
                () -> kernels.cachedAttention(batch, shape, layer, qkv, out));
    }

    @Override
    public void swiGlu(int rows, int hidden, Storage gateUp, Storage out) {
        timed("swiGlu", 0, 3.0 * rows * hidden, () -> kernels.swiGlu(rows, hidden, gateUp, out));
    }

    @Override
    public void swiGluBackward(int rows, int hidden, Storage gateUp, Storage dOut, Storage dGateUp) {
        timed("swiGluBackward", 0, 5.0 * rows * hidden,
                () -> kernels.swiGluBackward(rows, hidden, gateUp, dOut, dGateUp));
    }

    @Override
    public void geGlu(int rows, int hidden, Storage gateUp, Storage out) {
        timed("geGlu", 0, 3.0 * rows * hidden, () -> kernels.geGlu(rows, hidden, gateUp, out));
    }

    @Override
    public void geGluBackward(int rows, int hidden, Storage gateUp, Storage dOut, Storage dGateUp) {
        timed("geGluBackward", 0, 5.0 * rows * hidden,
                () -> kernels.geGluBackward(rows, hidden, gateUp, dOut, dGateUp));
    }

    @Override
    public void gelu(long n, Storage x, Storage out) {
        timed("gelu", 0, 2.0 * n, () -> kernels.gelu(n, x, out));
    }

    @Override
    public void geluBackward(long n, Storage x, Storage dOut, Storage dX) {
        timed("geluBackward", 0, 3.0 * n, () -> kernels.geluBackward(n, x, dOut, dX));
    }

    @Override
    public void tokenLogProbs(int rows, int dim, int vocab, double softcap, Storage hidden, Storage head,
            int[] targets, Storage logProbs, Storage logSumExp, Storage entropy, int[] argmax) {
        timed("tokenLogProbs", products(rows, dim, vocab), 0, () -> kernels.tokenLogProbs(rows, dim, vocab, softcap,
                hidden, head, targets, logProbs, logSumExp, entropy, argmax));
    }

    @Override
    public void tokenLogProbsBackward(int rows, int dim, int vocab, double softcap, Storage hidden, Storage head,
            int[] targets, Storage logSumExp, Storage dLogProbs, Storage dHidden, Storage dHead) {
        // Logits once more, since they were not kept, and the gradients of both factors.
        timed("tokenLogProbsBackward", 3 * products(rows, dim, vocab), 0,
                () -> kernels.tokenLogProbsBackward(rows, dim, vocab, softcap, hidden, head, targets, logSumExp,
                        dLogProbs, dHidden, dHead));
    }

    @Override
    public void softcap(long n, double cap, Storage x) {
        timed("softcap", 0, 2.0 * n, () -> kernels.softcap(n, cap, x));
    }

    @Override
    public void dropout(long n, double p, long key, Storage x) {
        timed("dropout", 0, 2.0 * n, () -> kernels.dropout(n, p, key, x));
    }

    @Override
    public void softmaxRows(int rows, int cols, double scale, Storage x, Storage logSumExp) {
        timed("softmaxRows", 0, 2.0 * rows * cols, () -> kernels.softmaxRows(rows, cols, scale, x, logSumExp));
    }

    @Override
    public void argmaxRows(int rows, int cols, Storage x, int[] argmax) {
        timed("argmaxRows", 0, 1.0 * rows * cols, () -> kernels.argmaxRows(rows, cols, x, argmax));
    }

    @Override
    public void repetitionPenalty(int[] places, int count, double penalty, Storage x) {
        timed("repetitionPenalty", 0, 1.0 * count, () -> kernels.repetitionPenalty(places, count, penalty, x));
    }

    @Override
    public void sampleRows(int rows, int cols, int topK, double topP, double minP, Storage p, double[] uniforms,
            int[] drawn) {
        timed("sampleRows", 0, 2.0 * rows * cols,
                () -> kernels.sampleRows(rows, cols, topK, topP, minP, p, uniforms, drawn));
    }

    @Override
    public void adamW(long n, Storage param, Storage grad, Storage m, Storage v, double lr, double beta1, double beta2,
            double eps, double weightDecay, double gradScale, int step) {
        timed("adamW", 0, 7.0 * n, () -> kernels.adamW(n, param, grad, m, v, lr, beta1, beta2, eps, weightDecay,
                gradScale, step));
    }

    @Override
    public void rmsProp(long n, Storage param, Storage grad, Storage v, double lr, double alpha, double eps,
            double weightDecay, double gradScale) {
        timed("rmsProp", 0, 5.0 * n,
                () -> kernels.rmsProp(n, param, grad, v, lr, alpha, eps, weightDecay, gradScale));
    }

    private static double products(int m, int n, int k) {
        return 2.0 * m * n * k;
    }

    /** Operations of one of attention's products, scores for instance: two per visible pair of tokens and dimension. */
    private static double attentionProduct(Forest forest, AttentionShape shape) {
        double pairs = 0;
        for (int i = 0; i < forest.tokens(); i++) {
            int visible = forest.position(i) + 1;
            pairs += shape.window() == 0 ? visible : Math.min(visible, shape.window());
        }
        return 2 * pairs * shape.heads() * shape.headDim();
    }
}
