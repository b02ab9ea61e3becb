package org.spin4j.kernels.tornado;

import java.util.List;
import java.util.function.IntUnaryOperator;
import java.util.function.Supplier;
import org.spin4j.kernels.AttentionShape;
import org.spin4j.kernels.CachedBatch;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.DropoutMask;
import org.spin4j.kernels.Forest;
import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.Sizes;
import org.spin4j.kernels.Storage;

/**
 * The kernels on a device, through TornadoVM. A method says which operands it reads and writes and adds its calls to those that wait;
 * they run when the host must see a result: a return value, most probable tokens, the bytes of a storage.
 */
final class TornadoKernels implements Kernels {
    private final DeviceMemory memory;
    private final String device;
    private final IntUnaryOperator scratch;
    private final Products products;

    /**
     * A weight in F32 at a place of its own.
     *
     * @param product NT: [n, k]; NN: [k, n]
     * @param place   its place, given back when {@code owner} is garbage
     */
    private record Resident(Product product, int n, int k, int place, Object owner) implements PackedMatrix {
        @Override
        public long bytes() {
            return 4L * n * k;
        }
    }

    /** Kernels that compute in F32. */
    TornadoKernels(DeviceMemory memory, String device) {
        this(memory, device, DeviceGemm::matmul);
    }

    TornadoKernels(DeviceMemory memory, String device, Products products) {
        this.memory = memory;
        this.device = device;
        this.products = products;
        scratch = memory::scratch;
    }

    @Override
    public String describe() {
        return "tornado backend (" + device + ", " + (memory.size() >> 18) + " MiB taken)";
    }

    private void run(Supplier<List<DeviceCall>> calls) {
        synchronized (memory) {
            memory.begin();
            memory.add(calls.get());
        }
    }

    private int read(Storage s, long count, String operand) {
        return memory.read(s, count, operand);
    }

    private int write(Storage s, long count, String operand) {
        return memory.write(s, count, operand);
    }

    private int update(Storage s, long count, String operand) {
        return memory.update(s, count, operand);
    }

    private int weight(Storage s, long count, int row, String operand) {
        Sizes.requireWholeRows(s, row, operand);
        return memory.read(s, count, operand);
    }

    /** Whole numbers, which kernels keep as F32. */
    private void fetch(int place, int count, int[] to) {
        float[] numbers = memory.fetch(place, count);
        for (int i = 0; i < count; i++) {
            to[i] = (int) numbers[i];
        }
    }

    // ---- products -------------------------------------------------------------------------------------------------------

    @Override
    public void matmul(Product product, int m, int n, int k, Storage a, Storage b, Storage bias, Storage addend,
            Storage c) {
        run(() -> products.matmul(product, m, n, k, read(a, Sizes.of(m, k), "a"),
                product == Product.NT
                        ? weight(b, Sizes.of(n, k), k, "b")
                        : memory.readF32(b, Sizes.of(n, k), "b"),
                read(bias, n, "bias"), read(addend, Sizes.of(m, n), "addend"), write(c, Sizes.of(m, n), "c")));
    }

    @Override
    public PackedMatrix pack(Product product, int n, int k, Storage b) {
        if (product == Product.TN || product == Product.NN && b.type() != DType.F32) {
            throw new IllegalArgumentException(
                    "expected NT, or NN of F32, to pack, found " + product + " of " + b.type());
        }
        Sizes.requireWholeRows(b, k, "b");
        Object owner = new Object();
        return new Resident(product, n, k, memory.keep(owner, b, Sizes.of(n, k), "b"), owner);
    }

    @Override
    public void matmulPacked(int m, Storage a, PackedMatrix b, Storage bias, Storage addend, Storage c) {
        if (!(b instanceof Resident w)) {
            throw new IllegalArgumentException("expected a matrix packed by the tornado backend, found " + b);
        }
        run(() -> products.matmul(w.product, m, w.n, w.k, read(a, Sizes.of(m, w.k), "a"), w.place,
                read(bias, w.n, "bias"), read(addend, Sizes.of(m, w.n), "addend"), write(c, Sizes.of(m, w.n), "c")));
    }

    // ---- sums and tables ------------------------------------------------------------------------------------------------

    @Override
    public void columnSums(int rows, int cols, Storage x, Storage out) {
        run(() -> DeviceSums.columnSums(rows, cols, read(x, Sizes.of(rows, cols), "x"), update(out, cols, "out"),
                scratch));
    }

