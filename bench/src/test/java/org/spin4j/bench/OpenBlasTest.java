package org.spin4j.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Kernels.Product;
import org.spin4j.kernels.ScalarKernels;
import org.spin4j.kernels.Storage;

class OpenBlasTest {
    private static OpenBlas installed() {
        Optional<OpenBlas> blas = OpenBlas.find();
        Assumptions.assumeTrue(blas.isPresent(), OpenBlas.REMEDY);
        return blas.orElseThrow();
    }

    @ParameterizedTest
    @EnumSource
    void multipliesAsTheKernelsDo(Product product) {
        OpenBlas blas = installed();
        try (Arena arena = Arena.ofConfined()) {
            Storage a = Numbers.gaussian(arena, 3 * 7, 1, "a");
            Storage b = Numbers.gaussian(arena, 5 * 7, 1, "b");
            Storage expected = Numbers.zeros(arena, 3 * 5);
            Storage found = Numbers.zeros(arena, 3 * 5);
            new ScalarKernels().matmul(product, 3, 5, 7, a, b, null, null, expected);
            blas.matmul(product, 3, 5, 7, a, b, found);
            assertClose(expected, found);
        }
    }

    @Test
    void multipliesAVector() {
        OpenBlas blas = installed();
        try (Arena arena = Arena.ofConfined()) {
            Storage w = Numbers.gaussian(arena, 5 * 7, 1, "w");
            Storage x = Numbers.gaussian(arena, 7, 1, "x");
            Storage expected = Numbers.zeros(arena, 5);
            Storage found = Numbers.zeros(arena, 5);
            new ScalarKernels().matmul(Product.NT, 1, 5, 7, x, w, null, null, expected);
            blas.multiplyVector(5, 7, w, x, found);
            assertClose(expected, found);
        }
    }

    @Test
    void saysWhatItIs() {
        assertThat(installed().describe()).matches("OpenBLAS [0-9.]+[^ ]*, core type .+");
    }

    @Test
    void refusesOperandsThatAreTooShort() {
        OpenBlas blas = installed();
        Storage s = Storage.of(DType.F32, 1, 2, 3);
        assertThatThrownBy(() -> blas.matmul(Product.NN, 2, 2, 2, s, s, s)).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("expected operands of at least [4, 4, 4] numbers, found [3, 3, 3]");
    }

    @Test
    void aNamedFileThatIsNoLibraryIsAnError() {
        System.setProperty(OpenBlas.PROPERTY, "no-such-library.so");
        try {
            assertThatThrownBy(OpenBlas::find).isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith("expected OpenBLAS in no-such-library.so, found");
        } finally {
            System.clearProperty(OpenBlas.PROPERTY);
        }
    }

    private static void assertClose(Storage expected, Storage found) {
        for (long i = 0; i < expected.size(); i++) {
            // Sums of 7 products, in float.
            assertThat(found.get(i)).isCloseTo(expected.get(i), within(1e-5));
        }
    }
}
