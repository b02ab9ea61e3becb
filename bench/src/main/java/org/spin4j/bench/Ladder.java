package org.spin4j.bench;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Why a matrix product is fast: the same C[m,n] = A[m,k] · B[k,n], row-major, on one thread, five times, each rung with one
 * idea more than the rung before. To be read from top to bottom; {@link LadderRun} measures it.
 */
enum Ladder {
    /** One sum after the other, as the formula says it. */
    NAIVE("naive",
            "The formula: three loops. Each number of B comes from another cache line, and each addition waits for the "
                    + "one before.") {
        @Override
        void multiply(int m, int n, int k, float[] a, float[] b, float[] c) {
            for (int i = 0; i < m; i++) {
                for (int j = 0; j < n; j++) {
                    float sum = 0;
                    for (int p = 0; p < k; p++) {
                        sum = Math.fma(a[i * k + p], b[p * n + j], sum);
                    }
                    c[i * n + j] = sum;
                }
            }
        }
    },

    /** The inner loops swapped, and cut so that what they go over stays in the cache. */
    BLOCKED("cache-blocked",
            "The innermost loop runs along rows of B and C, whole cache lines at a time and with sums that do "
                    + "not wait for each other, over a block of B that stays in the cache for all rows of A.") {
        @Override
        void multiply(int m, int n, int k, float[] a, float[] b, float[] c) {
            Arrays.fill(c, 0, m * n, 0);
            for (int p0 = 0; p0 < k; p0 += BLOCK) {
                for (int j0 = 0; j0 < n; j0 += BLOCK) {
                    for (int i = 0; i < m; i++) {
                        for (int p = p0; p < Math.min(p0 + BLOCK, k); p++) {
                            float x = a[i * k + p];
                            for (int j = j0; j < Math.min(j0 + BLOCK, n); j++) {
                                c[i * n + j] = Math.fma(x, b[p * n + j], c[i * n + j]);
                            }
                        }
                    }
                }
            }
        }
    },

    /** B copied into the order of its use, which lets eight sums stay in registers. */
    PACKED("packed",
            "B is copied once into panels of eight columns, in the order in which they are used: eight sums stay in "
                    + "registers from the first term to the last, and C is written once instead of k times.") {
        @Override
        void multiply(int m, int n, int k, float[] a, float[] b, float[] c) {
            float[] panels = columnPanels(8, n, k, b);
            float[] tile = new float[8];
            for (int j = 0; j < n; j += 8) {
                for (int i = 0; i < m; i++) {
                    eightSums(k, a, i * k, panels, j * k, tile);
                    System.arraycopy(tile, 0, c, i * n + j, Math.min(8, n - j));
                }
            }
        }

        private static void eightSums(int k, float[] a, int row, float[] panels, int panel, float[] tile) {
            float s0 = 0;
            float s1 = 0;
            float s2 = 0;
            float s3 = 0;
            float s4 = 0;
            float s5 = 0;
            float s6 = 0;
            float s7 = 0;
            for (int p = 0; p < k; p++) {
                float x = a[row + p];
                int q = panel + 8 * p;
                s0 = Math.fma(x, panels[q], s0);
                s1 = Math.fma(x, panels[q + 1], s1);
                s2 = Math.fma(x, panels[q + 2], s2);
                s3 = Math.fma(x, panels[q + 3], s3);
                s4 = Math.fma(x, panels[q + 4], s4);
                s5 = Math.fma(x, panels[q + 5], s5);
                s6 = Math.fma(x, panels[q + 6], s6);
                s7 = Math.fma(x, panels[q + 7], s7);
            }
            tile[0] = s0;
            tile[1] = s1;
            tile[2] = s2;
            tile[3] = s3;
            tile[4] = s4;
            tile[5] = s5;
            tile[6] = s6;
            tile[7] = s7;
        }
    },

