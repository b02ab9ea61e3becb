package org.spin4j.tokenizer;

import java.util.Arrays;

/** The merges still possible in one word, as {@code rank << 32 | position}: a binary heap with the lowest rank, then the leftmost, first. */
final class MergeQueue {
    private long[] heap;
    private int size;

    MergeQueue(int expected) {
        heap = new long[Math.max(8, expected)];
    }

    boolean isEmpty() {
        return size == 0;
    }

    void add(long entry) {
        if (size == heap.length) {
            heap = Arrays.copyOf(heap, 2 * size);
        }
        int hole = size++;
        while (hole > 0 && heap[(hole - 1) >>> 1] > entry) {
            heap[hole] = heap[(hole - 1) >>> 1];
            hole = (hole - 1) >>> 1;
        }
        heap[hole] = entry;
    }

    long poll() {
        long least = heap[0];
        long moved = heap[--size];
        int hole = 0;
        while (true) {
            int child = 2 * hole + 1;
            if (child >= size) {
                break;
            }
            if (child + 1 < size && heap[child + 1] < heap[child]) {
                child++;
            }
            if (heap[child] >= moved) {
                break;
            }
            heap[hole] = heap[child];
            hole = child;
        }
        heap[hole] = moved;
        return least;
    }
}
