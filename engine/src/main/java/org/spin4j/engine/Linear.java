package org.spin4j.engine;

import java.lang.foreign.MemorySegment;
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
     * @param weight   [out, in], stored so or the other way round
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
        forward(tape, x, weight, bias == null ? null : bias.data(), residual == null ? null : residual.data(),
                y.data());
        tape.record(y, () -> {
            Storage dy = y.grad();
            if (weight.grad() != null) {
                if (weight.product() == Product.NT) {
                    k.matmul(Product.TN, out, in, m, dy, x.data(), null, weight.grad(), weight.grad());
                } else {
                    k.matmul(Product.TN, in, out, m, x.data(), dy, null, weight.grad(), weight.grad());
                }
            }
            if (bias != null && bias.grad() != null) {
                k.columnSums(m, out, dy, bias.grad());
            }
            Storage addend = x.grad();
            Storage dx = addend == null ? tape.overwritten(x) : addend;
            Product back = weight.product() == Product.NT ? Product.NN : Product.NT;
            k.matmul(back, m, in, out, dy, weight.data(), null, addend, dx);
            if (residual != null) {
                tape.passOn(y, residual);
            }
        });
        return y;
    }

    private static void forward(Tape tape, Tensor x, Parameter weight, Storage bias, Storage residual, Storage y) {
        int m = x.rows();
        int out = weight.rows();
        int from = 0;
        for (Parameter.Block block : weight.use()) {
            int n = block.rows();
            long size = (long) m * n;
            Storage b = bias == null ? null : bias.slice(from, n);
            if (n == out || m == 1) {
                // All of the output, or a stretch of its only row.
                Storage r = residual == null ? null : residual.slice(from, size);
                multiply(tape.kernels(), x, weight, block, b, r, y.slice(from, size));
            } else {
                Storage columns = tape.scratch(size);
                if (residual != null) {
                    copyColumns(m, n, residual, from, out, columns, 0, n);
                }
                multiply(tape.kernels(), x, weight, block, b, residual == null ? null : columns, columns);
                copyColumns(m, n, columns, 0, n, y, from, out);
                tape.free(columns);
            }
            from += n;
        }
    }

    private static void multiply(Kernels k, Tensor x, Parameter weight, Parameter.Block w, Storage bias, Storage addend,
            Storage y) {
        if (w.packed() != null) {
            k.matmulPacked(x.rows(), x.data(), w.packed(), bias, addend, y);
        } else {
            k.matmul(weight.product(), x.rows(), w.rows(), x.cols(), x.data(), w.data(), bias, addend, y);
        }
    }

    /** Copies {@code n} columns of {@code m} rows, from one column on in rows of one width to another in rows of another. */
    private static void copyColumns(int m, int n, Storage from, int fromColumn, int fromWidth, Storage to, int toColumn,
            int toWidth) {
        long bytes = from.type().bytes(1);
        for (long i = 0; i < m; i++) {
            MemorySegment.copy(from.readOnlySegment(), (i * fromWidth + fromColumn) * bytes, to.segment(),
                    (i * toWidth + toColumn) * bytes, n * bytes);
        }
    }
}
