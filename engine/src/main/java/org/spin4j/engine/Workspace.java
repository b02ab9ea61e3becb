package org.spin4j.engine;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Storage;

/**
 * The memory that the activations of a step come from. First fit over a few large off-heap chunks: the same sequence of
 * {@link #take} and {@link #release} gives the same addresses, so a steady step allocates nothing. Not thread-safe.
 */
public final class Workspace implements AutoCloseable {
    /** Elements of the first chunk, which is all that a small model needs: the system has to clear what is allocated. */
    private static final long FIRST_CHUNK = 1L << 20;
    /** Most elements that a chunk has beyond what is asked of it. */
    private static final long CHUNK = 16L << 20;

    /** Takes are rounded up to this many elements, so that each begins on a cache line of its own. */
    private static final long GRAIN = 64;

    private final Arena arena = Arena.ofShared();
    private final DType type;
    private final List<Storage> chunks = new ArrayList<>();
    private final List<TreeMap<Long, Long>> free = new ArrayList<>();

    /** An empty workspace of elements of {@code type}. */
    public Workspace(DType type) {
        this.type = type;
    }

    /** Element type of what {@link #take} gives. */
    public DType type() {
        return type;
    }

    /** Takes {@code size} elements; what they hold is undefined. */
    public Storage take(long size) {
        long want = Math.max(GRAIN, (size + GRAIN - 1) / GRAIN * GRAIN);
        for (int c = 0; c < chunks.size(); c++) {
            for (Map.Entry<Long, Long> range : free.get(c).entrySet()) {
                if (range.getValue() >= want) {
                    long at = range.getKey();
                    long rest = range.getValue() - want;
                    free.get(c).remove(at);
                    if (rest > 0) {
                        free.get(c).put(at + want, rest);
                    }
                    return chunks.get(c).slice(at, size);
                }
            }
        }
        long length = Math.max(want, Math.clamp(chunks.stream().mapToLong(Storage::size).sum(), FIRST_CHUNK, CHUNK));
        chunks.add(Storage.allocate(arena, type, length));
        TreeMap<Long, Long> ranges = new TreeMap<>();
        if (length > want) {
            ranges.put(want, length - want);
        }
        free.add(ranges);
        return chunks.getLast().slice(0, size);
    }

    /** Gives back what {@link #take} gave, so that a later take may have it. */
    public void release(Storage storage) {
        long length = Math.max(GRAIN, (storage.size() + GRAIN - 1) / GRAIN * GRAIN);
        for (int c = 0; c < chunks.size(); c++) {
            Storage chunk = chunks.get(c);
            long at = (storage.address() - chunk.address()) / type.bytes(1);
            if (at >= 0 && at < chunk.size()) {
                putBack(free.get(c), at, length);
                return;
            }
        }
        throw new IllegalArgumentException("expected a storage of this workspace, found " + storage);
    }

    private static void putBack(NavigableMap<Long, Long> ranges, long at, long length) {
        long start = at;
        long size = length;
        Map.Entry<Long, Long> before = ranges.floorEntry(at);
        if (before != null && before.getKey() + before.getValue() == at) {
            start = before.getKey();
            size += before.getValue();
        }
        Long after = ranges.remove(at + length);
        if (after != null) {
            size += after;
        }
        ranges.put(start, size);
    }

    /** Takes everything back at once. */
    public void reset() {
        for (int c = 0; c < chunks.size(); c++) {
            free.get(c).clear();
            free.get(c).put(0L, chunks.get(c).size());
        }
    }

    /** Frees the memory; everything taken from here becomes invalid. */
    @Override
    public void close() {
        arena.close();
    }
}
