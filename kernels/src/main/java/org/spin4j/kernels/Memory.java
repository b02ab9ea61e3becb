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
     * Address of a weight in a type that products widen to F32, of at least {@code count} elements.
     *
     * @param row elements in one row, each of which is a whole number of blocks
     * @throws IllegalArgumentException naming the operand, where it is shorter or of another type
     */
    static long weight(Storage s, long count, long row, String operand) {
        if (s.type() == DType.F64) {
            throw new IllegalArgumentException("expected " + operand + " as F32, BF16, F16 or Q8_0, found " + s.type()
                    + "; the vector backend computes in F32 only");
        }
        Sizes.requireWholeRows(s, row, operand);
        return longEnough(s, count, operand);
    }

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
        return longEnough(s, count, operand);
    }

    private static long longEnough(Storage s, long count, String operand) {
        if (s.size() < count) {
            throw new IllegalArgumentException("expected at least " + count + " elements in " + operand + ", found "
                    + s.size());
        }
        return s.segment().address();
    }
}
