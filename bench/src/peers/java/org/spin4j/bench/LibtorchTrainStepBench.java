package org.spin4j.bench;

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
import org.spin4j.kernels.VectorKernels;

/** The work of {@link TrainStepBench} in libtorch, from the same weights, for a JMH run that has both. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 5, time = 3)
@Measurement(iterations = 5, time = 3)
@Fork(value = 1, jvmArgs = {Jvm.VECTOR_API, Jvm.NATIVE_ACCESS, Jvm.UNSAFE, Jvm.HEAP})
public class LibtorchTrainStepBench {
    /** Threads of libtorch. */
    @Param({"1", "2"})
    public int threads;

    private LibtorchTrainStep step;

    /** Makes the model. */
    @Setup(Level.Trial)
    public void setUp() {
        Libtorch.setThreads(threads);
        try (TrainStep start = new TrainStep(new VectorKernels(1), TrainSetup.SEVEN_MILLION)) {
            step = new LibtorchTrainStep(TrainSetup.SEVEN_MILLION, start.parameters());
        }
    }

    /** Frees it. */
    @TearDown(Level.Trial)
    public void tearDown() {
        step.close();
    }

    /** One step. */
    @Benchmark
    public double trainStep() {
        return step.run();
    }
}
