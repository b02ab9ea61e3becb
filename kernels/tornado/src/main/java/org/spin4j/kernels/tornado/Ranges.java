package org.spin4j.kernels.tornado;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A set of whole numbers, kept as the ranges that it is made of; neighbours are one range. */
final class Ranges {
    /** The numbers from {@code from} on, {@code count} of them. */
    record Range(long from, long count) {}

    private final TreeMap<Long, Long> ends = new TreeMap<>();

    boolean isEmpty() {
        return ends.isEmpty();
    }

    void clear() {
        ends.clear();
    }

    void add(long from, long count) {
        if (count <= 0) {
            return;
        }
        long start = from;
        long end = from + count;
        for (Map.Entry<Long, Long> e = ends.floorEntry(end); e != null && e.getValue() >= start; e = ends
                .floorEntry(end)) {
            start = Math.min(start, e.getKey());
            end = Math.max(end, e.getValue());
            ends.remove(e.getKey());
        }
        ends.put(start, end);
    }

    void remove(long from, long count) {
        long end = from + count;
        for (Range both : intersection(from, count)) {
            Map.Entry<Long, Long> e = ends.floorEntry(both.from);
            ends.remove(e.getKey());
            if (e.getKey() < from) {
                ends.put(e.getKey(), from);
            }
            if (e.getValue() > end) {
                ends.put(end, e.getValue());
            }
        }
    }

    boolean intersects(long from, long count) {
        Map.Entry<Long, Long> e = ends.lowerEntry(from + count);
        return e != null && e.getValue() > from;
    }

    /** What of a range is in the set, in ascending order. */
    List<Range> intersection(long from, long count) {
        if (!intersects(from, count)) {
            return List.of();
        }
        List<Range> out = new ArrayList<>();
        long end = from + count;
        Long first = ends.floorKey(from);
        for (Map.Entry<Long, Long> e : ends.subMap(first == null ? from : first, true, end, false).entrySet()) {
            long start = Math.max(from, e.getKey());
            long stop = Math.min(end, e.getValue());
            if (stop > start) {
                out.add(new Range(start, stop - start));
            }
        }
        return out;
    }

    @Override
    public String toString() {
        return ends.toString();
    }
}