    @Override
    public void axpy(long n, double alpha, Storage x, Storage y) {
        run(() -> DeviceActivations.axpy(n, alpha, read(x, n, "x"), update(y, n, "y")));
    }

    @Override
    public double sumOfSquares(long n, Storage x) {
        synchronized (memory) {
            memory.begin();
            int sum = memory.scratch(1);
            memory.add(DeviceSums.sumOfSquares(n, read(x, n, "x"), sum, scratch));
            return memory.fetch(sum, 1)[0];
        }
    }

    @Override
    public void gatherRows(int[] rows, int count, int dim, Storage table, boolean accumulate, Storage out) {
        long n = Sizes.of(count, dim);
        memory.mark();
        run(() -> DeviceTables.gatherRows(rows, count, dim,
                weight(table, Sizes.ofTable(rows, count, dim), dim, "table"),
                accumulate, accumulate ? update(out, n, "out") : write(out, n, "out")));
    }

    @Override
    public void scatterAddRows(int[] rows, int count, int dim, Storage x, Storage table) {
        run(() -> DeviceTables.scatterAddRows(rows, count, dim, read(x, Sizes.of(count, dim), "x"),
                update(table, Sizes.ofTable(rows, count, dim), "table")));
    }

    // ---- norms ----------------------------------------------------------------------------------------------------------

    @Override
    public void rmsNorm(int rows, int dim, double eps, Storage x, Storage weight, Storage out, Storage invRms) {
        long n = Sizes.of(rows, dim);
        run(() -> DeviceNorms.rmsNorm(rows, dim, eps, read(x, n, "x"), read(weight, dim, "weight"),
                write(out, n, "out"),
                write(invRms, rows, "invRms")));
    }

    @Override
    public void rmsNormBackward(int rows, int dim, Storage x, Storage weight, Storage invRms, Storage dOut, Storage dX,
            Storage dWeight) {
        long n = Sizes.of(rows, dim);
        run(() -> DeviceNorms.rmsNormBackward(rows, dim, read(x, n, "x"), read(weight, dim, "weight"),
                read(invRms, rows, "invRms"), read(dOut, n, "dOut"), update(dX, n, "dX"),
                update(dWeight, dim, "dWeight"), scratch));
    }

    @Override
    public void headNorm(int rows, int rowStride, int heads, int headDim, double eps, Storage x, Storage weight,
            Storage before, Storage invRms) {
        long n = Sizes.of(rows, heads);
        run(() -> DeviceNorms.headNorm(rows, rowStride, heads, headDim, eps,
                update(x, Sizes.ofHeads(rows, rowStride, heads, headDim), "x"), read(weight, headDim, "weight"),
                write(before, n * headDim, "before"), write(invRms, n, "invRms")));
    }

    @Override
    public void headNormBackward(int rows, int rowStride, int heads, int headDim, Storage before, Storage weight,
            Storage invRms, Storage dX, Storage dWeight) {
        long n = Sizes.of(rows, heads);
        run(() -> DeviceNorms.headNormBackward(rows, rowStride, heads, headDim, read(before, n * headDim, "before"),
                read(weight, headDim, "weight"), read(invRms, n, "invRms"),
                update(dX, Sizes.ofHeads(rows, rowStride, heads, headDim), "dX"), update(dWeight, headDim, "dWeight"),
                scratch));
    }

    @Override
    public void layerNorm(int rows, int dim, double eps, Storage x, Storage weight, Storage bias, Storage out,
            Storage mean, Storage invStd) {
        long n = Sizes.of(rows, dim);
        run(() -> DeviceNorms.layerNorm(rows, dim, eps, read(x, n, "x"), read(weight, dim, "weight"),
                read(bias, dim, "bias"), write(out, n, "out"), write(mean, rows, "mean"),
                write(invStd, rows, "invStd")));
    }

    @Override
    public void layerNormBackward(int rows, int dim, Storage x, Storage weight, Storage mean, Storage invStd,
            Storage dOut, Storage dX, Storage dWeight, Storage dBias) {
        long n = Sizes.of(rows, dim);
        run(() -> DeviceNorms.layerNormBackward(rows, dim, read(x, n, "x"), read(weight, dim, "weight"),
                read(mean, rows, "mean"), read(invStd, rows, "invStd"), read(dOut, n, "dOut"), update(dX, n, "dX"),
                update(dWeight, dim, "dWeight"), update(dBias, dim, "dBias"), scratch));
    }

