package org.spin4j.engine;

import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.ScalarKernels;

/** The backends that tests run on. */
final class TestKernels {
    static final Kernels SCALAR = new ScalarKernels();
    static final Kernels DEFAULT = SCALAR;

    private TestKernels() {}
}
