package org.spin4j.kernels.tornado;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.spin4j.kernels.BackendProvider;
import org.spin4j.kernels.Kernels;

/** Offers TornadoVM's devices as backend {@code tornado}. */
public final class TornadoBackend implements BackendProvider {
    /** One memory a device: storages are where they are, whoever asks for kernels. */
    private static final Map<String, DeviceMemory> MEMORIES = new HashMap<>();

    /** For the service loader. */
    public TornadoBackend() {}

    @Override
    public String name() {
        return "tornado";
    }

    @Override
    public List<Device> devices() {
        return TornadoDevices.find().stream().sorted(Comparator.comparing(TornadoDevices.Found::isCpu))
                .map(found -> new Device(found.name(), found.toString(), !found.isCpu(),
                        TensorCores.missing(found.device())))
                .toList();
    }

    @Override
    public Kernels open(String device, String type) {
        List<TornadoDevices.Found> all = TornadoDevices.find();
        TornadoDevices.Found found = all.stream().filter(f -> f.name().equals(device)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("expected a device of TornadoVM ("
                        + all.stream().map(TornadoDevices.Found::name).collect(Collectors.joining(", "))
                        + "), found \"" + device + "\"; correct the backend setting"));
        Optional<TensorCores> cores = type.isEmpty() ? Optional.empty() : Optional.of(TensorCores.of(type));
        String missing = cores.isEmpty() ? "" : TensorCores.missing(found.device());
        if (!missing.isEmpty()) {
            throw new UnsupportedOperationException("expected a device with tensor cores for products in " + type
                    + " (an NVIDIA GPU of compute capability 8.0 or later, by an SDK with TornadoVM's CUDA backend), found "
                    + found + ": " + missing + "; leave out \"," + type + "\", or choose another device or SDK");
        }
        synchronized (MEMORIES) {
            DeviceMemory memory = MEMORIES.computeIfAbsent(device, d -> memory(found));
            return cores.map(c -> new TornadoKernels(memory, found + ", products in " + c + " on tensor cores",
                    new TensorGemm(c, memory::scratch))).orElseGet(() -> new TornadoKernels(memory, found.toString()));
        }
    }

    private static DeviceMemory memory(TornadoDevices.Found found) {
        int room = found.room();
        try {
            return new DeviceMemory(found.device(), room, false);
        } catch (UnsupportedOperationException e) {
            throw e;
        } catch (RuntimeException e) {
            throw new UnsupportedOperationException("expected " + (room >> 18) + " MiB in one piece on " + found
                    + ", found " + e + "; take less with -D" + TornadoDevices.MEMORY, e);
        }
    }
}
