package org.spin4j.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/** Loads, stores and sums by absolute address in the preferred vector width; the bounds were checked at the kernel's door. */
final class VectorMemory {
    static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    /** Floats in a vector. */
    static final int LANES = SPECIES.length();
    /** Bytes in a vector. */
    static final long VECTOR_BYTES = SPECIES.vectorByteSize();

    private static final MemorySegment ALL = Memory.ALL;
    static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    /** 0, 1, 2, … */
    static final FloatVector IOTA = FloatVector.zero(SPECIES).addIndex(1);
    private static final VectorShuffle<Float> FOLD_8 = fold(8);
    private static final VectorShuffle<Float> FOLD_4 = fold(4);
    private static final VectorShuffle<Float> FOLD_2 = fold(2);
    private static final VectorShuffle<Float> FOLD_1 = fold(1);

    private VectorMemory() {}

    private static VectorShuffle<Float> fold(int distance) {
        return VectorShuffle.fromOp(SPECIES, lane -> lane ^ distance & (LANES - 1));
    }

    static FloatVector load(long address) {
        return FloatVector.fromMemorySegment(SPECIES, ALL, address, ORDER);
    }

    static void store(FloatVector x, long address) {
        x.intoMemorySegment(ALL, address, ORDER);
    }

    /** Loads the lanes of the mask and touches no other memory; the other lanes are 0. */
    static FloatVector load(long address, VectorMask<Float> mask) {
        return FloatVector.fromMemorySegment(SPECIES, ALL, address, ORDER, mask);
    }

    static void store(FloatVector x, long address, VectorMask<Float> mask) {
        x.intoMemorySegment(ALL, address, ORDER, mask);
    }

    /** The first {@code n % LANES} lanes: what is left of n numbers behind the last whole vector. */
    static VectorMask<Float> tail(long n) {
        return SPECIES.indexInRange(0, (int) (n % LANES));
    }

    static FloatVector splat(float x) {
        return FloatVector.broadcast(SPECIES, x);
    }

    static float get(long address) {
        return ALL.get(FLOAT, address);
    }

    static void set(long address, float x) {
        ALL.set(FLOAT, address, x);
    }

    /**
     * The sum of the lanes, folded in halves. {@code reduceLanes(ADD)} may add in an order that changes when a method is
     * compiled; the same seed would then not give the same bits.
     */
    static float sum(FloatVector x) {
        FloatVector s = x;
        for (int distance = LANES / 2; distance > 8; distance /= 2) {
            s = s.add(s.rearrange(fold(distance)));
        }
        if (LANES > 8) {
            s = s.add(s.rearrange(FOLD_8));
        }
        if (LANES > 4) {
            s = s.add(s.rearrange(FOLD_4));
        }
        s = s.add(s.rearrange(FOLD_2));
        return s.add(s.rearrange(FOLD_1)).lane(0);
    }

    static void copy(long floats, long from, long to) {
        MemorySegment.copy(ALL, from, ALL, to, floats * 4);
    }

    /** As {@link #copy} for few numbers, where a call into the runtime would take longer than the copy. */
    static void copyRow(int n, long from, long to) {
        int j = 0;
        for (; j + LANES <= n; j += LANES) {
            FloatVector.fromMemorySegment(SPECIES, ALL, from + j * 4L, ORDER).intoMemorySegment(ALL, to + j * 4L,
                    ORDER);
        }
        if (j < n) {
            VectorMask<Float> tail = tail(n);
            FloatVector.fromMemorySegment(SPECIES, ALL, from + j * 4L, ORDER, tail).intoMemorySegment(ALL, to + j * 4L,
                    ORDER, tail);
        }
    }

    static void zero(long address, long floats) {
        ALL.asSlice(address, floats * 4).fill((byte) 0);
    }

    /** {@code n} rounded up to a multiple of {@code unit}. */
    static int roundUp(int n, int unit) {
        return (n + unit - 1) / unit * unit;
    }

    /** Σ x·y, in one fixed order. */
    static float dot(int n, long x, long y) {
        FloatVector s = splat(0);
        int j = 0;
        for (; j + LANES <= n; j += LANES) {
            s = load(x + j * 4L).fma(load(y + j * 4L), s);
        }
        if (j < n) {
            VectorMask<Float> tail = tail(n);
            s = load(x + j * 4L, tail).fma(load(y + j * 4L, tail), s);
        }
        return sum(s);
    }
}
