package org.spin4j.training.cli;

import java.util.ArrayList;
import java.util.List;
import org.spin4j.kernels.Backends;
import org.spin4j.kernels.Kernels;
import org.spin4j.training.BadInputException;
import picocli.CommandLine.Option;

/** The options that say what computes. */
final class Machine {
    @Option(names = "--threads", paramLabel = "N", description = "Threads, 0 for all cores (default: 0). Results do not depend on it.")
    private Integer threads;

    @Option(names = "--backend", paramLabel = "NAME", description = "auto, scalar, vector, or tornado for a GPU (tornado:0:0 names it; tornado,f16 or tornado,bf16: products on tensor cores); vector! fails instead of falling back (default: auto).")
    private String backend;

    /** The backend asked for. */
    String backend() {
        return backend == null ? "auto" : backend;
    }

    /** The kernels that the options ask for. */
    Kernels kernels() {
        return open(backend(), threads == null ? 0 : threads);
    }

    /** The same backend with another number of threads; 0 stands for all cores. */
    Kernels kernels(int number) {
        return open(backend(), number);
    }

    /** Threads that the options ask for. */
    int threads() {
        return threads == null || threads == 0 ? Runtime.getRuntime().availableProcessors() : threads;
    }

    /** The options as settings of a configuration. */
    List<String> settings() {
        List<String> settings = new ArrayList<>();
        if (threads != null) {
            settings.add("threads=" + threads);
        }
        if (backend != null) {
            settings.add("backend=" + backend);
        }
        return settings;
    }

    /** A backend by name; 0 threads stands for all cores. */
    static Kernels open(String backend, int threads) {
        if (threads < 0 || threads > 4096) {
            throw BadInputException.of("expected 0 to 4096 threads, found %d; use 0 for all cores", threads);
        }
        return Backends.choose(backend, threads == 0 ? Runtime.getRuntime().availableProcessors() : threads);
    }
}
