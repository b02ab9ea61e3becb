package org.spin4j.tokenizer;

/**
 * The ids of words met lately, a bounded number of them. Threads share it without locks: an entry never changes once it is there, and where
 * two threads write to one place, either entry is right and the other word is worked out anew.
 */
final class WordCache {
    private static final int BITS = 16;
    private static final int LONGEST = 48;
    /** Words of so many characters of Latin-1 fit into two numbers, one byte of which is their length. */
    private static final int SHORT = 15;
    private static final int HALF = 8;
    /** The second number of every word that does not fit. */
    private static final long HASHED = 0xFF;
    private static final long WIDE = -1;

    /** A word: the two numbers are all of a short one; of another, {@code head} is a hash and {@code word} the word itself. */
    private record Entry(long head, long tail, String word, int[] ids) {
        boolean is(long otherHead, long otherTail, String text, int start, int end) {
            return head == otherHead && tail == otherTail
                    && (word == null || word.length() == end - start && text.startsWith(word, start));
        }
    }

    private final Entry[] entries = new Entry[1 << BITS];

    /** The ids of the word {@code text[start, end)}, or null where they are not known. */
    int[] find(String text, int start, int end) {
        int length = end - start;
        if (length > LONGEST) {
            return null;
        }
        long head = head(text, start, end);
        long tail = tail(text, start, end);
        if (head == WIDE || tail == WIDE) {
            head = hash(text, start, end);
            tail = HASHED;
        }
        int slot = slot(head, tail);
        Entry entry = entries[slot];
        if (entry != null && entry.is(head, tail, text, start, end)) {
            return entry.ids;
        }
        entry = entries[slot ^ 1];
        return entry != null && entry.is(head, tail, text, start, end) ? entry.ids : null;
    }

    /** Remembers a word. Of the two places that it may have, the entry met earlier is lost. */
    void add(String text, int start, int end, int[] ids) {
        if (end - start > LONGEST) {
            return;
        }
        long head = head(text, start, end);
        long tail = tail(text, start, end);
        boolean hashed = head == WIDE || tail == WIDE;
        if (hashed) {
            head = hash(text, start, end);
            tail = HASHED;
        }
        int slot = slot(head, tail);
        entries[slot ^ 1] = entries[slot];
        entries[slot] = new Entry(head, tail, hashed ? text.substring(start, end) : null, ids);
    }

    /** The first characters of a short word, one byte each. */
    private static long head(String text, int start, int end) {
        return end - start > SHORT ? WIDE : pack(text, start, Math.min(end, start + HALF));
    }

    /** The other characters of a short word, and its length. */
    private static long tail(String text, int start, int end) {
        int length = end - start;
        if (length <= HALF) {
            return length;
        }
        long packed = length > SHORT ? WIDE : pack(text, start + HALF, end);
        return packed == WIDE ? WIDE : packed << 8 | length;
    }

    private static long pack(String text, int start, int end) {
        long packed = 0;
        int all = 0;
        for (int i = start; i < end; i++) {
            char c = text.charAt(i);
            packed = packed << 8 | c;
            all |= c;
        }
        return all > 0xFF ? WIDE : packed;
    }

    private static long hash(String text, int start, int end) {
        long hash = 0;
        for (int i = start; i < end; i++) {
            hash = 31 * hash + text.charAt(i);
        }
        return hash;
    }

    private static int slot(long head, long tail) {
        long h = (head ^ tail * 0x9E3779B97F4A7C15L) * 0xD6E8FEB86659FD93L;
        return (int) ((h ^ h >>> 29) * 0xBF58476D1CE4E5B9L >>> 64 - BITS);
    }
}
