package org.spin4j.tokenizer;

/** What this room throws for bad input: one line that says what was expected, what was found and where, and what to do. */
public final class TokenizerException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** A problem with no deeper cause. */
    public TokenizerException(String message) {
        super(oneLine(message));
    }

    /** A problem found by another library or by the file system. */
    public TokenizerException(String message, Throwable cause) {
        super(oneLine(message), cause);
    }

    private static String oneLine(String message) {
        String line = message.strip().replaceAll("\\s*\\R\\s*", " ");
        // The end names the file and what to do.
        return line.length() <= 600 ? line : line.substring(0, 300) + "…" + line.substring(line.length() - 300);
    }
}
