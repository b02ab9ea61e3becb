package org.spin4j.bench;

import org.spin4j.engine.Decoder;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.VectorKernels;

/**
 * Training steps of one program in a process of its own, whose last line is the most memory that was resident, in bytes. With
 * 0 steps it loads the program and computes nothing.
 */
final class StepAlone {
    static final String SPIN4J = "spin4j";
    static final String LIBTORCH = "libtorch";
    private static final int THREADS = 2;

    private StepAlone() {}

    /** Arguments: the program, 7M or 52M, and the number of steps. */
    public static void main(String[] args) {
        TrainSetup setup = args[1].equals("7M") ? TrainSetup.SEVEN_MILLION : TrainSetup.FIFTY_TWO_MILLION;
        int steps = Integer.parseInt(args[2]);
        if (args[0].equals(SPIN4J)) {
            spin4j(setup, steps);
        } else {
            libtorch(setup, steps);
        }
        System.out.println(PeakMemory.peak());
    }

    private static void spin4j(TrainSetup setup, int steps) {
        VectorKernels kernels = new VectorKernels(THREADS);
        if (steps > 0) {
            try (TrainStep step = new TrainStep(kernels, setup)) {
                for (int i = 0; i < steps; i++) {
                    step.run();
                }
            }
        }
    }

    private static void libtorch(TrainSetup setup, int steps) {
        Libtorch.setThreads(THREADS);
        if (steps > 0) {
            Decoder start = Decoder.random(setup.config(), DType.F32, 1);
            try (LibtorchTrainStep step = new LibtorchTrainStep(setup, start.parameters())) {
                start.close();
                for (int i = 0; i < steps; i++) {
                    step.run();
                }
            }
        }
    }
}
