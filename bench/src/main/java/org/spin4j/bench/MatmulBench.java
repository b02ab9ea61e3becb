package org.spin4j.bench;

import java.lang.foreign.Arena;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
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
import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.Kernels.Product;
import org.spin4j.kernels.Storage;
import org.spin4j.kernels.VectorKernels;

/** The three matrix products of a linear layer, on squares and on the shapes of the 7M model (tokens × out × in). */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgs = {Jvm.VECTOR_API, Jvm.NATIVE_ACCESS, Jvm.UNSAFE, Jvm.HEAP})
public class MatmulBench {
    /** Which operand is stored transposed. */
    @Param({"NT", "NN", "TN"})
    public Product product;

    /** Sizes m, n, k of C[m,n], with sums of k terms. */
    @Param({"768x768x768", "1536x1536x1536", "2048x288x288", "2048x1536x288", "2048x288x768"})
    public String shape;

    /** Threads of the kernels. */
    @Param({"1", "2"})
    public int threads;

    private final Arena arena = Arena.ofShared();
    private Kernels kernels;
    private int m;
    private int n;
    private int k;
    private Storage a;
    private Storage b;
    private Storage c;

    /** Arithmetic done, for a rate: 10⁹ floating-point operations, a multiplication and an addition being two. */
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    public static class Arithmetic {
        /** GFLOP, which JMH divides by the seconds. */
        public double gflop;
    }

    /** Makes the operands. */
    @Setup(Level.Trial)
    public void setUp() {
        kernels = new VectorKernels(threads);
        String[] sizes = shape.split("x", -1);
        m = Integer.parseInt(sizes[0]);
        n = Integer.parseInt(sizes[1]);
        k = Integer.parseInt(sizes[2]);
        a = Numbers.gaussian(arena, (long) m * k, 1, "a");
        b = Numbers.gaussian(arena, (long) n * k, 1, "b");
        c = Numbers.gaussian(arena, (long) m * n, 1, "c");
    }

    /** Frees them. */
    @TearDown(Level.Trial)
    public void tearDown() {
        arena.close();
    }

    /** C = op(A) · op(B). */
    @Benchmark
    public Storage matmul(Arithmetic arithmetic) {
        kernels.matmul(product, m, n, k, a, b, null, null, c);
        arithmetic.gflop += 2e-9 * m * n * k;
        return c;
    }
}
