package org.spin4j.bench;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * The file of results: a section for each comparison, in Markdown. Every section carries its own header (date, machine, JDK,
 * flags), so that one can be measured anew while the others keep what was measured before.
 */
final class Report {
    /** First line, by which a file is known to be one of these. */
    static final String TITLE = "# Results";

    /** Names of the sections, in the order in which they stand in the file. */
    static final List<String> ORDER = List.of("matmul", "matvec", "sizes", "ladder", "training", "attention", "pairs",
            "memory", "tokenizer", "generation", "devices");
    /** Where results go if no other file is named: beside the README, seen from the root of the repository. */
    static final Path STANDARD = Path.of("bench", "RESULTS.md");

    private static final String PREAMBLE = TITLE
            + "\n\nWritten by `bench/run`, section by section; [README.md](README.md) says how"
            + " to read it.\n";
    private static final String HEADING = "## ";

    /**
     * One comparison.
     *
     * @param name  how it is called on the command line, one word
     * @param title the rest of its heading
     * @param body  prints its table
     */
    record Section(String name, String title, Consumer<PrintStream> body) {}

    private final Path file;

    /**
     * Results in a file that may not exist yet.
     *
     * @throws IllegalArgumentException where {@code file} is something else
     */
    Report(Path file) {
        this.file = file;
        read();
    }

    /** Measures a section, printing it on the terminal as it goes, and puts it into the file. */
    void run(Section section, PrintStream terminal) {
        ByteArrayOutputStream copy = new ByteArrayOutputStream();
        PrintStream out = new PrintStream(new Both(terminal, copy), true, StandardCharsets.UTF_8);
        out.println(HEADING + section.name() + ": " + section.title());
        out.println();
        out.println("- date: " + LocalDate.now(ZoneOffset.UTC));
        Machine.describe().forEach(line -> out.println("- " + line));
        Disturbance disturbance = new Disturbance();
        section.body().accept(out);
        out.println();
        out.println(disturbance.describe());
        out.println();
        write(merged(read(), section.name(), copy.toString(StandardCharsets.UTF_8)));
    }

    /** {@code old} with {@code text} as its section {@code name}; the other sections stay as they are. */
    static String merged(String old, String name, String text) {
        Map<String, String> sections = new LinkedHashMap<>();
        ORDER.forEach(known -> sections.put(known, ""));
        sections.putAll(sections(old));
        sections.put(name, text);
        StringBuilder all = new StringBuilder(PREAMBLE);
        sections.values().stream().filter(s -> !s.isBlank())
                .forEach(s -> all.append('\n').append(s.strip()).append('\n'));
        return all.toString();
    }

    /** Sections of a file by name: each from its heading to the next one. */
    private static Map<String, String> sections(String text) {
        Map<String, String> sections = new TreeMap<>();
        String name = "";
        for (String line : text.split("\n", -1)) {
            if (line.startsWith(HEADING)) {
                name = line.substring(HEADING.length()).split(":", 2)[0].strip();
            }
            if (!name.isEmpty()) {
                sections.merge(name, line + "\n", String::concat);
            }
        }
        return sections;
    }

    private String read() {
        try {
            String text = Files.exists(file) ? Files.readString(file) : "";
            if (!text.isBlank() && !text.startsWith(TITLE + "\n")) {
                throw new IllegalArgumentException(
                        "expected a file of results (\"" + TITLE + "\") or none, found something else in "
                                + file + ":1; choose another with --out");
            }
            return text;
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    "expected a readable file of results or none, found " + e + "; choose another"
                            + " with --out",
                    e);
        }
    }

    /** All or nothing: a reader never sees half a file. */
    private void write(String text) {
        try {
            Path whole = file.toAbsolutePath();
            Path temporary = whole.resolveSibling(whole.getFileName() + ".part");
            Files.writeString(temporary, text);
            Files.move(temporary, whole, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file, e);
        }
    }

    /** Writes to two streams. */
    private static final class Both extends OutputStream {
        private final OutputStream first;
        private final OutputStream second;

        Both(OutputStream first, OutputStream second) {
            this.first = first;
            this.second = second;
        }

        @Override
        public void write(int b) throws IOException {
            first.write(b);
            second.write(b);
        }

        @Override
        public void write(byte[] bytes, int from, int length) throws IOException {
            first.write(bytes, from, length);
            second.write(bytes, from, length);
        }

        @Override
        public void flush() throws IOException {
            first.flush();
        }
    }
}
