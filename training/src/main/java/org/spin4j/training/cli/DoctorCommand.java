package org.spin4j.training.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.awt.Font;
import java.awt.GraphicsEnvironment;
import java.awt.font.FontRenderContext;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.Storage;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Looks at the machine. */
@Command(name = "doctor", description = "Says what this machine has, measures how fast it is (about 3 seconds), and advises.", footer = {
        "", "Example:", "  spin4j doctor --json"})
final class DoctorCommand implements Callable<Integer> {
    private static final Runtime.Version OLDEST = Runtime.Version.parse("25.0.3");
    private static final int SIZE = 768;
    private static final int ROW = 1 << 24;
    private static final double SECONDS = 1;

    @Spec
    private CommandSpec spec;

    @Option(names = "--json", description = "Print the findings as JSON.")
    private boolean json;

    @Mixin
    private Machine machine;

    @Override
    public Integer call() {
        Spin4j.quietLog();
        Map<String, Object> findings = new LinkedHashMap<>();
        List<String> advice = new ArrayList<>();
        java(findings, advice);
        hardware(findings, advice);
        compute(findings, advice);
        fonts(findings, advice);
        if (json) {
            ObjectNode node = new ObjectMapper().valueToTree(findings);
            advice.forEach(node.putArray("advice")::add);
            spec.commandLine().getOut().println(node);
        } else {
            findings.forEach((name, value) -> spec.commandLine().getOut().println(String.format(Locale.ROOT, "%-10s %s",
                    name, value instanceof Double d ? String.format(Locale.ROOT, "%.1f", d) : value)));
            spec.commandLine().getOut()
                    .println(advice.isEmpty() ? "all is well" : "advice:\n  " + String.join("\n  ", advice));
        }
        return 0;
    }

    private static void java(Map<String, Object> findings, List<String> advice) {
        Runtime.Version version = Runtime.version();
        findings.put("java", version + ", " + System.getProperty("java.vm.name") + ", "
                + System.getProperty("java.vendor"));
        findings.put("os", System.getProperty("os.name") + " " + System.getProperty("os.version") + ", "
                + System.getProperty("os.arch"));
        if (version.compareToIgnoreOptional(OLDEST) < 0) {
            advice.add("Java " + version + " is older than " + OLDEST + ": install Temurin 25 (https://adoptium.net)");
        }
        if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
            advice.add("the module jdk.incubator.vector is missing: start with ./spin4j, or with "
                    + "--add-modules jdk.incubator.vector");
        }
    }

    private static void hardware(Map<String, Object> findings, List<String> advice) {
        int cores = Runtime.getRuntime().availableProcessors();
        findings.put("cpu", cpuModel());
        findings.put("cores", cores);
        long memory = ManagementFactory
                .getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean system
                        ? system.getTotalMemorySize()
                        : 0;
        findings.put("memory",
                String.format(Locale.ROOT, "%.1f GiB, Java heap at most %.1f GiB; weights lie outside the heap",
                        memory / 0x1p30, Runtime.getRuntime().maxMemory() / 0x1p30));
        if (cores < 4) {
            advice.add("only " + cores + " cores: training is slow here; small models and short sequences will do");
        }
        if (memory > 0 && memory < 4L << 30) {
            advice.add("less than 4 GiB of memory: lower per_device_train_batch_size and max_length");
        }
    }

    private static String cpuModel() {
        Path info = Path.of("/proc/cpuinfo");
        if (Files.isReadable(info)) {
            try {
                return Files.readString(info, StandardCharsets.ISO_8859_1).lines()
                        .filter(l -> l.startsWith("model name")).findFirst()
                        .map(l -> l.substring(l.indexOf(':') + 1).strip()).orElse(System.getProperty("os.arch"));
            } catch (IOException e) {
                return System.getProperty("os.arch") + " (" + e.getMessage() + ")";
            }
        }
        return System.getProperty("os.arch");
    }

    /** Large products tell what training will do, long vectors what memory gives. */
    private void compute(Map<String, Object> findings, List<String> advice) {
        Kernels kernels = machine.kernels();
        findings.put("backend", kernels.describe());
        try (Arena arena = Arena.ofShared()) {
            Storage a = filled(arena, (long) SIZE * SIZE);
            Storage b = filled(arena, (long) SIZE * SIZE);
            Storage c = Storage.allocate(arena, DType.F32, (long) SIZE * SIZE);
            double products = perSecond(
                    () -> kernels.matmul(Kernels.Product.NT, SIZE, SIZE, SIZE, a, b, null, null, c));
            double gigaFlops = 2.0 * SIZE * SIZE * SIZE * products / 1e9;
            findings.put("GFLOP/s", gigaFlops);
            Storage x = filled(arena, ROW);
            Storage y = filled(arena, ROW);
            // Two numbers read and one written, four bytes each.
            findings.put("GB/s", 12.0 * ROW * perSecond(() -> kernels.axpy(ROW, 1e-3, x, y)) / 1e9);
            if (gigaFlops < 10) {
                advice.add(
                        "matrix products are slow: is another program busy, or the backend scalar? Try --backend vector!");
            }
        }
    }

    private static Storage filled(Arena arena, long size) {
        Storage s = Storage.allocate(arena, DType.F32, size);
        for (long i = 0; i < size; i++) {
            s.set(i, (i % 13 - 6) / 7.0);
        }
        return s;
    }

    /** Runs per second, the fastest of what fits into a second after as long a time to get warm. */
    private static double perSecond(Runnable work) {
        double best = 0;
        long begin = System.nanoTime();
        for (int i = 0; i < 3 || System.nanoTime() - begin < SECONDS * 1e9; i++) {
            long start = System.nanoTime();
            work.run();
            best = Math.max(best, 1e9 / (System.nanoTime() - start));
        }
        return best;
    }

    private static void fonts(Map<String, Object> findings, List<String> advice) {
        String lacking = null;
        try {
            int families = GraphicsEnvironment.getLocalGraphicsEnvironment().getAvailableFontFamilyNames().length;
            new Font(Font.SANS_SERIF, Font.PLAIN, 12).getStringBounds("x", new FontRenderContext(null, true, true));
            findings.put("fonts", families + " families");
        } catch (LinkageError | RuntimeException e) {
            lacking = e.toString();
        } catch (Error e) {
            // Java's font code throws a bare Error or an InternalError where it finds no font; nothing else here does.
            if (e.getClass() != Error.class && !(e instanceof InternalError)) {
                throw e;
            }
            lacking = e.toString();
        }
        if (lacking != null) {
            findings.put("fonts", "none (" + lacking + ")");
            advice.add("no fonts: reports show numbers instead of plots; install fontconfig and a font "
                    + "(Debian, Ubuntu: apt-get install fontconfig fonts-dejavu-core)");
        }
    }
}