    // ---- attention ------------------------------------------------------------------------------------------------------

    @Override
    public void rope(int rows, int rowStride, int heads, int headDim, int[] positions, Storage cosSin, boolean inverse,
            Storage x) {
        if (headDim % 2 != 0) {
            throw new IllegalArgumentException("expected an even headDim, found " + headDim);
        }
        run(() -> DeviceActivations.rope(rows, rowStride, heads, headDim, positions,
                read(cosSin, Sizes.ofTable(positions, rows, headDim), "cosSin"), inverse,
                update(x, Sizes.ofHeads(rows, rowStride, heads, headDim), "x")));
    }

    @Override
    public void attention(Forest forest, AttentionShape shape, Storage qkv, Storage out, Storage logSumExp) {
        int tokens = forest.tokens();
        memory.mark();
        run(() -> DeviceAttention.forward(forest, shape, read(qkv, Sizes.of(tokens, shape.qkvWidth()), "qkv"),
                write(out, Sizes.of(tokens, shape.outWidth()), "out"),
                write(logSumExp, Sizes.of(tokens, shape.heads()), "logSumExp")));
    }

    @Override
    public void attentionBackward(Forest forest, AttentionShape shape, Storage qkv, Storage out, Storage logSumExp,
            Storage dOut, Storage dQkv) {
        int tokens = forest.tokens();
        memory.mark();
        run(() -> DeviceAttentionBackward.backward(forest, shape, read(qkv, Sizes.of(tokens, shape.qkvWidth()), "qkv"),
                read(out, Sizes.of(tokens, shape.outWidth()), "out"),
                read(logSumExp, Sizes.of(tokens, shape.heads()), "logSumExp"),
                read(dOut, Sizes.of(tokens, shape.outWidth()), "dOut"),
                write(dQkv, Sizes.of(tokens, shape.qkvWidth()), "dQkv"), scratch));
    }

    @Override
    public void cachedAttention(CachedBatch batch, AttentionShape shape, long layer, Storage qkv, Storage out) {
        memory.mark();
        run(() -> DeviceCachedAttention.attention(batch, shape, layer,
                page -> memory.update(page, layer, shape.pageSize(), "page"),
                read(qkv, Sizes.of(batch.tokens(), shape.qkvWidth()), "qkv"),
                write(out, Sizes.of(batch.tokens(), shape.outWidth()), "out")));
    }

    // ---- activations ----------------------------------------------------------------------------------------------------

    @Override
    public void swiGlu(int rows, int hidden, Storage gateUp, Storage out) {
        long n = Sizes.of(rows, hidden);
        run(() -> DeviceActivations.swiGlu(rows, hidden, read(gateUp, 2 * n, "gateUp"), write(out, n, "out")));
    }

    @Override
    public void swiGluBackward(int rows, int hidden, Storage gateUp, Storage dOut, Storage dGateUp) {
        long n = Sizes.of(rows, hidden);
        run(() -> DeviceActivations.swiGluBackward(rows, hidden, read(gateUp, 2 * n, "gateUp"), read(dOut, n, "dOut"),
                write(dGateUp, 2 * n, "dGateUp")));
    }

    @Override
    public void geGlu(int rows, int hidden, Storage gateUp, Storage out) {
        long n = Sizes.of(rows, hidden);
        run(() -> DeviceActivations.geGlu(rows, hidden, read(gateUp, 2 * n, "gateUp"), write(out, n, "out")));
    }

    @Override
    public void geGluBackward(int rows, int hidden, Storage gateUp, Storage dOut, Storage dGateUp) {
        long n = Sizes.of(rows, hidden);
        run(() -> DeviceActivations.geGluBackward(rows, hidden, read(gateUp, 2 * n, "gateUp"), read(dOut, n, "dOut"),
                write(dGateUp, 2 * n, "dGateUp")));
    }

    @Override
    public void gelu(long n, Storage x, Storage out) {
        run(() -> DeviceActivations.gelu(n, read(x, n, "x"), write(out, n, "out")));
    }

    @Override
    public void geluBackward(long n, Storage x, Storage dOut, Storage dX) {
        run(() -> DeviceActivations.geluBackward(n, read(x, n, "x"), read(dOut, n, "dOut"), write(dX, n, "dX")));
    }

    @Override
    public void dropout(long n, double p, long key, Storage x) {
        DropoutMask mask = DropoutMask.of(p, key);
        run(() -> DeviceActivations.dropout(n, mask, update(x, n, "x")));
    }

