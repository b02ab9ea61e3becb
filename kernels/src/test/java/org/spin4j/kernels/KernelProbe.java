package org.spin4j.kernels;

import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.spin4j.kernels.Kernels.Product;

/**
 * Time and allocated bytes of a warm call of every vector kernel; run it by hand, at each width, after a change to a kernel:
 *
 * <pre>java --add-modules jdk.incubator.vector [-XX:MaxVectorSize=16|32] -cp kernels/target/classes:kernels/target/test-classes
 *     org.spin4j.kernels.KernelProbe [threads] [part of a kernel's name]</pre>
 *
 * <p>A kernel whose vectors C2 puts on the heap allocates kilobytes to megabytes a call and runs many times slower; one in order
 * allocates at most the closure of its loop. That depends on what the compiler did in this run, so it is no test.
 */
final class KernelProbe {
    private static final int ROWS = 512;
    private static final int DIM = 256;
    private static final int HIDDEN = 688;
    private static final int VOCAB = 4096;
    private static final int FLAT = 1 << 20;
    private static final long WARM_NANOS = 700_000_000;
    private static final long MEASURED_NANOS = 250_000_000;
    private static final com.sun.management.ThreadMXBean THREADS = (com.sun.management.ThreadMXBean) ManagementFactory
            .getThreadMXBean();

    private final SplittableRandom random = new SplittableRandom(1);
    private final Map<String, Runnable> calls = new LinkedHashMap<>();
    /** Floating-point operations or bytes of a call, in the same order. */
    private final List<Double> work = new ArrayList<>();

    private KernelProbe() {}

    /** See the class. */
    public static void main(String[] args) {
        KernelProbe probe = new KernelProbe();
        Kernels kernels = Backends.choose("vector!", args.length > 0 ? Integer.parseInt(args[0]) : 1);
        probe.products(kernels);
        probe.rows(kernels);
        probe.attention(kernels);
        probe.optimizers(kernels);
        probe.measure(args.length > 1 ? args[1] : "");
    }

    private void add(String name, double amount, Runnable call) {
        calls.put(name, call);
        work.add(amount);
    }

    private void products(Kernels k) {
        for (int size : new int[]{64, 256, 768}) {
            for (Product product : Product.values()) {
                Storage a = normal(size * size);
                Storage b = normal(size * size);
                Storage c = normal(size * size);
                add("matmul " + product + " " + size, 2.0 * size * size * size,
                        () -> k.matmul(product, size, size, size, a, b, null, null, c));
            }
        }
        for (int rows : new int[]{1, 8}) {
            Storage a = normal(rows * DIM);
            Storage b = normal(VOCAB * DIM);
            Storage c = normal(rows * VOCAB);
            Kernels.PackedMatrix packed = k.pack(Product.NT, VOCAB, DIM, b);
            add("matmulPacked " + rows, 2.0 * rows * VOCAB * DIM, () -> k.matmulPacked(rows, a, packed, null, null, c));
        }
        Storage bias = normal(HIDDEN);
        Storage a = normal(ROWS * DIM);
        Storage b = normal(HIDDEN * DIM);
        Storage c = normal(ROWS * HIDDEN);
        add("matmul NT bias addend", 2.0 * ROWS * HIDDEN * DIM,
                () -> k.matmul(Product.NT, ROWS, HIDDEN, DIM, a, b, bias, c, c));
        Storage head = normal(VOCAB * DIM);
        Storage dHead = normal(VOCAB * DIM);
        Storage out = normal(ROWS);
        Storage logSumExp = normal(ROWS);
        Storage entropy = normal(ROWS);
        int[] argmax = new int[ROWS];
        int[] targets = random.ints(ROWS, 0, VOCAB).toArray();
        double flops = 2.0 * ROWS * VOCAB * DIM;
        add("tokenLogProbs", flops,
                () -> k.tokenLogProbs(ROWS, DIM, VOCAB, 0, a, head, targets, out, logSumExp, null, null));
        add("tokenLogProbs entropy", flops,
                () -> k.tokenLogProbs(ROWS, DIM, VOCAB, 0, a, head, targets, out, logSumExp, entropy, argmax));
        Storage d = normal(ROWS);
        Storage dX = normal(ROWS * DIM);
        add("tokenLogProbsBackward", 3 * flops, () -> k.tokenLogProbsBackward(ROWS, DIM, VOCAB, 0, a, head, targets,
                logSumExp, d, dX, dHead));
        Storage logits = normal(ROWS * VOCAB);
        add("softmaxRows", (double) ROWS * VOCAB, () -> k.softmaxRows(ROWS, VOCAB, 1, logits, out));
        double[] uniforms = random.doubles(ROWS).toArray();
        add("sampleRows", (double) ROWS * VOCAB,
                () -> k.sampleRows(ROWS, VOCAB, 0, 1, 0, logits, uniforms, targets));
    }

