package org.spin4j.training;

import java.util.Locale;

/**
 * What a user handed in cannot be used: a wrong key, a broken line, a file that is not there.
 *
 * <p>The message is one line of the form "expected …, found … in FILE:LINE; do …". The command line prints it without a
 * stack trace and exits with code 2.
 */
public final class BadInputException extends RuntimeException {
    private static final long serialVersionUID = 1L;
    /** Longest piece of a user's input that a message repeats. */
    private static final int EXCERPT = 60;

    /** @param message one line: what was expected, what was found, where, what to do */
    public BadInputException(String message) {
        super(message);
    }

    /**
     * @param message one line: what was expected, what was found, where, what to do
     * @param cause what the message was made from
     */
    public BadInputException(String message, Throwable cause) {
        super(message, cause);
    }

    /** The message of a {@link String#format} pattern, so that a call site reads as the sentence it prints. */
    public static BadInputException of(String pattern, Object... arguments) {
        return new BadInputException(String.format(Locale.ROOT, pattern, arguments));
    }

    /** {@code text} fit to be quoted in a message: one line, at most 60 characters, control characters replaced. */
    public static String excerpt(String text) {
        String line = text.codePoints().map(c -> Character.isISOControl(c) ? ' ' : c)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append).toString();
        return line.length() <= EXCERPT ? line : line.substring(0, EXCERPT) + "…";
    }
}
