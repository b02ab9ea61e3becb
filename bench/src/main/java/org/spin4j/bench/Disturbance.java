package org.spin4j.bench;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** How much of the processors others took while something was measured: what was measured then may not count. */
final class Disturbance {
    /** The line "cpu": ticks that all processors together spent in user, nice, system, idle, iowait, irq, softirq, steal. */
    private static final Path STAT = Path.of("/proc/stat");
    private static final int USER = 1;
    private static final int NICE = 2;
    private static final int SYSTEM = 3;
    private static final int STEAL = 8;
    /** Ticks are hundredths of a second on every Linux that Java runs on. */
    private static final double TICKS = 100;
    private static final OperatingSystemMXBean PROCESS = ManagementFactory
            .getPlatformMXBean(OperatingSystemMXBean.class);

    private final long start = System.nanoTime();
    private final long own = PROCESS.getProcessCpuTime();
    private final String[] before = stat();

    /** A sentence on the time since this was made. */
    String describe() {
        String[] now = stat();
        if (now.length <= STEAL || before.length <= STEAL) {
            return "Meanwhile other programs took an unknown share of the processors.";
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        double used = (spent(now, USER) + spent(now, NICE) + spent(now, SYSTEM)) / TICKS;
        double others = Math.max(0, used - (PROCESS.getProcessCpuTime() - own) / 1e9);
        return String.format(Locale.ROOT, "Meanwhile (%.0f s) other programs took %.2f cores, and the host %.2f.",
                seconds,
                others / seconds, spent(now, STEAL) / TICKS / seconds);
    }

    private double spent(String[] now, int column) {
        return Long.parseLong(now[column]) - Long.parseLong(before[column]);
    }

    /** Columns of the line, or none on a system that has no such file. */
    private static String[] stat() {
        if (!Files.isReadable(STAT)) {
            return new String[0];
        }
        try {
            return Files.readAllLines(STAT).getFirst().split(" +");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
