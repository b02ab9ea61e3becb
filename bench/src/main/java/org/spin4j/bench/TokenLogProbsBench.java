package org.spin4j.bench;

import java.lang.foreign.Arena;
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
import org.spin4j.engine.RandomStream;
import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.Storage;
import org.spin4j.kernels.VectorKernels;

/** Head projection, log-softmax and gather of 2048 rows over a vocabulary of 4096 at width 288. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgs = {Jvm.VECTOR_API, Jvm.NATIVE_ACCESS, Jvm.UNSAFE, Jvm.HEAP})
public class TokenLogProbsBench {
    private static final int ROWS = 2048;
    private static final int DIM = 288;
    private static final int VOCABULARY = 4096;

    /** Threads of the kernels. */
    @Param({"1", "2"})
    public int threads;

    private final Arena arena = Arena.ofShared();
    private final int[] targets = new int[ROWS];
    private final int[] argmax = new int[ROWS];
    private Kernels kernels;
    private Storage hidden;
    private Storage head;
    private Storage logProbs;
    private Storage logSumExp;
    private Storage entropy;
    private Storage dLogProbs;
    private Storage dHidden;
    private Storage dHead;

    /** Makes the operands. */
    @Setup(Level.Trial)
    public void setUp() {
        kernels = new VectorKernels(threads);
        hidden = Numbers.gaussian(arena, (long) ROWS * DIM, 1, "hidden");
        head = Numbers.gaussian(arena, (long) VOCABULARY * DIM, 0.02, "head");
        dLogProbs = Numbers.gaussian(arena, ROWS, 1.0 / ROWS, "dLogProbs");
        logProbs = Numbers.zeros(arena, ROWS);
        logSumExp = Numbers.zeros(arena, ROWS);
        entropy = Numbers.zeros(arena, ROWS);
        dHidden = Numbers.zeros(arena, (long) ROWS * DIM);
        dHead = Numbers.zeros(arena, (long) VOCABULARY * DIM);
        RandomStream random = RandomStream.of(1, "targets", 0);
        for (int i = 0; i < ROWS; i++) {
            targets[i] = random.nextInt(VOCABULARY);
        }
        forward();
    }

    /** Frees them. */
    @TearDown(Level.Trial)
    public void tearDown() {
        arena.close();
    }

    /** Log-probability of each row's target. */
    @Benchmark
    public Storage forward() {
        kernels.tokenLogProbs(ROWS, DIM, VOCABULARY, 0, hidden, head, targets, logProbs, logSumExp, entropy, argmax);
        return logProbs;
    }

    /** Its backward step alone. */
    @Benchmark
    public Storage backward() {
        kernels.tokenLogProbsBackward(ROWS, DIM, VOCABULARY, 0, hidden, head, targets, logSumExp, dLogProbs, dHidden,
                dHead);
        return dHidden;
    }
}