    private void rows(Kernels k) {
        Storage x = normal(ROWS * DIM);
        Storage y = normal(ROWS * DIM);
        Storage d = normal(ROWS * DIM);
        Storage weight = normal(DIM);
        Storage bias = normal(DIM);
        Storage mean = normal(ROWS);
        Storage inv = positive(ROWS);
        double n = (double) ROWS * DIM;
        add("columnSums", n, () -> k.columnSums(ROWS, DIM, x, bias));
        add("axpy", FLAT, axpy(k));
        Storage flat = normal(FLAT);
        add("sumOfSquares", FLAT, () -> k.sumOfSquares(FLAT, flat));
        Storage table = normal(VOCAB * DIM);
        int[] ids = random.ints(ROWS, 0, VOCAB).toArray();
        add("gatherRows", n, () -> k.gatherRows(ids, ROWS, DIM, table, false, y));
        add("gatherRows accumulate", n, () -> k.gatherRows(ids, ROWS, DIM, table, true, y));
        add("scatterAddRows", n, () -> k.scatterAddRows(ids, ROWS, DIM, x, table));
        add("rmsNorm", n, () -> k.rmsNorm(ROWS, DIM, 1e-5, x, weight, y, inv));
        add("rmsNormBackward", n, () -> k.rmsNormBackward(ROWS, DIM, x, weight, inv, d, y, bias));
        add("layerNorm", n, () -> k.layerNorm(ROWS, DIM, 1e-5, x, weight, bias, y, mean, inv));
        Storage dBias = normal(DIM);
        add("layerNormBackward", n,
                () -> k.layerNormBackward(ROWS, DIM, x, weight, mean, inv, d, y, bias, dBias));
        int[] positions = IntStream.range(0, ROWS).toArray();
        Storage cosSin = normal(ROWS * 64);
        add("rope", n, () -> k.rope(ROWS, DIM, 4, 64, positions, cosSin, false, x));
        Storage gateUp = normal(2 * ROWS * HIDDEN);
        Storage dGateUp = normal(2 * ROWS * HIDDEN);
        Storage act = normal(ROWS * HIDDEN);
        Storage dAct = normal(ROWS * HIDDEN);
        double h = (double) ROWS * HIDDEN;
        add("swiGlu", h, () -> k.swiGlu(ROWS, HIDDEN, gateUp, act));
        add("swiGluBackward", h, () -> k.swiGluBackward(ROWS, HIDDEN, gateUp, dAct, dGateUp));
        add("gelu", h, () -> k.gelu(ROWS * HIDDEN, gateUp, act));
        add("dropout", h, () -> k.dropout(ROWS * HIDDEN, 0.1, 1, act));
        add("geluBackward", h, () -> k.geluBackward(ROWS * HIDDEN, gateUp, dAct, act));
    }

