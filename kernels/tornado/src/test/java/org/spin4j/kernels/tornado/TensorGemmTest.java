package org.spin4j.kernels.tornado;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.spin4j.kernels.Kernels.Product;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;
import uk.ac.manchester.tornado.api.types.BFloat16;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** Products on tensor cores, these emulated: the kernels run in Java, item by item. */
class TensorGemmTest {
    /** Untouched numbers between operands, so that whoever goes beyond one is found out. */
    private static final int GAP = 64;
    private static final float UNTOUCHED = 1e30f;
    /** Around fragments, tiles and slices; k of nothing and of less than a fragment. */
    private static final int[][] SHAPES = {{1, 1, 1}, {16, 8, 16}, {64, 64, 32}, {65, 72, 33}, {15, 130, 31},
            {130, 9, 64}, {48, 40, 0}, {3, 67, 7}};

    private static float rounded(TensorCores type, float x) {
        return type == TensorCores.F16
                ? Float.float16ToFloat(Float.floatToFloat16(x))
                : BFloat16.bf16ToFloat(BFloat16.bf16FromFloat(x));
    }

    @TestFactory
    Stream<DynamicTest> areTheProductsOfRoundedOperands() {
        List<DynamicTest> tests = new ArrayList<>();
        for (TensorCores type : TensorCores.values()) {
            for (Product product : Product.values()) {
                for (int[] s : SHAPES) {
                    for (int extras = 0; extras < 4; extras++) {
                        boolean bias = extras % 2 == 1;
                        boolean addend = extras > 1;
                        tests.add(DynamicTest.dynamicTest(
                                type + " " + product + " " + s[0] + "×" + s[1] + "×" + s[2] + (bias ? " + bias" : "")
                                        + (addend ? " + c" : ""),
                                () -> check(type, product, s[0], s[1], s[2], bias, addend)));
                    }
                }
            }
        }
        return tests.stream();
    }

    private static void check(TensorCores type, Product product, int m, int n, int k, boolean withBias,
            boolean withAddend) {
        int a = GAP;
        int b = a + m * k + GAP;
        int bias = b + n * k + GAP;
        int c = bias + n + GAP;
        int scratch = c + m * n + GAP;
        FloatArray mem = new FloatArray(scratch + (m + 16) * (n + 8) + GAP);
        mem.init(UNTOUCHED);
        SplittableRandom random = new SplittableRandom(1000L * m + n);
        fill(mem, a, m * k, random);
        fill(mem, b, n * k, random);
        fill(mem, bias, n, random);
        fill(mem, c, m * n, random);
        double[] expected = new double[m * n];
        double[] bound = new double[m * n];
        for (int i = 0; i < m; i++) {
            for (int j = 0; j < n; j++) {
                double sum = (withBias ? mem.get(bias + j) : 0) + (withAddend ? mem.get(c + i * n + j) : 0);
                double size = Math.abs(sum);
                for (int p = 0; p < k; p++) {
                    float x = mem.get(a + (product == Product.TN ? p * m + i : i * k + p));
                    float y = mem.get(b + (product == Product.NT ? j * k + p : p * n + j));
                    double term = (double) rounded(type, x) * rounded(type, y);
                    sum += term;
                    size += Math.abs(term);
                }
                expected[i * n + j] = sum;
                // Each of the additions, bias and addend among them, is off by at most half a unit in the last place of what it gives.
                bound[i * n + j] = (k + 2) * 0x1p-24 * size;
            }
        }

        EmulatedContext.run(new TensorGemm(type, size -> {
            assertThat(size).isLessThanOrEqualTo((m + 15) * (n + 7));
            return scratch;
        }).matmul(product, m, n, k, a, b, withBias ? bias : DeviceCall.NONE, withAddend ? c : DeviceCall.NONE, c), mem);

        for (int e = 0; e < m * n; e++) {
            assertThat((double) mem.get(c + e)).as("row " + e / n + ", column " + e % n).isCloseTo(expected[e],
                    within(bound[e]));
        }
        for (int e = 0; e < GAP; e++) {
            assertThat(mem.get(c - GAP + e)).isEqualTo(UNTOUCHED);
            assertThat(mem.get(c + m * n + e)).isEqualTo(UNTOUCHED);
        }
    }

