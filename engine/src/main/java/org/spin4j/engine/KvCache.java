package org.spin4j.engine;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.spin4j.kernels.AttentionShape;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Storage;

/** Keys and values of the tokens seen so far, for a number of slots of equal capacity, each the place of one stream. */
final class KvCache implements AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final int capacity;
    private final Storage[] layers;

    KvCache(Decoder model, DType type, int slots, int capacity) {
        this.capacity = capacity;
        layers = new Storage[model.layers()];
        for (int i = 0; i < layers.length; i++) {
            layers[i] = Storage.allocate(arena, type, (long) slots * capacity * model.attention(i).cacheWidth());
        }
    }

    int capacity() {
        return capacity;
    }

    Storage layer(int i) {
        return layers[i];
    }

    /** Copies keys and values of {@code count} packed rows from row {@code from} on to the start of a slot. */
    void fill(int layer, AttentionShape shape, Storage qkv, int from, int count, int slot) {
        long bytes = qkv.type().bytes(1);
        long width = (long) shape.cacheWidth() * bytes;
        long row = (long) shape.qkvWidth() * bytes;
        long skip = (long) shape.outWidth() * bytes;
        for (int i = 0; i < count; i++) {
            MemorySegment.copy(qkv.segment(), (from + i) * row + skip, layers[layer].segment(),
                    ((long) slot * capacity + i) * width, width);
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
