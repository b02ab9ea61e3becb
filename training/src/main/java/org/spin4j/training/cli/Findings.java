package org.spin4j.training.cli;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.awt.Font;
import java.awt.GraphicsEnvironment;
import java.awt.font.FontRenderContext;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * What {@code doctor} finds out by looking: the Java machine, the processor and the memory. What could not be found out is 0,
 * -1 for the load, or empty.
 *
 * @param version       version of Java
 * @param vm            the Java machine, its maker, and how it runs code ("mixed mode")
 * @param debug         kind of build, "release" where it is meant for use
 * @param options       what the Java machine was started with
 * @param vectorModule  whether the Vector API is there
 * @param compilerLevel the highest level of the just-in-time compiler: 4 is C2, 0 none at all
 * @param fma           whether the JVM uses fused multiply-add instructions
 * @param os            operating system
 * @param cpu           the processor's name
 * @param cpuBits       bits of the processor's widest vectors
 * @param cpus          processors of the machine
 * @param cores         processors that this process may use
 * @param memory        bytes of the machine, or of the container
 * @param heap          bytes that the Java heap may grow to
 * @param load          programs that wanted to run in the last minute, on average
 * @param fonts         families of fonts
 * @param fontError     why there is no font
 */
record Findings(Runtime.Version version, String vm, String debug, List<String> options, boolean vectorModule,
        int compilerLevel, boolean fma, String os, String cpu, int cpuBits, int cpus, int cores, long memory, long heap,
        double load, int fonts, String fontError) {

    /** Looks at this machine. */
    static Findings look() {
        String info = cpuInfo();
        var system = ManagementFactory.getOperatingSystemMXBean();
        long memory = system instanceof com.sun.management.OperatingSystemMXBean s ? s.getTotalMemorySize() : 0;
        String fontError = "";
        int fonts = 0;
        try {
            fonts = countFonts();
        } catch (LinkageError | RuntimeException e) {
            fontError = e.toString();
        } catch (Error e) {
            // Java's font code throws a bare Error or an InternalError where it finds no font; nothing else here does.
            if (e.getClass() != Error.class && !(e instanceof InternalError)) {
                throw e;
            }
            fontError = e.toString();
        }
        return new Findings(Runtime.version(),
                System.getProperty("java.vm.name") + ", " + System.getProperty("java.vendor") + ", "
                        + System.getProperty("java.vm.info"),
                System.getProperty("jdk.debug", "release"), ManagementFactory.getRuntimeMXBean().getInputArguments(),
                ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent(), highestLevel(),
                !flag("UseFMA", "true").equals("false"),
                System.getProperty("os.name") + " " + System.getProperty("os.version") + ", "
                        + System.getProperty("os.arch"),
                value(info, "model name", System.getProperty("os.arch")), widest(info),
                (int) info.lines().filter(l -> l.startsWith("processor")).count(),
                Runtime.getRuntime().availableProcessors(), memory, Runtime.getRuntime().maxMemory(),
                system.getSystemLoadAverage(), fonts, fontError);
    }

    private static int highestLevel() {
        return System.getProperty("java.vm.info", "").contains("interpreted")
                ? 0
                : Integer.parseInt(flag("TieredStopAtLevel", "4"));
    }

    /** A setting of this JVM, by the name behind {@code -XX:}. */
    private static String flag(String name, String otherwise) {
        var diagnostics = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
        if (diagnostics == null) {
            return otherwise;
        }
        try {
            return diagnostics.getVMOption(name).getValue();
        } catch (IllegalArgumentException e) {
            return otherwise; // a JVM without that setting
        }
    }

    private static String cpuInfo() {
        Path info = Path.of("/proc/cpuinfo");
        try {
            return Files.isReadable(info) ? Files.readString(info, StandardCharsets.ISO_8859_1) : "";
        } catch (IOException e) {
            return "model name: unknown (" + e.getMessage() + ")";
        }
    }

    private static String value(String info, String key, String otherwise) {
        return info.lines().filter(l -> l.startsWith(key)).findFirst()
                .map(l -> l.substring(l.indexOf(':') + 1).strip()).orElse(otherwise);
    }

    private static int widest(String info) {
        Set<String> flags = new HashSet<>(
                Arrays.asList(value(info, "flags", "").toLowerCase(Locale.ROOT).split("\\s+")));
        return flags.contains("avx512vl") ? 512 : flags.contains("avx2") ? 256 : flags.contains("sse2") ? 128 : 0;
    }

    private static int countFonts() {
        int families = GraphicsEnvironment.getLocalGraphicsEnvironment().getAvailableFontFamilyNames().length;
        new Font(Font.SANS_SERIF, Font.PLAIN, 12).getStringBounds("x", new FontRenderContext(null, true, true));
        return families;
    }
}