    private static void fill(FloatArray mem, int at, int count, SplittableRandom random) {
        for (int e = 0; e < count; e++) {
            mem.set(at + e, (float) random.nextGaussian());
        }
    }

    @ParameterizedTest
    @EnumSource(TensorCores.class)
    void aRowDoesNotDependOnTheOthers(TensorCores type) {
        int n = 40;
        int k = 50;
        float[][] rows = new float[2][];
        for (int turn = 0; turn < 2; turn++) {
            int m = turn == 0 ? 67 : 1;
            FloatArray mem = new FloatArray(20_000);
            SplittableRandom random = new SplittableRandom(3);
            fill(mem, 0, (67 + n) * k, random);
            EmulatedContext.run(new TensorGemm(type, size -> 15_000).matmul(Product.NT, m, n, k, 0, 67 * k,
                    DeviceCall.NONE, DeviceCall.NONE, 10_000), mem);
            rows[turn] = mem.toHeapArray();
        }
        for (int j = 0; j < n; j++) {
            assertThat(rows[1][10_000 + j]).isEqualTo(rows[0][10_000 + j]);
        }
    }

    @Test
    void numbersBeyondTheTypeAreInfiniteAndNoOthersSuffer() {
        FloatArray mem = new FloatArray(2000);
        mem.init(1);
        mem.set(16, 70_000);
        EmulatedContext.run(new TensorGemm(TensorCores.F16, size -> 1500).matmul(Product.NT, 3, 2, 16, 0, 100,
                DeviceCall.NONE, DeviceCall.NONE, 1000), mem);
        assertThat(mem.get(1000)).isEqualTo(16);
        assertThat(mem.get(1002)).isEqualTo(Float.POSITIVE_INFINITY);
        assertThat(mem.get(1004)).isEqualTo(16);
        EmulatedContext.run(new TensorGemm(TensorCores.BF16, size -> 1500).matmul(Product.NT, 3, 2, 16, 0, 100,
                DeviceCall.NONE, DeviceCall.NONE, 1000), mem);
        assertThat(mem.get(1002)).isEqualTo(rounded(TensorCores.BF16, 70_000) + 15);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            CUDA   | Device version   : CUDA 9.0  | ''
            CUDA   | Device version   : CUDA 12.1 | ''
            CUDA   | Device version   : CUDA 7.5  | they need compute capability 8.0, this is 7.5
            CUDA   | nothing              | TornadoVM does not tell the compute capability
            PTX    | NVIDIA A100          | TornadoVM reaches them through its CUDA backend, this is PTX
            OPENCL | CUDA 9.0             | TornadoVM reaches them through its CUDA backend, this is OPENCL
            """)
    void saysWhyThereAreNone(TornadoVMBackendType backend, String info, String reason) {
        assertThat(TensorCores.missing(backend, info)).isEqualTo(reason);
    }

    @Test
    void askedForWhereThereAreNoneIsAnErrorThatSaysWhatToDo() {
        TornadoDevices.Found device = TornadoDevices.find().getFirst();
        assumeFalse(TensorCores.missing(device.device()).isEmpty(),
                "the first device has tensor cores");
        TornadoBackend backend = new TornadoBackend();
        assertThatThrownBy(() -> backend.open(device.name(), "bf16")).isInstanceOf(UnsupportedOperationException.class)
                .hasMessageStartingWith("expected a device with tensor cores for products in bf16")
                .hasMessageContaining(device.toString()).hasMessageEndingWith(
                        "leave out \",bf16\", or choose another device or SDK");
        assertThatThrownBy(() -> backend.open(device.name(), "fp16")).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("expected f16 or bf16").hasMessageContaining("\"fp16\"");
    }
}
