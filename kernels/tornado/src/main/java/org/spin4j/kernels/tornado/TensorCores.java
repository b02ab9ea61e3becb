package org.spin4j.kernels.tornado;

import java.util.Arrays;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import uk.ac.manchester.tornado.api.TornadoTargetDevice;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;

/**
 * What products round their operands to where tensor cores compute them. F16 keeps 11 bits of a number and ends at 65504; BF16 keeps 8 and
 * ends where F32 does, as gradients may ask.
 */
enum TensorCores {
    F16, BF16;

    /** The least compute capability whose instruction {@code mma.m16n8k16} takes these types (PTX ISA, mma). */
    private static final int MAJOR = 8;
    private static final Pattern CAPABILITY = Pattern.compile("CUDA (\\d+)\\.(\\d+)");

    /**
     * The one that a backend setting names.
     *
     * @throws IllegalArgumentException where it names none
     */
    static TensorCores of(String option) {
        return Arrays.stream(values()).filter(t -> t.toString().equals(option)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("expected f16 or bf16 behind the comma of the backend"
                        + " setting, found \"" + option + "\"; correct it, or leave it out for products in F32"));
    }

    /** Why a device cannot; empty where it can. */
    static String missing(TornadoDevice device) {
        TornadoTargetDevice physical = device.getPhysicalDevice();
        return missing(device.getTornadoVMBackend(), String.valueOf(physical.getDeviceInfo()));
    }

    /**
     * The same.
     *
     * @param info what TornadoVM tells of the device; its CUDA backend names the compute capability there
     */
    static String missing(TornadoVMBackendType backend, String info) {
        if (backend != TornadoVMBackendType.CUDA) {
            return "TornadoVM reaches them through its CUDA backend, this is " + backend;
        }
        Matcher capability = CAPABILITY.matcher(info);
        if (!capability.find()) {
            return "TornadoVM does not tell the compute capability";
        }
        return Integer.parseInt(capability.group(1)) >= MAJOR
                ? ""
                : "they need compute capability " + MAJOR + ".0, this is " + capability.group(1) + "."
                        + capability.group(2);
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
