package org.spin4j.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNoException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Kernels.PackedMatrix;
import org.spin4j.kernels.Storage;
import org.spin4j.kernels.VectorKernels;

class CompareMatvecTest {
    private static final int ROWS = 16;
    private static final int N = 70;
    private static final int K = 64;

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "F64")
    void productsAreThoseOfTheWidenedWeight(DType type) {
        try (Arena arena = Arena.ofShared()) {
            Storage x = Numbers.gaussian(arena, ROWS * K, 1, "x");
            CompareMatvec.Weight weight = weight(arena, type, x);
            VectorKernels kernels = new VectorKernels(2);
            PackedMatrix packed = weight.pack(kernels, N, K);
            assertThat(packed.bytes()).isGreaterThanOrEqualTo(type.bytes((long) N * K));
            for (int rows : new int[]{1, ROWS}) {
                assertThatNoException().isThrownBy(() -> weight.check(kernels, packed, rows, x));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "F64")
    void oneBitOffIsAnError(DType type) {
        try (Arena arena = Arena.ofShared()) {
            Storage x = Numbers.gaussian(arena, ROWS * K, 1, "x");
            CompareMatvec.Weight weight = weight(arena, type, x);
            Storage expected = weight.expected();
            expected.set(N - 1, Math.nextUp((float) expected.get(N - 1)));
            VectorKernels kernels = new VectorKernels(1);
            PackedMatrix packed = weight.pack(kernels, N, K);
            assertThatThrownBy(() -> weight.check(kernels, packed, 1, x))
                    .isInstanceOf(IllegalStateException.class).hasMessageContaining("bit for bit")
                    .hasMessageContaining(" at " + (N - 1)).hasMessageContaining(type.toString());
        }
    }

    private static CompareMatvec.Weight weight(Arena arena, DType type, Storage x) {
        return CompareMatvec.Weight.of(arena, type, Numbers.gaussian(arena, N * K, 1, "w"), ROWS, N, K, x);
    }
}
