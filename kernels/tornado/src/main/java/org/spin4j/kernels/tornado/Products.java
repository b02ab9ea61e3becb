package org.spin4j.kernels.tornado;

import java.util.List;
import org.spin4j.kernels.Kernels.Product;

/** How matrix products are computed: see {@link DeviceGemm} and {@link TensorGemm}. */
@FunctionalInterface
interface Products {
    /** The calls of {@link org.spin4j.kernels.Kernels#matmul}; operands are indices in the arena. */
    List<DeviceCall> matmul(Product product, int m, int n, int k, int a, int b, int bias, int addend, int c);
}
