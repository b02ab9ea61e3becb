package org.spin4j.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.spin4j.engine.RandomStream;

class LadderTest {
    /** Single rows, sizes around the widths of a panel (8, 64) and of a block (128), none of them a multiple. */
    private static final int[][] SHAPES = {{1, 1, 1}, {3, 7, 5}, {4, 64, 16}, {5, 65, 17}, {6, 131, 129}, {33, 9, 257}};

    @ParameterizedTest
    @EnumSource
    void everyRungGivesTheProduct(Ladder rung) {
        for (int[] shape : SHAPES) {
            int m = shape[0];
            int n = shape[1];
            int k = shape[2];
            float[] a = numbers("a", m * k);
            float[] b = numbers("b", k * n);
            float[] c = numbers("what was there before must not show", m * n);
            rung.multiply(m, n, k, a, b, c);
            for (int i = 0; i < m; i++) {
                for (int j = 0; j < n; j++) {
                    double sum = 0;
                    for (int p = 0; p < k; p++) {
                        sum += (double) a[i * k + p] * b[p * n + j];
                    }
                    // Up to 257 roundings of partial sums of size 16.
                    assertThat((double) c[i * n + j]).as("%s %d,%d", rung, i, j).isCloseTo(sum, within(1e-4));
                }
            }
        }
    }

    private static float[] numbers(String name, int count) {
        RandomStream random = RandomStream.of(1, name, 0);
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = (float) random.nextGaussian();
        }
        return numbers;
    }
}