    // ---- probabilities --------------------------------------------------------------------------------------------------

    @Override
    public void tokenLogProbs(int rows, int dim, int vocab, double softcap, Storage hidden, Storage head,
            int[] targets, Storage logProbs, Storage logSumExp, Storage entropy, int[] argmax) {
        Sizes.requireTargets(rows, vocab, targets);
        synchronized (memory) {
            memory.begin();
            int most = argmax == null ? DeviceCall.NONE : memory.scratch(Math.max(1, rows));
            memory.add(
                    DeviceTokenLogProbs.forward(products, rows, dim, vocab, softcap,
                            read(hidden, Sizes.of(rows, dim), "hidden"),
                            weight(head, Sizes.of(vocab, dim), dim, "head"), targets, write(logProbs, rows, "logProbs"),
                            write(logSumExp, rows, "logSumExp"), write(entropy, rows, "entropy"), most, scratch));
            if (argmax != null && rows > 0) {
                fetch(most, rows, argmax);
            }
        }
    }

    @Override
    public void tokenLogProbsBackward(int rows, int dim, int vocab, double softcap, Storage hidden, Storage head,
            int[] targets, Storage logSumExp, Storage dLogProbs, Storage dHidden, Storage dHead) {
        Sizes.requireTargets(rows, vocab, targets);
        run(() -> DeviceTokenLogProbs.backward(products, rows, dim, vocab, softcap,
                read(hidden, Sizes.of(rows, dim), "hidden"),
                weight(head, Sizes.of(vocab, dim), dim, "head"), targets, read(logSumExp, rows, "logSumExp"),
                read(dLogProbs, rows, "dLogProbs"), write(dHidden, Sizes.of(rows, dim), "dHidden"),
                update(dHead, Sizes.of(vocab, dim), "dHead"), scratch));
    }

    @Override
    public void softcap(long n, double cap, Storage x) {
        run(() -> DeviceActivations.softcap(n, cap, update(x, n, "x")));
    }

    @Override
    public void softmaxRows(int rows, int cols, double scale, Storage x, Storage logSumExp) {
        run(() -> DeviceTokenLogProbs.softmaxRows(rows, cols, scale, update(x, Sizes.of(rows, cols), "x"),
                write(logSumExp, rows, "logSumExp")));
    }

    @Override
    public void argmaxRows(int rows, int cols, Storage x, int[] argmax) {
        if (rows == 0) {
            return;
        }
        synchronized (memory) {
            memory.begin();
            int found = memory.scratch(rows);
            memory.add(DeviceTokenLogProbs.argmaxRows(rows, cols, read(x, Sizes.of(rows, cols), "x"), found));
            fetch(found, rows, argmax);
        }
    }

    @Override
    public void repetitionPenalty(int[] places, int count, double penalty, Storage x) {
        run(() -> DeviceSampling.repetitionPenalty(places, count, penalty,
                update(x, Sizes.ofTable(places, count, 1), "x")));
    }

    @Override
    public void sampleRows(int rows, int cols, int topK, double topP, double minP, Storage p, double[] uniforms,
            int[] drawn) {
        if (rows == 0) {
            return;
        }
        synchronized (memory) {
            memory.begin();
            int found = memory.scratch(rows);
            memory.add(DeviceSampling.sampleRows(rows, cols, topK, topP, minP, read(p, Sizes.of(rows, cols), "p"),
                    uniforms, found, scratch));
            fetch(found, rows, drawn);
        }
    }

    // ---- optimisers -----------------------------------------------------------------------------------------------------

    @Override
    public void adamW(long n, Storage param, Storage grad, Storage m, Storage v, double lr, double beta1, double beta2,
            double eps, double weightDecay, double gradScale, int step) {
        run(() -> DeviceOptimizers.adamW(n, update(param, n, "param"), read(grad, n, "grad"), update(m, n, "m"),
                update(v, n, "v"), lr, beta1, beta2, eps, weightDecay, gradScale, step));
    }

    @Override
    public void rmsProp(long n, Storage param, Storage grad, Storage v, double lr, double alpha, double eps,
            double weightDecay, double gradScale) {
        run(() -> DeviceOptimizers.rmsProp(n, update(param, n, "param"), read(grad, n, "grad"), update(v, n, "v"), lr,
                alpha, eps, weightDecay, gradScale));
    }
}
