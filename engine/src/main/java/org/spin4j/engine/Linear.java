package org.spin4j.engine;

import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.Kernels.Product;
import org.spin4j.kernels.Storage;

/** A linear layer, with bias and residual in the same product: y = x·Wᵀ + b + r. */
public final class Linear {
    private Linear() {}

    /**
     * Forward step; backward: dx = dy·W, dW = dyᵀ·x, db = Σ dy, dr = dy.
     *
     * @param x        [tokens, in]
     * @param weight   [out, in]
     * @param bias     [out], or null
     * @param residual [tokens, out], or null
     * @return [tokens, out]
     */
    public static Tensor apply(Tape tape, Tensor x, Parameter weight, Parameter bias, Tensor residual) {
        Kernels k = tape.kernels();
        int m = x.rows();
        int out = weight.rows();
        int in = weight.cols();
        Tensor y = tape.tensor(m, out);
        Storage b = bias == null ? null : bias.data();
        Storage r = residual == null ? null : residual.data();
        if (weight.packed() != null) {
            k.matmulPacked(m, x.data(), weight.packed(), b, r, y.data());
        } else {
            k.matmul(Product.NT, m, out, in, x.data(), weight.data(), b, r, y.data());
        }
        tape.record(y, () -> {
            Storage dy = y.grad();
            if (weight.grad() != null) {
                k.matmul(Product.TN, out, in, m, dy, x.data(), null, weight.grad(), weight.grad());
            }
            if (bias != null && bias.grad() != null) {
                k.columnSums(m, out, dy, bias.grad());
            }
            Storage addend = x.grad();
            Storage dx = addend == null ? tape.overwritten(x) : addend;
            k.matmul(Product.NN, m, in, out, dy, weight.data(), null, addend, dx);
            if (residual != null) {
                tape.passOn(y, residual);
            }
        });
        return y;
    }
}
