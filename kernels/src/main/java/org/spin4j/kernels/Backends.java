package org.spin4j.kernels;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;

/**
 * Chooses the backend that computes, and says in one log line which one and why. Falling back to slow loops is never silent.
 */
public final class Backends {
    private static final Logger LOG = System.getLogger("org.spin4j.kernels");

    private Backends() {}

    /**
     * The kernels for a specification: {@code auto} takes a GPU where a module of this project is there that computes on one, else as
     * {@code vector}, which takes the Vector API where the JVM offers it and the scalar loops where not; {@code vector!} takes nothing else;
     * {@code scalar} takes the loops; {@code tornado}, {@code tornado:0:0} take TornadoVM's best device or the one named, and nothing else;
     * {@code ,f16} or {@code ,bf16} behind these rounds what products multiply to 16 bits, on tensor cores.
     *
     * @param spec    one of these
     * @param threads number of threads, at least 1
     * @throws IllegalArgumentException      for another specification
     * @throws UnsupportedOperationException where what must be taken cannot be had; the message says why and what to do
     */
    public static Kernels choose(String spec, int threads) {
        return switch (spec) {
            case "scalar", "scalar!" -> picked(new ScalarKernels(), "asked for");
            case "vector!" -> picked(new VectorKernels(threads), "asked for, without fallback");
            case "vector" -> vector(threads, "asked for");
            case "auto" -> auto(threads);
            default -> onDevice(spec);
        };
    }

    /** The backends of other modules that are there. */
    public static List<BackendProvider> providers() {
        return ServiceLoader.load(BackendProvider.class).stream().map(ServiceLoader.Provider::get).toList();
    }

    private static Kernels auto(int threads) {
        String reason = "the fastest one this JVM offers";
        for (BackendProvider provider : providers()) {
            try {
                Optional<BackendProvider.Device> best = provider.devices().stream()
                        .filter(BackendProvider.Device::faster).findFirst();
                if (best.isPresent()) {
                    return picked(provider.open(best.get().name(), ""), "the GPU that is there");
                }
                reason += "; " + provider.name() + " has no GPU";
            } catch (UnsupportedOperationException e) {
                reason += "; not " + provider.name() + ", as " + e.getMessage();
            }
        }
        return vector(threads, reason);
    }

    private static Kernels vector(int threads, String reason) {
        Kernels vector;
        try {
            vector = new VectorKernels(threads);
        } catch (UnsupportedOperationException e) {
            return picked(new ScalarKernels(), "slow fallback, as " + e.getMessage());
        }
        return picked(vector, reason);
    }

    private static Kernels onDevice(String spec) {
        String[] parts = spec.split(",", 2);
        String type = parts.length == 1 ? "" : parts[1];
        String name = parts[0].replaceFirst("[:!].*", "");
        for (BackendProvider provider : providers()) {
            if (provider.name().equals(name)) {
                List<BackendProvider.Device> devices = provider.devices();
                if (devices.isEmpty()) {
                    throw new UnsupportedOperationException("expected a device for backend " + name
                            + ", found none; install a driver, or choose backend=vector");
                }
                if (parts.length == 2 && type.isEmpty()) {
                    throw new IllegalArgumentException("expected f16 or bf16 behind the comma of the backend setting,"
                            + " found \"" + spec + "\"; leave out the comma for products in F32");
                }
                boolean named = parts[0].startsWith(name + ":");
                return picked(
                        provider.open(named ? parts[0].substring(name.length() + 1) : devices.getFirst().name(), type),
                        named ? "asked for" : "asked for, its best device");
            }
        }
        if (name.equals("tornado")) {
            throw new UnsupportedOperationException("expected the module kernels/tornado for backend tornado, found it"
                    + " left out of this build; set TORNADOVM_HOME to a TornadoVM SDK and start ./spin4j again");
        }
        throw new IllegalArgumentException("expected backend auto, scalar, vector, vector! or tornado, found \"" + spec
                + "\"; correct the backend setting");
    }

    private static Kernels picked(Kernels kernels, String reason) {
        LOG.log(Level.INFO, "backend: {0}: {1}", kernels.describe(), reason);
        return kernels;
    }
}
