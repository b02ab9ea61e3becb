package org.spin4j.bench;

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
import org.spin4j.kernels.VectorKernels;

/** A whole training step of the 7M model: forward, backward, AdamW on 8 × 256 tokens. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 5, time = 3)
@Measurement(iterations = 5, time = 3)
@Fork(value = 1, jvmArgs = {Jvm.VECTOR_API, Jvm.NATIVE_ACCESS, Jvm.UNSAFE, Jvm.HEAP})
public class TrainStepBench {
    private static final TrainSetup WORK = TrainSetup.SEVEN_MILLION;

    /** Threads of the kernels. */
    @Param({"1", "2"})
    public int threads;

    private TrainStep step;

    /** Tokens trained on, for a rate. */
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    public static class Progress {
        /** Tokens, which JMH divides by the seconds. */
        public long tokens;
    }

    /** Makes the model. */
    @Setup(Level.Trial)
    public void setUp() {
        step = new TrainStep(new VectorKernels(threads), WORK);
    }

    /** Frees it. */
    @TearDown(Level.Trial)
    public void tearDown() {
        step.close();
    }

    /** One step. */
    @Benchmark
    public double trainStep(Progress progress) {
        progress.tokens += WORK.tokens();
        return step.run();
    }
}
