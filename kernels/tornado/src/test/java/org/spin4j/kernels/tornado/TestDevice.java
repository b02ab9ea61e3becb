package org.spin4j.kernels.tornado;

/** The first device there is, with little memory: tests on a CPU's OpenCL are for correctness. */
final class TestDevice {
    static final DeviceMemory MEMORY = new DeviceMemory(TornadoDevices.find().getFirst().device(), 128 << 20, true);

    private TestDevice() {}
}
