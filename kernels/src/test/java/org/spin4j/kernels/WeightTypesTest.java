package org.spin4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.spin4j.kernels.Kernels.PackedMatrix;
import org.spin4j.kernels.Kernels.Product;

/** A weight in a type of fewer bits gives bit for bit what the same weight widened to F32 gives. */
final class WeightTypesTest {
    private static final int[] SIZES = {1, 3, 15, 16, 17, 31, 32, 33, 63, 64, 65, 97, 130, 352};
    /** Lengths of sums: short, odd, cut into stretches within blocks of 32 and at their borders. */
    private static final int[] LENGTHS = {1, 7, 32, 33, 64, 96, 160, 255, 288, 544, 576, 1001, 1088};
    private static final List<Kernels> BACKENDS = List.of(new VectorKernels(1), new VectorKernels(2),
            new ScalarKernels());

    private final SplittableRandom random = new SplittableRandom(11);

    @ParameterizedTest
    @EnumSource(names = {"BF16", "F16", "Q8_0"})
    void productsAreThoseOfTheWidenedWeight(DType type) {
        for (int m = 1; m <= 40; m++) {
            check(type, m, SIZES[random.nextInt(SIZES.length)], LENGTHS[random.nextInt(LENGTHS.length)]);
        }
        for (int n : SIZES) {
            check(type, 1 + random.nextInt(40), n, LENGTHS[random.nextInt(LENGTHS.length)]);
        }
        for (int k : LENGTHS) {
            check(type, 1, 97, k);
            check(type, 6, 70, k);
            check(type, 40, 130, k);
        }
        check(type, 300, 200, 576);
        check(type, 1, 200, 2700);
        check(type, 7, 150, 5120);
        check(type, 1, 4000, 576);
    }

    private void check(DType type, int m, int n, int length) {
        int k = Math.ceilDiv(length, type.block()) * type.block();
        Storage b = weight(type, n, k);
        Storage wide = widened(b);
        Storage a = numbers((long) m * k);
        for (int extras = 0; extras < 4; extras += 3) {
            Storage bias = extras == 0 ? null : numbers(n);
            Storage addend = extras == 0 ? null : numbers((long) m * n);
            for (Kernels kernels : (long) m * n * k < 300_000 ? BACKENDS : BACKENDS.subList(0, 2)) {
                String name = type + " " + m + "x" + n + "x" + k + " extras " + extras + " " + kernels.describe();
                Storage expected = floats((long) m * n);
                kernels.matmul(Product.NT, m, n, k, a, wide, bias, addend, expected);
                Storage whole = floats((long) m * n + 2);
                whole.set(0, 42);
                whole.set((long) m * n + 1, 43);
                Storage c = whole.slice(1, (long) m * n);
                kernels.matmul(Product.NT, m, n, k, a, b, bias, addend, c);
                same(c, expected, name);
                PackedMatrix packed = kernels.pack(Product.NT, n, k, b);
                assertThat(packed.n()).isEqualTo(n);
                assertThat(packed.k()).isEqualTo(k);
                assertThat(packed.bytes()).as("%s", name).isBetween(type.bytes((long) n * k),
                        type.bytes((n + 63L) * k) + 64);
                c.zero();
                kernels.matmulPacked(m, a, packed, bias, addend, c);
                same(c, expected, name + " packed");
                assertThat(whole.get(0)).isEqualTo(42);
                assertThat(whole.get((long) m * n + 1)).isEqualTo(43);
            }
        }
    }

    /** Every pattern of 16 bits, infinity and NaN among them. */
    @ParameterizedTest
    @EnumSource(names = {"BF16", "F16"})
    void everyPatternIsWidenedExactly(DType type) {
        Storage all = patterns(type);
        float[] expected = new float[1 << 16];
        for (int bits = 0; bits < expected.length; bits++) {
            expected[bits] = type == DType.F16 ? Float.float16ToFloat((short) bits) : Float.intBitsToFloat(bits << 16);
            assertThat((float) all.get(bits)).isEqualTo(Float.valueOf(expected[bits]));
        }
        assertThat(widened(all).toFloats()).isEqualTo(expected);
        int[] rows = new int[256];
        Arrays.setAll(rows, i -> i);
        for (Kernels kernels : BACKENDS) {
            Storage out = floats(1 << 16);
            kernels.gatherRows(rows, 256, 256, all, false, out);
            assertThat(out.toFloats()).as(kernels.describe()).isEqualTo(expected);
        }
    }

