package org.spin4j.kernels;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The vector backend against the scalar specification, with one, two and three threads. */
class VectorKernelsTest implements KernelsContract {
    private static final int[] SIZES = {1, 3, 8, 13, 16, 17, 25, 33, 64, 207, 702};
    private static final List<Kernels> VECTORS = IntStream.rangeClosed(1, 3)
            .mapToObj(threads -> (Kernels) new VectorKernels(threads)).toList();

    @Override
    public List<Kernels> backends() {
        return VECTORS;
    }

    @Override
    public int[] sizes() {
        return SIZES;
    }

    private static Storage zeros(long n) {
        return Storage.allocate(Arena.ofAuto(), DType.F32, n);
    }

    @Test
    void refusesWhatItCannotCompute() {
        Kernels k = VECTORS.getFirst();
        assertThatThrownBy(() -> k.axpy(5, 1, zeros(4), zeros(5))).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("at least 5 elements in x, found 4");
        assertThatThrownBy(() -> k.axpy(5, 1, zeros(5), Storage.of(DType.F64, 1, 2, 3, 4, 5)))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("expected y as F32, found F64");
        assertThatThrownBy(() -> k.gatherRows(new int[]{-1}, 1, 4, zeros(4), false, zeros(4)))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("found -1 at index 0");
        assertThatThrownBy(() -> k.gatherRows(new int[]{1}, 1, 4, zeros(4), false, zeros(4)))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("at least 8 elements in table");
        AttentionShape shape = new AttentionShape(1, 1, 4, 1, 0);
        List<List<Storage>> page = List.of(List.of(zeros(512)));
        assertThatThrownBy(() -> new CachedBatch(new int[]{2}, new int[]{63}, page))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("expected pages for the tokens of stream 0, found 1 pages for 2 tokens from position 63");
        assertThatThrownBy(() -> k.cachedAttention(new CachedBatch(new int[]{1}, new int[]{0}, page), shape, 1,
                zeros(12), zeros(4))).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("at least 513 elements in page");
    }
}