    /** Vectors in the place of single numbers. */
    VECTORISED("vectorised",
            "The same with the Vector API: four sums again and again, but each of a whole vector of columns, so "
                    + "that one instruction does the work of many.") {
        @Override
        void multiply(int m, int n, int k, float[] a, float[] b, float[] c) {
            float[] panels = columnPanels(WIDTH, n, k, b);
            float[] tile = new float[WIDTH];
            for (int j = 0; j < n; j += WIDTH) {
                for (int i = 0; i < m; i++) {
                    fourVectors(k, a, i * k, panels, j * k, tile);
                    System.arraycopy(tile, 0, c, i * n + j, Math.min(WIDTH, n - j));
                }
            }
        }

        private static void fourVectors(int k, float[] a, int row, float[] panels, int panel, float[] tile) {
            FloatVector s0 = FloatVector.zero(SPECIES);
            FloatVector s1 = FloatVector.zero(SPECIES);
            FloatVector s2 = FloatVector.zero(SPECIES);
            FloatVector s3 = FloatVector.zero(SPECIES);
            for (int p = 0; p < k; p++) {
                FloatVector x = FloatVector.broadcast(SPECIES, a[row + p]);
                int q = panel + WIDTH * p;
                s0 = FloatVector.fromArray(SPECIES, panels, q).fma(x, s0);
                s1 = FloatVector.fromArray(SPECIES, panels, q + LANES).fma(x, s1);
                s2 = FloatVector.fromArray(SPECIES, panels, q + 2 * LANES).fma(x, s2);
                s3 = FloatVector.fromArray(SPECIES, panels, q + 3 * LANES).fma(x, s3);
            }
            s0.intoArray(tile, 0);
            s1.intoArray(tile, LANES);
            s2.intoArray(tile, 2 * LANES);
            s3.intoArray(tile, 3 * LANES);
        }
    },

