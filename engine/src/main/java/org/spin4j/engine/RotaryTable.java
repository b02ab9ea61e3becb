package org.spin4j.engine;

import java.lang.foreign.Arena;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Storage;

/**
 * Cosines and sines of the rotary positions that were needed so far, rounded as Hugging Face rounds them: the angle is a
 * float product. Grown on demand, since a configuration may promise far more positions than anybody uses.
 */
final class RotaryTable {
    private static final int FIRST = 64;

    private final Arena arena;
    private final DType type;
    private final int headDim;
    private final int most;
    private final double[] frequencies;
    private Storage cosSin;
    private int positions;

    /** @param most positions that the model was made for */
    RotaryTable(Arena arena, DType type, RopeScaling rope, int headDim, int most) {
        this.arena = arena;
        this.type = type;
        this.headDim = headDim;
        this.most = most;
        frequencies = rope.inverseFrequencies(headDim);
        grow(FIRST);
    }

    /** [positions so far, headDim]: cosines, then sines. */
    Storage cosSin() {
        return cosSin;
    }

    /** Makes room for a position. */
    void need(int position) {
        if (position >= positions) {
            grow(Math.max(position + 1L, 2L * positions));
        }
    }

    private void grow(long wanted) {
        int half = headDim / 2;
        int count = (int) Math.min(most, wanted);
        Storage table = Storage.allocate(arena, type, (long) count * headDim);
        for (int p = 0; p < count; p++) {
            for (int j = 0; j < half; j++) {
                float angle = p * (float) frequencies[j];
                table.set((long) p * headDim + j, (float) Math.cos(angle));
                table.set((long) p * headDim + half + j, (float) Math.sin(angle));
            }
        }
        cosSin = table;
        positions = count;
    }
}
