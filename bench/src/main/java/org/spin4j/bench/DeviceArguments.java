package org.spin4j.bench;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What a comparison of devices is asked for on the command line: {@code [--quick] [--minutes N] [--python PYTHON] [--out FILE]
 * [BACKEND …]}.
 *
 * @param quick    small works, for a device that is there for correctness
 * @param minutes  how long all of it may take
 * @param python   a Python that has PyTorch; nothing to look for one
 * @param out      file of results
 * @param backends specifications of backends, the one that is compared first
 */
record DeviceArguments(boolean quick, int minutes, String python, Path out, List<String> backends) {
    private static final int MINUTES = 12;

    /** Reads them. */
    static DeviceArguments parse(String... args) {
        boolean quick = false;
        int minutes = MINUTES;
        String python = "";
        Path out = Report.STANDARD;
        List<String> backends = new ArrayList<>();
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "--quick" -> quick = true;
                case "--minutes" -> minutes = minutes(value(args, ++i));
                case "--python" -> python = value(args, ++i);
                case "--out" -> out = Path.of(value(args, ++i));
                default -> backends.add(backend(args[i]));
            }
        }
        return new DeviceArguments(quick, minutes, python, out,
                backends.isEmpty() ? List.of("tornado", "vector!") : backends);
    }

    private static int minutes(String text) {
        if (!text.matches("[1-9]\\d{0,3}")) {
            throw new IllegalArgumentException("expected minutes from 1 to 9999 after --minutes, found " + text);
        }
        return Integer.parseInt(text);
    }

    private static String backend(String text) {
        if (text.startsWith("-")) {
            throw new IllegalArgumentException(
                    "expected --quick, --minutes, --python, --out or a backend, found " + text);
        }
        return text;
    }

    private static String value(String[] args, int i) {
        if (i == args.length) {
            throw new IllegalArgumentException("expected a value after " + args[i - 1] + ", found nothing");
        }
        return args[i];
    }
}
