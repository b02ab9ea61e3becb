package org.spin4j.kernels.tornado;

/** A device's memory is used up; the message says what was asked for and what there is. */
final class OutOfDeviceMemoryException extends UnsupportedOperationException {
    private static final long serialVersionUID = 1;

    OutOfDeviceMemoryException(long wanted, long taken, long size) {
        super("expected " + mib(wanted) + " MiB more of device memory, found " + mib(taken) + " of " + mib(size)
                + " MiB taken; take a smaller batch or model, give more with -D" + TornadoDevices.MEMORY
                + " or choose backend=vector");
    }

    private static long mib(long floats) {
        return (4 * floats + (1 << 20) - 1) >> 20;
    }
}
