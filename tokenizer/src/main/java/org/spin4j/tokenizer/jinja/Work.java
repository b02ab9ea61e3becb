package org.spin4j.tokenizer.jinja;

/**
 * What one rendering may still do. A template comes from outside and may loop for ever or grow without end; a real one needs a
 * thousandth of this.
 */
final class Work {
    /** Characters of one text, items of one list. */
    static final int MAX_TEXT = 16 << 20;
    private static final int MAX_ITEMS = 1 << 20;
    /** Characters of all texts made, kept or not. */
    private static final long MAX_COPIED = 128L << 20;
    private static final int MAX_CALLS = 100;
    /** About a second. */
    private static final long MAX_STEPS = 5_000_000L;
    /** Looking through this many characters takes about as long as a step. */
    private static final int CHARACTERS_PER_STEP = 64;

    private long steps;
    private long copied;
    private int calls;

    void step() {
        spend(1);
    }

    /** Looks through some characters. */
    void step(long characters) {
        spend(1 + characters / CHARACTERS_PER_STEP);
    }

    /** A text of so many characters is about to be made. */
    void text(long length) {
        if (length > MAX_TEXT) {
            throw new JinjaException("a text of more than " + MAX_TEXT + " characters");
        }
        copied += length;
        if (copied > MAX_COPIED) {
            throw new JinjaException("texts of more than " + MAX_COPIED + " characters in all");
        }
        step();
    }

    /** A list of so many items is about to be made. */
    void items(long count) {
        if (count > MAX_ITEMS) {
            throw new JinjaException("a list of more than " + MAX_ITEMS + " items");
        }
        spend(1 + count);
    }

    private void spend(long amount) {
        steps += amount;
        if (steps > MAX_STEPS) {
            throw new JinjaException("more than " + MAX_STEPS + " steps of work");
        }
    }

    /** A macro or a recursive loop begins. */
    void enter() {
        if (++calls > MAX_CALLS) {
            throw new JinjaException("macros that call each other more than " + MAX_CALLS + " levels deep");
        }
    }

    void leave() {
        calls--;
    }
}
