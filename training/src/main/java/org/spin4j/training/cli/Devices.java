package org.spin4j.training.cli;

import java.util.ArrayList;
import java.util.List;
import org.spin4j.kernels.BackendProvider;
import org.spin4j.kernels.Backends;

/** What {@code doctor} says of GPUs and what else could compute: each device, its memory, and whether it is taken by itself. */
final class Devices {
    private Devices() {}

    /** A line for each device, or one on why there are none. */
    static List<String> look() {
        List<String> lines = new ArrayList<>();
        for (BackendProvider provider : Backends.providers()) {
            try {
                List<BackendProvider.Device> devices = provider.devices();
                for (BackendProvider.Device device : devices) {
                    lines.add(provider.name() + ":" + device.name() + " " + device.label()
                            + (device.faster() ? "" : "; not taken by auto: no GPU, the vector backend is faster")
                            + (device.narrow().isEmpty()
                                    ? "; tensor cores with f16 or bf16 behind the name, as in " + provider.name() + ":"
                                            + device.name() + ",bf16"
                                    : "; no tensor cores: " + device.narrow()));
                }
                if (devices.isEmpty()) {
                    lines.add(provider.name() + ": none; TornadoVM finds no driver for a GPU");
                }
            } catch (UnsupportedOperationException e) {
                lines.add(provider.name() + ": none, as " + e.getMessage());
            }
        }
        if (lines.isEmpty()) {
            lines.add("processor only; for a GPU set TORNADOVM_HOME to a TornadoVM SDK");
        }
        return lines;
    }
}
