package org.spin4j.engine;

import org.spin4j.kernels.Backends;
import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.ScalarKernels;
import org.spin4j.kernels.Storage;

/** The backends that tests run on. */
final class TestKernels {
    static final Kernels SCALAR = new ScalarKernels();
    /** Fails, rather than tests the specification twice, where the JVM lacks the Vector API. */
    static final Kernels DEFAULT = Backends.choose("vector!", 2);

    private TestKernels() {}

    /** The place of the greatest number. */
    static int argmax(Storage row) {
        int[] place = new int[1];
        SCALAR.argmaxRows(1, Math.toIntExact(row.size()), row, place);
        return place[0];
    }
}
