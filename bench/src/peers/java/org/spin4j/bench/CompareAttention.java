package org.spin4j.bench;

import java.io.PrintStream;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import org.spin4j.kernels.VectorKernels;

/**
 * Causal attention forward and backward in spin4j and in libtorch, in turns A B B A in one process, and the memory that it
 * takes. Both read the same numbers and must find the same output and gradients, or nothing is measured.
 */
final class CompareAttention {
    private static final int HEADS = 9;
    private static final int HEAD_DIM = 64;
    private static final int TOKENS = 4096;
    private static final int[] LENGTHS = {256, 1024, 4096};
    private static final int[] MEMORY_LENGTHS = {1024, 4096, 16384};
    /** Longest sequence whose square matrices are tried in libtorch: four of 600 MB. */
    private static final int LONGEST_SQUARE = 4096;
    /** The length that is measured with 1 thread too. */
    private static final int LENGTH_ALONE = 1024;
    /** Results are of the order of 1 and sums of up to 4096 products in float32. */
    private static final double TOLERANCE = 1e-4;
    private static final Duration PATIENCE = Duration.ofSeconds(2);
    private static final Duration LIMIT = Duration.ofSeconds(2);
    private static final int ROUNDS = 10;
    private static final double MEGA = 1e6;

    private CompareAttention() {}

    /** Prints the tables in Markdown. */
    static void run(PrintStream out) {
        out.printf(Locale.ROOT, "Causal attention forward and backward, %d heads of %d, %d tokens, float32. A: spin4j, "
                + "B: %s, matmul–softmax–matmul with mask and autograd; A B B A after warming up. Left out, to keep the "
                + "comparison short: 1 thread at other lengths than %d.%n%n", HEADS, HEAD_DIM, TOKENS,
                Libtorch.describe(), LENGTH_ALONE);
        out.println("| batch × T | threads | passes of each | spin4j ms | libtorch ms | largest difference"
                + " | **libtorch ÷ spin4j** |");
        out.println("|---|---:|---:|---:|---:|---:|---:|");
        for (int length : LENGTHS) {
            if (length == LENGTH_ALONE) {
                measure(out, length, 1);
            }
            measure(out, length, 2);
        }
        out.println();
        memory(out);
    }

    private static void measure(PrintStream out, int length, int threads) {
        int batch = TOKENS / length;
        Libtorch.setThreads(threads);
        try (AttentionStep ours = new AttentionStep(new VectorKernels(threads), batch, length, HEADS, HEAD_DIM);
                LibtorchAttentionStep theirs = new LibtorchAttentionStep(ours, batch, length, HEADS, HEAD_DIM)) {
            double difference = check(ours, theirs);
            SideBySide both = new SideBySide(ours::run, theirs::run, 1);
            // The longest passes take seconds, and the one that was checked has touched all memory.
            both.run("attention of " + length + " tokens, threads: " + threads, length < TOKENS ? 2 : 0, PATIENCE,
                    ROUNDS, LIMIT);
            out.printf(Locale.ROOT, "| %d × %d | %d | %d | %.1f | %.1f | %.1e | **%.2f** |%n", batch, length, threads,
                    both.a().count(), 1e3 * both.a().median(), 1e3 * both.b().median(), difference, both.ratio());
        }
    }

    /** The largest difference of output and gradients. */
    private static double check(AttentionStep ours, LibtorchAttentionStep theirs) {
        ours.run();
        float[] dQkv = ours.dQkv();
        List<float[]> all = theirs.results();
        double difference = Numbers.distance(ours.out(), all.getFirst());
        for (int i = 0; i < 3; i++) {
            difference = Math.max(difference,
                    Numbers.distance(Numbers.columns(dQkv, 3, i, HEADS * HEAD_DIM), all.get(1 + i)));
        }
        if (!(difference <= TOLERANCE)) {
            throw new IllegalStateException(String.format(Locale.ROOT,
                    "expected outputs and gradients of both within %.0e, found a difference of %.2e", TOLERANCE,
                    difference));
        }
        return difference;
    }

    /**
     * What one pass over one sequence needs beside its operands, its output and their gradients. spin4j's working memory is
     * counted where the JVM counts it, as buffers; libtorch's is the growth of the process at its peak.
     */
    private static void memory(PrintStream out) {
        out.println("Memory beside operands, output and gradients, one sequence, 2 threads:");
        out.println();
        out.println("| T | spin4j MB | bytes a token | libtorch MB | one T × T matrix of all heads MB |");
        out.println("|---:|---:|---:|---:|---:|");
        Libtorch.setThreads(2);
        for (int length : MEMORY_LENGTHS) {
            VectorKernels kernels = new VectorKernels(2);
            long ours;
            String theirs = "–";
            try (AttentionStep step = new AttentionStep(kernels, 1, length, HEADS, HEAD_DIM)) {
                long before = buffers();
                step.run();
                ours = buffers() - before + step.keptBytes();
                if (length <= LONGEST_SQUARE && PeakMemory.isKnown()) {
                    theirs = String.format(Locale.ROOT, "%.0f", libtorchBytes(step, length) / MEGA);
                }
            }
            out.printf(Locale.ROOT, "| %d | %.2f | %.0f | %s | %.0f |%n", length, ours / MEGA, ours / (double) length,
                    theirs, 4.0 * HEADS * length * length / MEGA);
        }
    }

    private static double libtorchBytes(AttentionStep operands, int length) {
        try (LibtorchAttentionStep step = new LibtorchAttentionStep(operands, 1, length, HEADS, HEAD_DIM)) {
            step.run(); // the library's own buffers
            PeakMemory.forget();
            long before = PeakMemory.now();
            step.run();
            double outputs = 4.0 * 4 * HEADS * HEAD_DIM * length;
            return Math.max(0, PeakMemory.peak() - before - outputs);
        }
    }

    /** Bytes of buffers in the garbage collector's care, where kernels keep their working memory. */
    private static long buffers() {
        return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(pool -> pool.getName().equals("direct")).mapToLong(BufferPoolMXBean::getMemoryUsed).sum();
    }
}
