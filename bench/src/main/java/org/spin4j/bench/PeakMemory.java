package org.spin4j.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Resident memory of this process, as Linux counts it: everything, Java's and libraries' alike. */
final class PeakMemory {
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final Path CLEAR = Path.of("/proc/self/clear_refs");

    private PeakMemory() {}

    /** Whether this system tells. */
    static boolean isKnown() {
        return Files.isReadable(STATUS);
    }

    /** The most memory that was ever resident, or since {@link #forget}, in bytes. */
    static long peak() {
        return read("VmHWM");
    }

    /** Memory that is resident now, in bytes. */
    static long now() {
        return read("VmRSS");
    }

    /** Sets the peak back to what is resident now. */
    static void forget() {
        try {
            Files.writeString(CLEAR, "5"); // proc(5): 5 resets the peak and nothing else
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static long read(String key) {
        try {
            return bytes(Files.readAllLines(STATUS), key);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The bytes that a line such as {@code VmHWM:    123 kB} names. */
    static long bytes(List<String> status, String key) {
        String line = status.stream().filter(l -> l.startsWith(key + ":")).findFirst()
                .orElseThrow(() -> new IllegalStateException("expected a line '" + key + ": … kB', found none in "
                        + STATUS));
        String[] words = line.split("\\s+");
        if (words.length != 3 || !words[2].equals("kB")) {
            throw new IllegalStateException("expected '" + key + ": … kB', found '" + line + "' in " + STATUS);
        }
        return 1024 * Long.parseLong(words[1]);
    }
}
