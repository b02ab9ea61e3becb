package org.spin4j.kernels;

import java.lang.foreign.MemorySegment;

/**
 * The address space as one segment. A kernel checks once, at its door, that each storage is as long as its shape asks
 * ({@link #f32}); inside its loops it then reads and writes by absolute address, where C2 has no bounds or liveness check
 * left to do because this segment is a constant.
 */
final class Memory {
    /** All of memory: index = absolute address. */
    static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private Memory() {}

    /**
     * Address of an F32 storage that has at least {@code count} elements.
     *
     * @throws IllegalArgumentException naming the operand, where it is shorter or of another type
     */
    static long f32(Storage s, long count, String operand) {
        if (s.type() != DType.F32) {
            throw new IllegalArgumentException("expected " + operand + " as F32, found " + s.type()
                    + "; the vector backend computes in F32 only");
        }
        if (s.size() < count) {
            throw new IllegalArgumentException("expected at least " + count + " elements in " + operand + ", found "
                    + s.size());
        }
        return s.address();
    }
}