    /** Each finite pattern times 1, plus zeros: what the tiles make of it in registers, for few rows and for many. */
    @ParameterizedTest
    @EnumSource(names = {"BF16", "F16"})
    void everyFinitePatternIsWidenedExactlyInAProduct(DType type) {
        Storage all = patterns(type);
        int k = 64;
        int n = 0;
        Storage finite = Storage.allocate(Arena.ofAuto(), type, 1 << 16);
        for (int row = 0; row < 1 << 10; row++) {
            if (Float.isFinite((float) all.get(row * (long) k + k - 1))) {
                finite.slice(n++ * (long) k, k).copyFrom(all.slice(row * (long) k, k));
            }
        }
        assertThat(n).isEqualTo(type == DType.F16 ? 2 * 31 * 16 : 2 * 255 * 2);
        Storage identity = floats((long) k * k);
        for (int i = 0; i < k; i++) {
            identity.set((long) i * k + i, 1);
        }
        for (Kernels kernels : BACKENDS) {
            PackedMatrix packed = kernels.pack(Product.NT, n, k, finite);
            for (int rows : new int[]{1, 3, k}) {
                for (int first = 0; first < k; first += rows == k ? k : 5) {
                    int m = Math.min(rows, k - first);
                    Storage c = floats((long) m * n);
                    kernels.matmulPacked(m, identity.slice((long) first * k, (long) m * k), packed, null, null, c);
                    for (int i = 0; i < m; i++) {
                        for (int j = 0; j < n; j++) {
                            // + 0 because -0 and the sum's zeros make +0.
                            assertThat(c.get((long) i * n + j)).isEqualTo(finite.get(j * (long) k + first + i) + 0.0);
                        }
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"BF16", "F16", "Q8_0"})
    void infinityAndNanGoTheirWay(DType type) {
        int n = 70;
        int k = 64;
        Storage b = weight(type, n, k);
        long row = type.bytes(k);
        short infinite = (short) (type == DType.BF16 ? 0xff80 : 0xfc00);
        b.segment().set(ValueLayout.JAVA_SHORT, 3 * row, infinite);
        b.segment().set(ValueLayout.JAVA_SHORT, 68 * row, (short) (infinite + 1));
        Storage a = numbers(40L * k);
        for (Kernels kernels : BACKENDS) {
            PackedMatrix packed = kernels.pack(Product.NT, n, k, b);
            for (int m : new int[]{1, 5, 20, 40}) {
                Storage expected = floats((long) m * n);
                kernels.matmul(Product.NT, m, n, k, a, widened(b), null, null, expected);
                Storage c = floats((long) m * n);
                kernels.matmulPacked(m, a, packed, null, null, c);
                same(c, expected, type + " " + m + " " + kernels.describe());
                c.zero();
                kernels.matmul(Product.NT, m, n, k, a, b, null, c, c);
                same(c, expected, type + " in place " + m + " " + kernels.describe());
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"BF16", "F16", "Q8_0"})
    void lookUpsAndLogProbsAreThoseOfTheWidenedWeight(DType type) {
        int rows = 9;
        int dim = 96;
        int vocab = 1500;
        Storage table = weight(type, vocab, dim);
        Storage wide = widened(table);
        int[] ids = random.ints(rows, 0, vocab).toArray();
        Storage hidden = numbers((long) rows * dim);
        Storage before = numbers((long) rows * dim);
        for (Kernels kernels : BACKENDS) {
            for (boolean accumulate : new boolean[]{false, true}) {
                Storage expected = floats((long) rows * dim);
                expected.copyFrom(before);
                kernels.gatherRows(ids, rows, dim, wide, accumulate, expected);
                Storage out = floats((long) rows * dim);
                out.copyFrom(before);
                kernels.gatherRows(ids, rows, dim, table, accumulate, out);
                same(out, expected, kernels.describe());
            }
            Storage[] expected = {floats(rows), floats(rows), floats(rows)};
            Storage[] found = {floats(rows), floats(rows), floats(rows)};
            int[] expectedBest = new int[rows];
            int[] best = new int[rows];
            kernels.tokenLogProbs(rows, dim, vocab, 0, hidden, wide, ids, expected[0], expected[1], expected[2],
                    expectedBest);
            kernels.tokenLogProbs(rows, dim, vocab, 0, hidden, table, ids, found[0], found[1], found[2], best);
            for (int i = 0; i < expected.length; i++) {
                same(found[i], expected[i], kernels.describe());
            }
            assertThat(best).isEqualTo(expectedBest);
        }
    }

    @Test
    void saysWhatIsWrong() {
        Storage x = floats(96);
        Storage blocks = Storage.allocate(Arena.ofAuto(), DType.Q8_0, 96);
        Storage doubles = Storage.allocate(Arena.ofAuto(), DType.F64, 96);
        for (Kernels kernels : BACKENDS) {
            assertThatThrownBy(() -> kernels.pack(Product.NT, 2, 48, blocks))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage(
                            "expected rows of b of a multiple of 32 elements for Q8_0, found 48; store this weight in"
                                    + " another type");
            assertThatThrownBy(() -> kernels.gatherRows(new int[]{0}, 1, 48, blocks, false, x))
                    .hasMessageStartingWith("expected rows of table of a multiple of 32");
            assertThatThrownBy(() -> kernels.matmul(Product.NN, 1, 32, 3, x, blocks, null, null, x))
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("found Q8_0");
        }
        assertThatThrownBy(() -> BACKENDS.getFirst().pack(Product.NT, 2, 48, doubles))
                .hasMessageStartingWith("expected b as F32, BF16, F16 or Q8_0, found F64");
    }

    private static Storage patterns(DType type) {
        Storage all = Storage.allocate(Arena.ofAuto(), type, 1 << 16);
        for (int bits = 0; bits < 1 << 16; bits++) {
            all.segment().set(ValueLayout.JAVA_SHORT, 2L * bits, (short) bits);
        }
        return all;
    }

    /** A weight of normal numbers, at no particular address. */
    private Storage weight(DType type, int n, int k) {
        long size = (long) n * k;
        MemorySegment memory = Arena.ofAuto().allocate(type.bytes(size) + 2).asSlice(2);
        Storage b = Storage.wrap(memory, type, size);
        b.convertFrom(numbers(size));
        return b;
    }

    private static Storage widened(Storage weight) {
        Storage wide = floats(weight.size());
        wide.convertFrom(weight);
        return wide;
    }

    private Storage numbers(long n) {
        Storage s = floats(n);
        for (long i = 0; i < n; i++) {
            s.set(i, random.nextGaussian());
        }
        return s;
    }

    private static Storage floats(long n) {
        return Storage.allocate(Arena.ofAuto(), DType.F32, n);
    }

    private static void same(Storage found, Storage expected, String name) {
        assertThat(Arrays.mismatch(found.toFloats(), expected.toFloats())).as("first element that differs: %s", name)
                .isEqualTo(-1);
    }

    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"F32", "BF16"})
    void aNumberTooLargeForHalfPrecisionIsRefused(DType from) {
        Storage large = Storage.allocate(Arena.ofAuto(), from, 2);
        large.set(1, 1e5);
        Storage half = Storage.allocate(Arena.ofAuto(), DType.F16, 2);
        assertThatThrownBy(() -> half.convertFrom(large)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("expected numbers up to 65504 to store as F16, found ");
        large.set(1, Double.POSITIVE_INFINITY);
        half.convertFrom(large);
        assertThat(half.get(1)).isEqualTo(Double.POSITIVE_INFINITY);
    }
}
