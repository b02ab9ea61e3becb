package org.spin4j.engine;

import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.Storage;

/**
 * Normalisation of each row: RMSNorm (arXiv 1910.07467) where there is no bias, LayerNorm (arXiv 1607.06450) where there is. The
 * Gemma family stores an RMSNorm's weight as its difference from 1.
 */
public final class Norm {
    private Norm() {}

    /**
     * Forward step. Formulas of both directions stand at the kernels
     * {@link org.spin4j.kernels.Kernels#rmsNorm} and {@link org.spin4j.kernels.Kernels#layerNorm}.
     *
     * @param x      [tokens, dim]
     * @param weight [dim]
     * @param bias   [dim], or null for RMSNorm
     * @param offset what is added to an RMSNorm's weight: 0, or 1 in the Gemma family
     * @return [tokens, dim]
     */
    public static Tensor apply(Tape tape, Tensor x, Parameter weight, Parameter bias, double eps, double offset) {
        return bias == null ? rms(tape, x, weight, eps, offset) : layer(tape, x, weight, bias, eps);
    }

    /** A weight plus {@code offset}: memory of the tape to be given to {@link #freeShifted}, or the weight's own for 0. */
    static Storage shifted(Tape tape, Parameter weight, double offset) {
        if (offset == 0) {
            return weight.data();
        }
        Storage w = tape.scratch(weight.size());
        for (long i = 0; i < weight.size(); i++) {
            w.set(i, offset + weight.data().get(i));
        }
        return w;
    }

    static void freeShifted(Tape tape, Storage shifted, Parameter weight) {
        if (shifted != weight.data()) {
            tape.free(shifted);
        }
    }

    private static Tensor rms(Tape tape, Tensor x, Parameter weight, double eps, double offset) {
        Kernels k = tape.kernels();
        Storage w = shifted(tape, weight, offset);
        Tensor y = tape.tensor(x.rows(), x.cols());
        Storage invRms = tape.scratch(x.rows());
        k.rmsNorm(x.rows(), x.cols(), eps, x.data(), w, y.data(), invRms);
        tape.record(y, () -> {
            Storage dx = tape.accumulator(x);
            k.rmsNormBackward(x.rows(), x.cols(), x.data(), w, invRms, y.grad(), dx, weight.grad());
            tape.free(invRms);
            freeShifted(tape, w, weight);
        });
        if (!tape.isRecording()) {
            tape.free(invRms);
            freeShifted(tape, w, weight);
        }
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
