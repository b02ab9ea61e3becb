package org.spin4j.engine;

/**
 * A checkpoint that cannot be used: broken, incomplete, or asking for something this engine does not have. The message is
 * one line that says what was expected, what was found and in which file.
 */
public final class CheckpointException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** With that one-line message. */
    public CheckpointException(String message) {
        super(message);
    }

    /** With that one-line message and the error beneath it. */
    public CheckpointException(String message, Throwable cause) {
        super(message, cause);
    }
}