    /** Four rows at a time: each number loaded is used four times. */
    REGISTER_TILED("register-tiled",
            "A tile of 4 rows × 4 vectors of C stays in 16 registers: each vector of B is loaded once for "
                    + "four rows, so that the multipliers no longer wait for loads.") {
        @Override
        void multiply(int m, int n, int k, float[] a, float[] b, float[] c) {
            float[] groups = rowGroups(m, k, a);
            float[] panels = columnPanels(WIDTH, n, k, b);
            float[] tile = new float[4 * WIDTH];
            for (int j = 0; j < n; j += WIDTH) {
                for (int i = 0; i < m; i += 4) {
                    sixteenVectors(k, groups, i * k, panels, j * k, tile);
                    for (int r = 0; r < Math.min(4, m - i); r++) {
                        System.arraycopy(tile, r * WIDTH, c, (i + r) * n + j, Math.min(WIDTH, n - j));
                    }
                }
            }
        }

        private static void sixteenVectors(int k, float[] groups, int group, float[] panels, int panel, float[] tile) {
            FloatVector s00 = FloatVector.zero(SPECIES);
            FloatVector s01 = FloatVector.zero(SPECIES);
            FloatVector s02 = FloatVector.zero(SPECIES);
            FloatVector s03 = FloatVector.zero(SPECIES);
            FloatVector s10 = FloatVector.zero(SPECIES);
            FloatVector s11 = FloatVector.zero(SPECIES);
            FloatVector s12 = FloatVector.zero(SPECIES);
            FloatVector s13 = FloatVector.zero(SPECIES);
            FloatVector s20 = FloatVector.zero(SPECIES);
            FloatVector s21 = FloatVector.zero(SPECIES);
            FloatVector s22 = FloatVector.zero(SPECIES);
            FloatVector s23 = FloatVector.zero(SPECIES);
            FloatVector s30 = FloatVector.zero(SPECIES);
            FloatVector s31 = FloatVector.zero(SPECIES);
            FloatVector s32 = FloatVector.zero(SPECIES);
            FloatVector s33 = FloatVector.zero(SPECIES);
            for (int p = 0; p < k; p++) {
                int q = panel + WIDTH * p;
                FloatVector b0 = FloatVector.fromArray(SPECIES, panels, q);
                FloatVector b1 = FloatVector.fromArray(SPECIES, panels, q + LANES);
                FloatVector b2 = FloatVector.fromArray(SPECIES, panels, q + 2 * LANES);
                FloatVector b3 = FloatVector.fromArray(SPECIES, panels, q + 3 * LANES);
                FloatVector x0 = FloatVector.broadcast(SPECIES, groups[group + 4 * p]);
                s00 = b0.fma(x0, s00);
                s01 = b1.fma(x0, s01);
                s02 = b2.fma(x0, s02);
                s03 = b3.fma(x0, s03);
                FloatVector x1 = FloatVector.broadcast(SPECIES, groups[group + 4 * p + 1]);
                s10 = b0.fma(x1, s10);
                s11 = b1.fma(x1, s11);
                s12 = b2.fma(x1, s12);
                s13 = b3.fma(x1, s13);
                FloatVector x2 = FloatVector.broadcast(SPECIES, groups[group + 4 * p + 2]);
                s20 = b0.fma(x2, s20);
                s21 = b1.fma(x2, s21);
                s22 = b2.fma(x2, s22);
                s23 = b3.fma(x2, s23);
                FloatVector x3 = FloatVector.broadcast(SPECIES, groups[group + 4 * p + 3]);
                s30 = b0.fma(x3, s30);
                s31 = b1.fma(x3, s31);
                s32 = b2.fma(x3, s32);
                s33 = b3.fma(x3, s33);
            }
            s00.intoArray(tile, 0);
            s01.intoArray(tile, LANES);
            s02.intoArray(tile, 2 * LANES);
            s03.intoArray(tile, 3 * LANES);
            s10.intoArray(tile, WIDTH);
            s11.intoArray(tile, WIDTH + LANES);
            s12.intoArray(tile, WIDTH + 2 * LANES);
            s13.intoArray(tile, WIDTH + 3 * LANES);
            s20.intoArray(tile, 2 * WIDTH);
            s21.intoArray(tile, 2 * WIDTH + LANES);
            s22.intoArray(tile, 2 * WIDTH + 2 * LANES);
            s23.intoArray(tile, 2 * WIDTH + 3 * LANES);
            s30.intoArray(tile, 3 * WIDTH);
            s31.intoArray(tile, 3 * WIDTH + LANES);
            s32.intoArray(tile, 3 * WIDTH + 2 * LANES);
            s33.intoArray(tile, 3 * WIDTH + 3 * LANES);
        }
    };

    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = SPECIES.length();
    /** Columns of a panel: four vectors. */
    private static final int WIDTH = 4 * LANES;
    /** Rows and columns of a block: 64 KiB of floats, which the second-level cache holds beside all else. */
    private static final int BLOCK = 128;

    private final String title;
    private final String idea;

    Ladder(String title, String idea) {
        this.title = title;
        this.idea = idea;
    }

    /** What the rung is called. */
    String title() {
        return title;
    }

    /** Why it is faster than the rung before. */
    String idea() {
        return idea;
    }

    /**
     * C = A · B.
     *
     * @param a [m,k]
     * @param b [k,n]
     * @param c [m,n], overwritten
     */
    abstract void multiply(int m, int n, int k, float[] a, float[] b, float[] c);

    /** Panels of {@code width} columns: {@code [panels, k, width]}, the last one filled up with zeros. */
    private static float[] columnPanels(int width, int n, int k, float[] b) {
        float[] panels = new float[Math.ceilDiv(n, width) * width * k];
        for (int j = 0; j < n; j += width) {
            for (int p = 0; p < k; p++) {
                System.arraycopy(b, p * n + j, panels, j * k + p * width, Math.min(width, n - j));
            }
        }
        return panels;
    }

    /** Groups of four rows, number beside number: {@code [groups, k, 4]}, the last one filled up with zeros. */
    private static float[] rowGroups(int m, int k, float[] a) {
        float[] groups = new float[Math.ceilDiv(m, 4) * 4 * k];
        for (int i = 0; i < m; i++) {
            for (int p = 0; p < k; p++) {
                groups[(i / 4 * k + p) * 4 + i % 4] = a[i * k + p];
            }
        }
        return groups;
    }
}
