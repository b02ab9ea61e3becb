package org.spin4j.engine;

import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.Storage;

/** Normalisation of each row: RMSNorm (arXiv 1910.07467) where there is no bias, LayerNorm (arXiv 1607.06450) where there is. */
public final class Norm {
    private Norm() {}

    /**
     * Forward step. Formulas of both directions stand at the kernels
     * {@link org.spin4j.kernels.Kernels#rmsNorm} and {@link org.spin4j.kernels.Kernels#layerNorm}.
     *
     * @param x      [tokens, dim]
     * @param weight [dim]
     * @param bias   [dim], or null for RMSNorm
     * @return [tokens, dim]
     */
    public static Tensor apply(Tape tape, Tensor x, Parameter weight, Parameter bias, double eps) {
        return bias == null ? rms(tape, x, weight, eps) : layer(tape, x, weight, bias, eps);
    }

    private static Tensor rms(Tape tape, Tensor x, Parameter weight, double eps) {
        Kernels k = tape.kernels();
        Tensor y = tape.tensor(x.rows(), x.cols());
        Storage invRms = tape.scratch(x.rows());
        k.rmsNorm(x.rows(), x.cols(), eps, x.data(), weight.data(), y.data(), invRms);
        tape.record(y, () -> {
            Storage dx = tape.accumulator(x);
            k.rmsNormBackward(x.rows(), x.cols(), x.data(), weight.data(), invRms, y.grad(), dx, weight.grad());
            tape.free(invRms);
        });
        tape.freeUnlessRecording(invRms);
        return y;
    }

    private static Tensor layer(Tape tape, Tensor x, Parameter weight, Parameter bias, double eps) {
        Kernels k = tape.kernels();
        Tensor y = tape.tensor(x.rows(), x.cols());
        Storage mean = tape.scratch(x.rows());
        Storage invStd = tape.scratch(x.rows());
        k.layerNorm(x.rows(), x.cols(), eps, x.data(), weight.data(), bias.data(), y.data(), mean, invStd);
        tape.record(y, () -> {
            Storage dx = tape.accumulator(x);
            k.layerNormBackward(x.rows(), x.cols(), x.data(), weight.data(), mean, invStd, y.grad(), dx, weight.grad(),
                    bias.grad());
            tape.free(mean);
            tape.free(invStd);
        });
        tape.freeUnlessRecording(mean);
        tape.freeUnlessRecording(invStd);
        return y;
    }
}
