package org.spin4j.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.concurrent.TimeUnit;

/** PyTorch's eager mode in a Python of its own: {@code eager.py} takes a line of work and answers with its seconds. */
final class Eager implements AutoCloseable {
    private static final String SCRIPT = "eager.py";
    private static final String FAILED = "failed: ";

    private final Path script;
    private final Process process;
    private final Writer requests;
    private final BufferedReader answers;
    private final String description;

    /** A Python on the path that has PyTorch; nothing where there is none. */
    static String find() {
        String python = "python3";
        try {
            Process process = new ProcessBuilder(python, "-c", "import torch")
                    .redirectError(ProcessBuilder.Redirect.DISCARD).redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            process.getOutputStream().close();
            if (!process.waitFor(1, TimeUnit.MINUTES)) {
                process.destroyForcibly();
                return "";
            }
            return process.exitValue() == 0 ? python : "";
        } catch (IOException e) {
            // There is no such program.
            return "";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "";
        }
    }

    /**
     * Starts it.
     *
     * @param python a Python that has PyTorch
     * @throws IllegalStateException where that does not start
     */
    Eager(String python) {
        try {
            script = Files.createTempFile("eager", ".py");
            try (InputStream in = Eager.class.getResourceAsStream(SCRIPT)) {
                Files.copy(in, script, StandardCopyOption.REPLACE_EXISTING);
            }
            process = new ProcessBuilder(python, script.toString()).redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            requests = process.outputWriter(StandardCharsets.UTF_8);
            answers = process.inputReader(StandardCharsets.UTF_8);
            description = answer();
        } catch (IOException e) {
            throw new IllegalStateException("expected a Python that has PyTorch, found " + e.getMessage()
                    + "; name another with --python", e);
        }
    }

    /** PyTorch's version and the device. */
    String describe() {
        return description;
    }

    /**
     * Seconds of a line of work.
     *
     * @throws IllegalStateException where it fails; the message is PyTorch's
     */
    double seconds(String work) {
        try {
            requests.write(work + "\n");
            requests.flush();
            String answer = answer();
            if (answer.startsWith(FAILED)) {
                throw new IllegalStateException(answer.substring(FAILED.length()));
            }
            return Double.parseDouble(answer);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String answer() throws IOException {
        String line = answers.readLine();
        if (line == null) {
            throw new IllegalStateException(
                    "expected an answer of PyTorch, found that it ended; its own words are above");
        }
        return line;
    }

    @Override
    public void close() {
        try {
            requests.close();
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                // It is in the middle of something that takes too long.
                process.destroyForcibly();
            }
            Files.delete(script);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
