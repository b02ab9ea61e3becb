package org.spin4j.tokenizer;

/** A map from a pair of non-negative ints to a non-negative long: open addressing, linear probing, at most half full. */
final class PairTable {
    /** Keys stand at even places, as one more than the pair, 0 where there is none; each has its value behind it, in the same cache line. */
    private long[] table;
    private int size;

    PairTable(int expected) {
        int capacity = Integer.highestOneBit(Math.max(8, Math.min(expected, 1 << 28)) * 2 - 1) * 2;
        table = new long[2 * capacity];
    }

    /** The value stored for the pair, or -1. */
    long get(int a, int b) {
        long key = key(a, b);
        long[] entries = table;
        int mask = entries.length - 1;
        int at = home(key) & mask;
        while (true) {
            long found = entries[at];
            if (found == key) {
                return entries[at + 1];
            }
            if (found == 0) {
                return -1;
            }
            at = (at + 2) & mask;
        }
    }

    void put(int a, int b, long value) {
        if (4 * (size + 1) > table.length) {
            grow();
        }
        long key = key(a, b);
        int at = place(key);
        if (table[at] == 0) {
            table[at] = key;
            size++;
        }
        table[at + 1] = value;
    }

    /** Where the key is, or belongs. */
    private int place(long key) {
        int mask = table.length - 1;
        int at = home(key) & mask;
        while (table[at] != 0 && table[at] != key) {
            at = (at + 2) & mask;
        }
        return at;
    }

    private void grow() {
        long[] old = table;
        table = new long[2 * old.length];
        for (int i = 0; i < old.length; i += 2) {
            if (old[i] != 0) {
                int at = place(old[i]);
                table[at] = old[i];
                table[at + 1] = old[i + 1];
            }
        }
    }

    private static long key(int a, int b) {
        return ((long) a << 32 | b) + 1;
    }

    /** An even number. */
    private static int home(long key) {
        long h = key * 0x9E3779B97F4A7C15L;
        h ^= h >>> 32;
        h *= 0xD6E8FEB86659FD93L;
        return (int) (h >>> 32) << 1;
    }
}
