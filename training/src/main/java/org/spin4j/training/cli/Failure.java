package org.spin4j.training.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.Optional;
import java.util.function.Consumer;
import org.spin4j.engine.CheckpointException;
import org.spin4j.tokenizer.TokenizerException;
import org.spin4j.training.BadInputException;
import org.spin4j.training.Interrupt;

/** How a command ends that could not do its work: one line for the user and an exit code, never a stack trace unasked. */
final class Failure {
    /** Set to anything, the environment variable shows the stack trace of every failure. */
    static final String DEBUG = "SPIN4J_DEBUG";
    static final int FAULT = 1;
    static final int REFUSED = 2;
    static final int STOPPED = 130;

    private Failure() {}

    /**
     * Does work that Ctrl-C may stop. That it was stopped is said in here, before the JVM is let go: it ends at once then.
     *
     * @param next what the user can do after a stop
     * @return the exit code
     */
    static int stoppable(PrintWriter err, String next, Consumer<Interrupt> work) {
        try (Interrupt interrupt = new Interrupt()) {
            try {
                work.accept(interrupt);
                return 0;
            } catch (Interrupt.Stopped stopped) {
                err.println("spin4j: " + stopped.getMessage() + "; " + next);
                return STOPPED;
            }
        }
    }

    /** Says why the input cannot be used. */
    static int refused(PrintWriter err, String reason) {
        err.println("spin4j: " + reason.lines().reduce((a, b) -> a + " " + b).orElse("no reason given"));
        return REFUSED;
    }

    /** A piece of the user's input, fit to be quoted. */
    static String excerpt(String text) {
        return BadInputException.excerpt(text);
    }

    /** Tells what went wrong. */
    static int report(Throwable failure, PrintWriter err) {
        if (System.getenv(DEBUG) != null) {
            failure.printStackTrace(err);
        }
        return switch (failure) {
            case OutOfMemoryError e -> refused(err, "expected more memory than there is (" + e.getMessage()
                    + "); lower per_device_train_batch_size, max_length or generation_batch_size, or raise the Java heap "
                    + "with SPIN4J_JAVA_OPTS=-Xmx8g");
            default -> {
                Optional<String> reason = reason(failure);
                if (reason.isPresent()) {
                    yield refused(err, reason.get());
                }
                err.println(
                        "spin4j: " + String.valueOf(failure).lines().findFirst().orElse("") + "; this is a bug, set "
                                + DEBUG + "=1 to see where");
                yield FAULT;
            }
        };
    }

    /** What a user can do something about; empty for a fault of the program. */
    private static Optional<String> reason(Throwable failure) {
        return switch (failure) {
            case BadInputException e -> Optional.of(e.getMessage());
            case CheckpointException e -> Optional.of(e.getMessage());
            case TokenizerException e -> Optional.of(e.getMessage());
            case UncheckedIOException e -> Optional.of(file(e.getCause()));
            case IOException e -> Optional.of(file(e));
            // Checks of arguments speak the same language; any other message of this kind comes from a mistake in here.
            case IllegalArgumentException e when e.getMessage() != null && e.getMessage().startsWith("expected ") ->
                Optional.of(e.getMessage());
            case UnsupportedOperationException e when e.getMessage() != null -> Optional.of(e.getMessage());
            default -> Optional.empty();
        };
    }

    private static String file(IOException failure) {
        return switch (failure) {
            case NoSuchFileException e -> "expected a file, found nothing at " + e.getFile() + "; check the path";
            case AccessDeniedException e ->
                "expected leave to read or write, found none for " + e.getFile() + "; check the permissions";
            case FileSystemException e -> "expected a file that can be read and written, found '" + e.getReason()
                    + "' for " + e.getFile() + "; check disk and path";
            default -> "expected to read or write a file, found '" + failure.getMessage() + "'; check disk and path";
        };
    }
}
