package org.spin4j.tokenizer;

import java.util.Arrays;

/** A growing row of ints. */
final class Ints {
    private int[] values;
    private int size;

    Ints() {
        this(4);
    }

    /** A row with room for so many at first. */
    Ints(int room) {
        values = new int[Math.max(4, room)];
    }

    void add(int value) {
        if (size == values.length) {
            values = Arrays.copyOf(values, 2 * size);
        }
        values[size++] = value;
    }

    void addAll(int[] more) {
        if (values.length - size < more.length) {
            values = Arrays.copyOf(values, Math.max(2 * values.length, Math.addExact(size, more.length)));
        }
        System.arraycopy(more, 0, values, size, more.length);
        size += more.length;
    }

    int get(int index) {
        return values[index];
    }

    void set(int index, int value) {
        values[index] = value;
    }

    int last() {
        return values[size - 1];
    }

    int size() {
        return size;
    }

    void clear() {
        size = 0;
    }

    int[] toArray() {
        return Arrays.copyOf(values, size);
    }
}
