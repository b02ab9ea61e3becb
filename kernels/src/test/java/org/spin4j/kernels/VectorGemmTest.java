package org.spin4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.spin4j.kernels.Kernels.PackedMatrix;
import org.spin4j.kernels.Kernels.Product;

/**
 * The products promise certain chains of fused multiply-adds for each element, so the oracle is these chains in plain Java and equality
 * is exact.
 */
final class VectorGemmTest {
    private static final int[] SIZES = {1, 2, 3, 4, 5, 7, 13, 16, 17, 31, 32, 33, 49, 64, 65, 97, 130};
    private static final VectorGemm ONE = new VectorGemm(new Parallel(1));
    private static final VectorGemm THREE = new VectorGemm(new Parallel(3));

    private final SplittableRandom random = new SplittableRandom(7);

    @ParameterizedTest
    @EnumSource(Product.class)
    void everyElementIsOneChainForAwkwardSizes(Product product) {
        for (int m : SIZES) {
            for (int n : SIZES) {
                int k = SIZES[random.nextInt(SIZES.length)];
                check(THREE, product, m, n, k, random.nextInt(4));
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"NN, 70, 1030, 200", "NT, 300, 200, 100", "TN, 210, 66, 700", "TN, 33, 300, 3300", "NT, 5, 2000, 64",
            "NN, 40, 515, 400"})
    void everyElementIsOneChainWhereOperandsArePacked(Product product, int m, int n, int k) {
        for (int extras = 0; extras < 4; extras++) {
            check(ONE, product, m, n, k, extras);
            check(THREE, product, m, n, k, extras);
        }
    }

    /** What each generated token multiplies: one row by a wide matrix, whose last panel may be ragged. */
    @ParameterizedTest
    @CsvSource({"NT, 1030, 1000", "NT, 896, 20", "NN, 900, 500", "NN, 833, 900", "TN, 800, 300", "NT, 800, 0"})
    void aSingleRowIsOneChainOverManyPanels(Product product, int n, int k) {
        for (int extras = 0; extras < 4; extras++) {
            check(ONE, product, 1, n, k, extras);
            check(THREE, product, 1, n, k, extras);
        }
    }

    @Test
    void emptySumsLeaveBiasAndAddend() {
        for (Product product : Product.values()) {
            check(THREE, product, 5, 70, 0, 3);
            check(THREE, product, 0, 70, 3, 0);
            check(THREE, product, 3, 0, 3, 0);
        }
    }

    @Test
    void accumulatesIntoTheAddend() {
        int m = 37;
        int n = 75;
        int k = 90;
        Storage a = random(m * k);
        Storage b = random(n * k);
        Storage c = random(m * n);
        float[] expected = oracle(Product.TN, m, n, k, a, b, null, c);
        THREE.matmul(Product.TN, m, n, k, a, b, null, c, c);
        same(c, expected);
    }

    @ParameterizedTest
    @EnumSource(value = Product.class, names = {"NN", "NT"})
    void aRowDoesNotDependOnTheOthersNorOnPacking(Product product) {
        int n = 203;
        int k = 77;
        int rows = 67;
        Storage a = random(rows * k);
        Storage b = random(n * k);
        Storage all = storage(rows * n);
        THREE.matmul(product, rows, n, k, a, b, null, null, all);
        PackedMatrix packed = THREE.pack(product, n, k, b);
        assertThat(packed.n()).isEqualTo(n);
        assertThat(packed.k()).isEqualTo(k);
        for (int from = 0; from < rows; from += 5) {
            for (int m = 1; m <= Math.min(rows - from, 9); m++) {
                Storage part = storage(m * n);
                Storage x = a.slice((long) from * k, (long) m * k);
                THREE.matmulPacked(m, x, packed, null, null, part);
                same(part, all.slice((long) from * n, (long) m * n).toFloats());
                ONE.matmul(product, m, n, k, x, b, null, null, part);
                same(part, all.slice((long) from * n, (long) m * n).toFloats());
            }
        }
    }

    @Test
    void saysWhatIsWrong() {
        Storage s = storage(11);
        assertThatThrownBy(() -> ONE.matmul(Product.NN, 2, 3, 4, s, s, null, null, s))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("expected at least 12 elements in b, found 11");
        assertThatThrownBy(() -> ONE.matmul(Product.NN, 2, -3, 4, s, s, null, null, s))
                .hasMessage("expected sizes of at least 0, found m=2, n=-3, k=4");
        assertThatThrownBy(() -> ONE.matmulPacked(1, s, null, null, null, s))
                .hasMessageStartingWith("expected a matrix packed by the vector backend, found null");
    }

    /** {@code extras}: 1 = with bias, 2 = with addend, 3 = both. Operands start 4 bytes off any alignment. */
    private void check(VectorGemm gemm, Product product, int m, int n, int k, int extras) {
        Storage a = random(m * k);
        Storage b = random(n * k);
        Storage bias = (extras & 1) == 0 ? null : random(n);
        Storage addend = (extras & 2) == 0 ? null : random(m * n);
        Storage whole = storage(m * n + 2);
        Storage c = whole.slice(1, (long) m * n);
        whole.set(0, 42);
        whole.set(c.size() + 1, 43);
        gemm.matmul(product, m, n, k, a, b, bias, addend, c);
        assertThat(Arrays.mismatch(c.toFloats(), oracle(product, m, n, k, a, b, bias, addend)))
                .as("first element that differs in %s %dx%dx%d extras %d", product, m, n, k, extras).isEqualTo(-1);
        assertThat(whole.get(0)).isEqualTo(42);
        assertThat(whole.get(c.size() + 1)).isEqualTo(43);
    }

    private static void same(Storage found, float[] expected) {
        assertThat(Arrays.mismatch(found.toFloats(), expected)).as("first element that differs").isEqualTo(-1);
    }

    private static float[] oracle(Product product, int m, int n, int k, Storage sa, Storage sb, Storage bias,
            Storage addend) {
        float[] a = sa.toFloats();
        float[] b = sb.toFloats();
        float[] c = new float[m * n];
        for (int i = 0; i < m; i++) {
            for (int j = 0; j < n; j++) {
                float start = bias == null ? 0 : (float) bias.get(j);
                float more = addend == null ? 0 : (float) addend.get((long) i * n + j);
                float sum = start + more;
                float chain = 0;
                int stretch = VectorGemm.stretch(k);
                for (int p = 0; p < k; p++) {
                    chain = Math.fma(product == Product.TN ? a[p * m + i] : a[i * k + p],
                            product == Product.NT ? b[j * k + p] : b[p * n + j], chain);
                    if ((p + 1) % stretch == 0 || p + 1 == k) {
                        sum = p < stretch ? chain + start + more : sum + chain;
                        chain = 0;
                    }
                }
                c[i * n + j] = sum;
            }
        }
        return c;
    }

    private Storage random(int size) {
        Storage s = storage(size + 1).slice(1, size);
        for (int i = 0; i < size; i++) {
            s.set(i, random.nextDouble() * 2 - 1);
        }
        return s;
    }

    private static Storage storage(int size) {
        return Storage.allocate(Arena.ofAuto(), DType.F32, size);
    }
}