    private Runnable axpy(Kernels k) {
        Storage x = normal(FLAT);
        Storage y = normal(FLAT);
        return () -> k.axpy(FLAT, 1e-3, x, y);
    }

    private void attention(Kernels k) {
        AttentionShape shape = new AttentionShape(4, 2, 64, 0.125, 0);
        int length = 256;
        Forest forest = Forest.ofSequences(length, length);
        int tokens = forest.tokens();
        Storage qkv = normal(tokens * shape.qkvWidth());
        Storage out = normal(tokens * shape.outWidth());
        Storage dOut = normal(tokens * shape.outWidth());
        Storage dQkv = normal(tokens * shape.qkvWidth());
        Storage logSumExp = normal(tokens * shape.heads());
        double flops = 2.0 * 2 * shape.outWidth() * length * (length + 1);
        add("attention", flops, () -> k.attention(forest, shape, qkv, out, logSumExp));
        add("attentionBackward", 2.5 * flops,
                () -> k.attentionBackward(forest, shape, qkv, out, logSumExp, dOut, dQkv));
        int streams = 8;
        int[] ones = IntStream.range(0, streams).map(i -> 1).toArray();
        int[] positions = IntStream.range(0, streams).map(i -> 500 - i).toArray();
        CachedBatch batch = new CachedBatch(ones, positions,
                IntStream.range(0, streams).mapToObj(stream -> IntStream.range(0, 8)
                        .mapToObj(p -> normal((int) shape.pageSize())).toList()).toList());
        add("cachedAttention", 4.0 * streams * 500 * shape.outWidth(),
                () -> k.cachedAttention(batch, shape, 0, qkv, out));
    }

    private void optimizers(Kernels k) {
        Storage param = normal(FLAT);
        Storage grad = normal(FLAT);
        Storage m = normal(FLAT);
        Storage v = positive(FLAT);
        add("adamW", FLAT, () -> k.adamW(FLAT, param, grad, m, v, 1e-3, 0.9, 0.95, 1e-8, 0.1, 1, 3));
        add("rmsProp", FLAT, () -> k.rmsProp(FLAT, param, grad, v, 1e-3, 0.99, 1e-8, 0.1, 1));
    }

    private void measure(String part) {
        calls.forEach((name, call) -> {
            if (name.contains(part)) {
                repeat(call, WARM_NANOS);
            }
        });
        System.out.printf("%-24s %12s %12s %14s%n", "", "us/call", "G/s", "bytes/call");
        int i = 0;
        for (Map.Entry<String, Runnable> call : calls.entrySet()) {
            double amount = work.get(i++);
            if (!call.getKey().contains(part)) {
                continue;
            }
            repeat(call.getValue(), MEASURED_NANOS);
            long bytes = THREADS.getTotalThreadAllocatedBytes();
            long start = System.nanoTime();
            long runs = repeat(call.getValue(), MEASURED_NANOS);
            double nanos = (double) (System.nanoTime() - start) / runs;
            double allocated = (double) (THREADS.getTotalThreadAllocatedBytes() - bytes) / runs;
            System.out.printf(Locale.ROOT, "%-24s %12.1f %12.2f %14.0f%n", call.getKey(), nanos / 1e3, amount / nanos,
                    allocated);
        }
    }

    private static long repeat(Runnable call, long nanos) {
        long begin = System.nanoTime();
        long runs = 0;
        do {
            call.run();
            runs++;
        } while (System.nanoTime() - begin < nanos);
        return runs;
    }

    private Storage normal(int n) {
        Storage s = Storage.allocate(Arena.ofAuto(), DType.F32, n);
        for (int i = 0; i < n; i++) {
            s.set(i, random.nextDouble() - 0.5);
        }
        return s;
    }

    private Storage positive(int n) {
        Storage s = Storage.allocate(Arena.ofAuto(), DType.F32, n);
        for (int i = 0; i < n; i++) {
            s.set(i, random.nextDouble() + 0.1);
        }
        return s;
    }
}
