package org.spin4j.tokenizer.jinja;

/** A template that cannot be read, or that cannot be rendered with the values given to it. */
public final class JinjaException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int line;

    /** A problem at a place that is not known yet. */
    JinjaException(String message) {
        this(message, 0);
    }

    /** A problem at a line, the first is 1. */
    JinjaException(String message, int line) {
        super(message);
        this.line = line;
    }

    /** What this interpreter lacks although Jinja has it. */
    static JinjaException unsupported(String construct) {
        return new JinjaException(construct + " is not supported");
    }

    /** This problem at a line, unless it knows its own. */
    JinjaException at(int where) {
        return line > 0 ? this : new JinjaException(getMessage(), where);
    }

    /** Where in the template, the first line is 1; 0 if it is not known. */
    public int line() {
        return line;
    }
}
