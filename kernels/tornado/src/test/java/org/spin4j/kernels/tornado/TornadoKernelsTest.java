package org.spin4j.kernels.tornado;

import java.util.List;
import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.KernelsContract;

/** The kernels on a device against the scalar specification; sizes lie around those of blocks, tiles and groups. */
class TornadoKernelsTest implements KernelsContract {
    private static final Kernels TORNADO = new TornadoKernels(TestDevice.MEMORY, "test");

    @Override
    public List<Kernels> backends() {
        return List.of(TORNADO);
    }

    @Override
    public int[] sizes() {
        return new int[]{1, 2, 31, 33, 65, 127, 300};
    }
}
