package org.spin4j.bench;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What a comparison is asked for on the command line: {@code [--out FILE] [--alone PROGRAM] [SECTION …]}.
 *
 * @param sections names of the sections to run, in order
 * @param out      file of results
 * @param alone    the only program that the section {@code training} shall measure, or nothing for both
 */
record Arguments(List<String> sections, Path out, String alone) {
    private static final List<String> PROGRAMS = List.of("spin4j", "libtorch");

    /**
     * Reads them.
     *
     * @param known    names of all sections; those that are run where none is named
     * @param standard file of results where none is named
     * @throws IllegalArgumentException in one line, where they make no sense
     */
    static Arguments parse(String[] args, List<String> known, Path standard) {
        List<String> sections = new ArrayList<>();
        Path out = standard;
        String alone = "";
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "--out" -> out = Path.of(value(args, ++i, "a file"));
                case "--alone" -> alone = oneOf(value(args, ++i, "a program"), PROGRAMS);
                default -> sections.add(oneOf(args[i], known));
            }
        }
        if (!alone.isEmpty() && !sections.equals(List.of("training"))) {
            throw new IllegalArgumentException("expected the section training, and no other, with --alone, found "
                    + (sections.isEmpty() ? "no section" : String.join(" ", sections)));
        }
        return new Arguments(sections.isEmpty() ? known : List.copyOf(sections), out, alone);
    }

    private static String value(String[] args, int i, String what) {
        if (i == args.length) {
            throw new IllegalArgumentException("expected " + what + " after " + args[i - 1] + ", found nothing");
        }
        return args[i];
    }

    private static String oneOf(String found, List<String> known) {
        if (!known.contains(found)) {
            throw new IllegalArgumentException("expected one of " + String.join(", ", known) + ", found " + found);
        }
        return found;
    }
}
