package org.spin4j.kernels;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Working memory of one purpose, one block per thread, which grows to the largest size asked for and is then reused. The
 * block lives as long as its thread or this object; its contents mean nothing from one request to the next.
 */
final class Scratch {
    private static final int ALIGNMENT = 64;

    private final ThreadLocal<MemorySegment> block = ThreadLocal.withInitial(() -> MemorySegment.NULL);

    /** Address of at least {@code count} floats for the calling thread, good until its next request. */
    long floats(long count) {
        long bytes = Math.multiplyExact(Math.max(count, 1), 4L);
        MemorySegment s = block.get();
        if (s.byteSize() < bytes) {
            // The spare quarter saves growing step by step where shapes grow slowly.
            s = Arena.ofAuto().allocate(bytes + bytes / 4, ALIGNMENT);
            block.set(s);
        }
        return s.address();
    }
}
