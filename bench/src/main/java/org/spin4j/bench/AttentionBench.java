package org.spin4j.bench;

import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.spin4j.kernels.AttentionShape;
import org.spin4j.kernels.Forest;
import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.Storage;
import org.spin4j.kernels.VectorKernels;

/** Causal attention of one layer over 2048 tokens in sequences of one length, forward and backward. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgs = {Jvm.VECTOR_API, Jvm.NATIVE_ACCESS, Jvm.UNSAFE, Jvm.HEAP})
public class AttentionBench {
    private static final int TOKENS = 2048;

    /** Heads and their width. */
    @Param({"6x48", "9x64"})
    public String heads;

    /** Tokens of a sequence; there are as many sequences as make 2048 tokens. */
    @Param({"256", "1024"})
    public int length;

    /** Threads of the kernels. */
    @Param({"1", "2"})
    public int threads;

    private final Arena arena = Arena.ofShared();
    private Kernels kernels;
    private Forest forest;
    private AttentionShape shape;
    private Storage qkv;
    private Storage out;
    private Storage logSumExp;
    private Storage dOut;
    private Storage dQkv;

    /** Makes the operands, the forward result among them. */
    @Setup(Level.Trial)
    public void setUp() {
        kernels = new VectorKernels(threads);
        String[] sizes = heads.split("x", -1);
        int count = Integer.parseInt(sizes[0]);
        int width = Integer.parseInt(sizes[1]);
        int[] lengths = new int[TOKENS / length];
        Arrays.fill(lengths, length);
        forest = Forest.ofSequences(lengths);
        shape = new AttentionShape(count, count, width, 1 / Math.sqrt(width), 0);
        qkv = Numbers.gaussian(arena, (long) TOKENS * shape.qkvWidth(), 1, "qkv");
        dOut = Numbers.gaussian(arena, (long) TOKENS * shape.outWidth(), 1, "dOut");
        out = Numbers.zeros(arena, (long) TOKENS * shape.outWidth());
        logSumExp = Numbers.zeros(arena, (long) TOKENS * count);
        dQkv = Numbers.zeros(arena, (long) TOKENS * shape.qkvWidth());
        kernels.attention(forest, shape, qkv, out, logSumExp);
    }

    /** Frees them. */
    @TearDown(Level.Trial)
    public void tearDown() {
        arena.close();
    }

    /** Attention of all tokens. */
    @Benchmark
    public Storage forward() {
        kernels.attention(forest, shape, qkv, out, logSumExp);
        return out;
    }

    /** Its backward step alone. */
    @Benchmark
    public Storage backward() {
        kernels.attentionBackward(forest, shape, qkv, out, logSumExp, dOut, dQkv);
        return dQkv;
    }
}
