package org.spin4j.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import jdk.incubator.vector.FloatVector;

/** What a figure was measured on: the header that every table carries. */
public final class Machine {
    /** Flags of TornadoVM's argument file that open modules to each other: hundreds, and none of them changes a figure. */
    private static final String PLUMBING = "(--add-(exports|opens|reads)|--(upgrade-)?module-path|-Dtornado\\.load\\.).*";
    private static final Path CPU_INFO = Path.of("/proc/cpuinfo");

    private Machine() {}

    /** Lines of Markdown: processor, operating system, JDK, flags and how busy the machine was before. */
    public static List<String> describe() {
        double load = ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
        return List.of("CPU: " + cpu() + ", " + Runtime.getRuntime().availableProcessors() + " cores, load before "
                + (load < 0 ? "unknown" : String.format(Locale.ROOT, "%.1f", load)),
                "OS: " + System.getProperty("os.name") + " " + System.getProperty("os.version") + ", "
                        + System.getProperty("os.arch"),
                "JDK: " + System.getProperty("java.vm.name") + " " + System.getProperty("java.vm.version"),
                "flags: " + ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                        .filter(flag -> !flag.matches(PLUMBING)).collect(Collectors.joining(" ")));
    }

    /** The vectors that spin4j computes with, one thread or many. */
    static String vectors() {
        return "Vector API, " + FloatVector.SPECIES_PREFERRED.vectorBitSize() + " bit";
    }

    /** The processor's name, with what the system calls it by number: a virtual machine may hide the name. */
    private static String cpu() {
        if (!Files.isReadable(CPU_INFO)) {
            return System.getProperty("os.arch");
        }
        try {
            List<String> lines = Files.readAllLines(CPU_INFO);
            return value(lines, "model name") + " (family " + value(lines, "cpu family") + ", model "
                    + value(lines, "model") + ")";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String value(List<String> lines, String key) {
        return lines.stream().map(line -> line.split(":", 2))
                .filter(pair -> pair.length == 2 && pair[0].strip().equals(key)).map(pair -> pair[1].strip())
                .findFirst()
                .orElse("unknown");
    }
}
