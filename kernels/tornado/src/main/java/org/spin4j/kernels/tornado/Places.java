package org.spin4j.kernels.tornado;

import java.util.Map;
import java.util.TreeMap;

/** Which numbers of the device arena are taken: first fit, in whole grains, so that each place begins on a line of memory of its own. */
final class Places {
    /** No place was free. */
    static final int NONE = -1;

    private static final int GRAIN = 64;

    private final TreeMap<Integer, Integer> free = new TreeMap<>();
    private final int size;
    private long taken;
    private int top;

    /** All of {@code size} numbers but the first grain, which belongs to no storage. */
    Places(int size) {
        this.size = size;
        top = GRAIN;
        free.put(GRAIN, size / GRAIN * GRAIN - GRAIN);
    }

    int size() {
        return size;
    }

    /** Numbers that are taken. */
    long taken() {
        return taken;
    }

    /** Whether a place of {@code count} numbers is free below what was ever taken: it needs no memory that was never touched. */
    boolean hasUsed(long count) {
        long want = whole(count);
        return free.entrySet().stream().anyMatch(e -> Math.min(top, e.getKey() + e.getValue()) - e.getKey() >= want);
    }

    /** A place of {@code count} numbers, or {@link #NONE}. */
    int take(long count) {
        long want = whole(count);
        Map.Entry<Integer, Integer> fit = free.entrySet().stream().filter(e -> e.getValue() >= want).findFirst()
                .orElse(null);
        if (fit == null) {
            return NONE;
        }
        int at = fit.getKey();
        int length = fit.getValue();
        int end = at + (int) want;
        free.remove(at);
        if (length > want) {
            free.put(end, length - (int) want);
        }
        taken += want;
        top = Math.max(top, end);
        return at;
    }

    void give(int at, long count) {
        int start = at;
        int length = (int) whole(count);
        taken -= length;
        Map.Entry<Integer, Integer> before = free.floorEntry(at);
        if (before != null && before.getKey() + before.getValue() == at) {
            start = before.getKey();
            length += before.getValue();
        }
        Integer after = free.remove(start + length);
        if (after != null) {
            length += after;
        }
        free.put(start, length);
    }

    private static long whole(long count) {
        return Math.max(1, (count + GRAIN - 1) / GRAIN) * GRAIN;
    }
}
