package org.spin4j.tokenizer;

import java.util.Arrays;

/** A map from a pair of non-negative ints to a non-negative long: open addressing, linear probing, at most half full. */
final class PairTable {
    private static final long EMPTY = -1;

    private long[] keys;
    private long[] values;
    private int size;

    PairTable(int expected) {
        int capacity = Integer.highestOneBit(Math.max(8, Math.min(expected, 1 << 28)) * 2 - 1) * 2;
        keys = new long[capacity];
        values = new long[capacity];
        Arrays.fill(keys, EMPTY);
    }

    /** The value stored for the pair, or -1. */
    long get(int a, int b) {
        return getKey(key(a, b));
    }

    private long getKey(long key) {
        int slot = slot(key);
        return keys[slot] == key ? values[slot] : -1;
    }

    void put(int a, int b, long value) {
        if (2 * (size + 1) > keys.length) {
            grow();
        }
        long key = key(a, b);
        int slot = slot(key);
        if (keys[slot] == EMPTY) {
            keys[slot] = key;
            size++;
        }
        values[slot] = value;
    }

    /** The slot that holds the key, or the empty one where it belongs. */
    private int slot(long key) {
        int mask = keys.length - 1;
        int slot = mix(key) & mask;
        while (keys[slot] != EMPTY && keys[slot] != key) {
            slot = (slot + 1) & mask;
        }
        return slot;
    }

    private void grow() {
        long[] oldKeys = keys;
        long[] oldValues = values;
        keys = new long[2 * oldKeys.length];
        values = new long[keys.length];
        Arrays.fill(keys, EMPTY);
        for (int i = 0; i < oldKeys.length; i++) {
            if (oldKeys[i] != EMPTY) {
                int slot = slot(oldKeys[i]);
                keys[slot] = oldKeys[i];
                values[slot] = oldValues[i];
            }
        }
    }

    private static long key(int a, int b) {
        return (long) a << 32 | b;
    }

    private static int mix(long key) {
        long h = key * 0x9E3779B97F4A7C15L;
        h ^= h >>> 32;
        h *= 0xD6E8FEB86659FD93L;
        return (int) (h >>> 32);
    }
}
