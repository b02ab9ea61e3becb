package org.spin4j.kernels.tornado;

import java.util.ArrayList;
import java.util.List;
import uk.ac.manchester.tornado.api.TornadoBackend;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.TornadoDeviceType;
import uk.ac.manchester.tornado.api.runtime.TornadoRuntimeProvider;

/** The devices that TornadoVM finds, and how much memory of one to take. */
final class TornadoDevices {
    /** System property: MiB of device memory to take; most of what there is where it is not set. */
    static final String MEMORY = "spin4j.tornado.memory";

    private static final String BAILOUT = "tornado.recover.bailout";
    /** Kernels index the arena with an int. */
    private static final long MOST = Integer.MAX_VALUE - 1024L;

    private TornadoDevices() {}

    /**
     * A device.
     *
     * @param name backend:device, as TornadoVM numbers them
     */
    record Found(String name, TornadoDevice device) {
        boolean isCpu() {
            return device.getDeviceType() == TornadoDeviceType.CPU;
        }

        /** Numbers of F32 that the arena may have. */
        int room() {
            long most = Math.min(MOST, device.getMaxAllocMemory() / 4 - (1 << 20));
            String asked = System.getProperty(MEMORY);
            long room = asked == null ? Math.min(most, device.getMaxGlobalMemory() / 4 / 10 * 9) : mib(asked) << 18;
            if (room > most) {
                throw new IllegalArgumentException("expected " + MEMORY + " of at most " + (most >> 18)
                        + " MiB, which is what one allocation may have on " + this + ", found " + asked);
            }
            return Math.toIntExact(room);
        }

        private static long mib(String text) {
            try {
                long mib = Long.parseLong(text);
                if (mib >= 1 && mib <= MOST >> 18) {
                    return mib;
                }
            } catch (NumberFormatException e) {
                // The message below says it.
            }
            throw new IllegalArgumentException("expected " + MEMORY + " as MiB from 1 to " + (MOST >> 18)
                    + ", found \"" + text + "\"");
        }

        @Override
        public String toString() {
            return device.getPhysicalDevice().getDeviceName().strip() + " (" + device.getTornadoVMBackend() + " " + name
                    + ", " + (device.getMaxGlobalMemory() >> 20) + " MiB)";
        }
    }

    /**
     * All devices, in TornadoVM's order.
     *
     * @throws UnsupportedOperationException where there is no TornadoVM, or it is set to hide errors; the message says what to do
     */
    static List<Found> find() {
        String bailout = System.getProperty(BAILOUT);
        if (bailout != null && !bailout.equalsIgnoreCase("false")) {
            throw new UnsupportedOperationException("TornadoVM is set to run a kernel that it cannot compile in Java,"
                    + " with wrong results; leave out -D" + BAILOUT + "=" + bailout);
        }
        System.setProperty(BAILOUT, "False");
        // What TornadoVM allows itself; spin4j asks the device.
        setDefault("tornado.device.memory", "1024GB");
        // Graphs of as many tasks as ours need more than its default.
        setDefault("tornado.tvm.maxbytecodesize", "131072");
        // The host's side of the arena is never written to: pinned, it would take as much memory as the device's.
        setDefault("tornado.cuda.host.pinning", "False");
        List<Found> all = new ArrayList<>();
        try {
            int backends = TornadoRuntimeProvider.getTornadoRuntime().getNumBackends();
            for (int b = 0; b < backends; b++) {
                TornadoBackend backend = TornadoRuntimeProvider.getTornadoRuntime().getBackend(b);
                for (int d = 0; d < backend.getNumDevices(); d++) {
                    all.add(new Found(b + ":" + d, backend.getDevice(d)));
                }
            }
        } catch (LinkageError | RuntimeException e) {
            Throwable cause = e;
            while (cause.getCause() != null) {
                cause = cause.getCause();
            }
            throw new UnsupportedOperationException("TornadoVM does not start (" + cause
                    + "); run java with @$TORNADOVM_HOME/tornado-argfile, as ./spin4j does where TORNADOVM_HOME is set",
                    e);
        }
        return all;
    }

    private static void setDefault(String property, String value) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, value);
        }
    }
}
