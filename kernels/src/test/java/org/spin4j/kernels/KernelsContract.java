package org.spin4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.spin4j.kernels.Kernels.Product;

/**
 * What a backend owes the scalar specification, as tests: its numbers over sizes that fill vectors, tiles and chunks exactly, barely
 * and not, and that no row depends on the others. A backend's test implements this.
 */
public interface KernelsContract {
    /** The specification. */
    Kernels SCALAR = new ScalarKernels();

    /** The backend, in settings (numbers of threads, say) that must all give the same bits. */
    List<Kernels> backends();

    /** Sizes of what is computed number by number and row by row, around those at which the backend cuts its work. */
    int[] sizes();

    /** What one call computes: outputs in a fixed order, from inputs that depend on the name alone. */
    record Case(String name, int terms, Function<Kernels, List<Storage>> run) {
        /**
         * Sums of n rounded terms differ by about sqrt(n) roundings of 2^-24 of the largest number at hand; 32 covers the
         * roundings of the few other steps and terms larger than their sum.
         */
        double tolerance() {
            return 0x1p-24 * (32 + 8 * Math.sqrt(terms));
        }

        void check(List<Kernels> backends) {
            List<Storage> expected = run.apply(SCALAR);
            List<Storage> first = run.apply(backends.getFirst());
            for (int i = 0; i < expected.size(); i++) {
                assertClose(i, expected.get(i), first.get(i));
            }
            for (Kernels kernels : backends) {
                List<Storage> again = run.apply(kernels);
                for (int i = 0; i < expected.size(); i++) {
                    assertThat(again.get(i).toFloats()).as("%s, output %d, %s", name, i, kernels.describe())
                            .isEqualTo(first.get(i).toFloats());
                }
            }
        }

        private void assertClose(int output, Storage expected, Storage found) {
            double largest = 0;
            for (long i = 0; i < expected.size(); i++) {
                largest = Math.max(largest, Math.abs(expected.get(i)));
            }
            for (long i = 0; i < expected.size(); i++) {
                assertThat(Math.abs(expected.get(i) - found.get(i)))
                        .as("%s, output %d, place %d: expected %s, found %s", name, output, i, expected.get(i),
                                found.get(i))
                        .isLessThanOrEqualTo(tolerance() * largest);
            }
        }
    }

    /** Random numbers from a seed. */
    final class Inputs {
        private final SplittableRandom random;

        Inputs(long seed) {
            random = new SplittableRandom(seed);
        }

        /** Normal numbers. */
        Storage normal(long n) {
            Storage s = zeros(n);
            for (long i = 0; i < n; i++) {
                s.set(i, random.nextGaussian());
            }
            return s;
        }

        /** Numbers from 0 to 1. */
        Storage positive(long n) {
            Storage s = zeros(n);
            for (long i = 0; i < n; i++) {
                s.set(i, random.nextDouble());
            }
            return s;
        }

        int[] ints(int n, int bound) {
            return random.ints(n, 0, bound).toArray();
        }
    }

    private static Storage zeros(long n) {
        return Storage.allocate(Arena.ofAuto(), DType.F32, n);
    }

    @TestFactory
    default Stream<DynamicTest> likeTheSpecification() {
        List<Case> cases = new ArrayList<>();
        for (int n : sizes()) {
            elementwise(n, cases);
            for (int rows : new int[]{1, 3, 70}) {
                rows(rows, n, cases);
            }
        }
        elementwise(40_000, cases);
        rows(300, 207, cases);
        for (int headDim : new int[]{2, 8, 12, 16, 48, 64, 66}) {
            cases.add(new Case("rope " + headDim, 1, k -> {
                Inputs in = new Inputs(headDim);
                Storage x = in.normal(40L * (3 * headDim + 5));
                k.rope(40, 3 * headDim + 5, 3, headDim, in.ints(40, 20), in.normal(20L * headDim), headDim == 48, x);
                return List.of(x);
            }));
        }
        for (int headDim : new int[]{1, 8, 13, 64, 80}) {
            for (int rows : new int[]{1, 3, 300}) {
                headNorm(rows, headDim, cases);
            }
        }
        attentions(cases);
        products(cases);
        logProbs(cases);
        return cases.stream().map(c -> DynamicTest.dynamicTest(c.name(), () -> c.check(backends())));
    }

    private static void elementwise(int n, List<Case> cases) {
        cases.add(new Case("axpy " + n, 1, k -> {
            Inputs in = new Inputs(n);
            Storage y = in.normal(n);
            k.axpy(n, 0.37, in.normal(n), y);
            return List.of(y);
        }));
        cases.add(new Case("sumOfSquares " + n, 1,
                k -> List.of(Storage.of(DType.F32, k.sumOfSquares(n, new Inputs(n).normal(n))))));
        cases.add(new Case("gelu " + n, 1, k -> {
            Storage out = zeros(n);
            k.gelu(n, new Inputs(n).normal(n), out);
            return List.of(out);
        }));
        cases.add(new Case("geluBackward " + n, 1, k -> {
            Inputs in = new Inputs(n);
            Storage dX = in.normal(n);
            k.geluBackward(n, in.normal(n), in.normal(n), dX);
            return List.of(dX);
        }));
        cases.add(new Case("softcap " + n, 1, k -> {
            Storage x = new Inputs(n).normal(n);
            k.softcap(n, 0.7, x);
            return List.of(x);
        }));
        for (double p : new double[]{0, 0.1, 0.9}) {
            cases.add(new Case("dropout " + n + " of " + p, 1, k -> {
                long key = 0x9F03_5C2D_71E8_46BAL * n;
                Storage x = new Inputs(n).normal(n);
                k.dropout(n, p, key, x);
                DropoutMask mask = DropoutMask.of(p, key);
                // The mask itself has no tolerance.
                assertThat(IntStream.range(0, n).filter(i -> x.get(i) != 0 != mask.keeps(i)).boxed().findFirst())
                        .as("first place with another fate").isEmpty();
                return List.of(x);
            }));
        }
        cases.add(new Case("adamW " + n, 1, k -> {
            Inputs in = new Inputs(n);
            Storage p = in.normal(n);
            Storage m = in.normal(n);
            Storage v = in.positive(n);
            k.adamW(n, p, in.normal(n), m, v, 1e-2, 0.9, 0.95, 1e-8, 0.1, 0.7, 3);
            return List.of(p, m, v);
        }));
        cases.add(new Case("rmsProp " + n, 1, k -> {
            Inputs in = new Inputs(n);
            Storage p = in.normal(n);
            Storage v = in.positive(n);
            k.rmsProp(n, p, in.normal(n), v, 1e-2, 0.99, 1e-8, 0.1, 0.7);
            return List.of(p, v);
        }));
    }

    private static void rows(int rows, int dim, List<Case> cases) {
        String size = " " + rows + " x " + dim;
        long n = (long) rows * dim;
        cases.add(new Case("columnSums" + size, rows, k -> {
            Inputs in = new Inputs(dim);
            Storage out = in.normal(dim);
            k.columnSums(rows, dim, in.normal(n), out);
            return List.of(out);
        }));
        cases.add(new Case("gather and scatter" + size, rows, k -> {
            Inputs in = new Inputs(dim);
            int[] which = in.ints(rows, 7);
            Storage table = in.normal(7L * dim);
            Storage plain = in.normal(n);
            Storage added = in.normal(n);
            k.gatherRows(which, rows, dim, table, false, plain);
            k.gatherRows(which, rows, dim, table, true, added);
            k.scatterAddRows(which, rows, dim, added, table);
            return List.of(plain, added, table);
        }));
        cases.add(new Case("rmsNorm" + size, dim, k -> {
            Inputs in = new Inputs(dim);
            Storage x = in.normal(n);
            Storage weight = in.normal(dim);
            Storage out = zeros(n);
            Storage inv = zeros(rows);
            k.rmsNorm(rows, dim, 1e-5, x, weight, out, inv);
            return List.of(out, inv);
        }));
        cases.add(new Case("rmsNormBackward" + size, dim + rows, k -> {
            Inputs in = new Inputs(dim);
            Storage dX = in.normal(n);
            Storage dWeight = in.normal(dim);
            k.rmsNormBackward(rows, dim, in.normal(n), in.normal(dim), in.positive(rows), in.normal(n), dX, dWeight);
            return List.of(dX, dWeight);
        }));
        // One number has no variance: it is all mean, and the quotient of two roundings.
        if (dim > 1) {
            cases.add(new Case("layerNorm" + size, dim, k -> {
                Inputs in = new Inputs(dim);
                Storage out = zeros(n);
                Storage mean = zeros(rows);
                Storage inv = zeros(rows);
                k.layerNorm(rows, dim, 1e-2, in.normal(n), in.normal(dim), in.normal(dim), out, mean, inv);
                return List.of(out, mean, inv);
            }));
        }
        cases.add(new Case("layerNormBackward" + size, dim + rows, k -> {
            Inputs in = new Inputs(dim);
            Storage dX = in.normal(n);
            Storage dWeight = in.normal(dim);
            Storage dBias = in.normal(dim);
            k.layerNormBackward(rows, dim, in.normal(n), in.normal(dim), in.normal(rows), in.positive(rows),
                    in.normal(n), dX, dWeight, dBias);
            return List.of(dX, dWeight, dBias);
        }));
        cases.add(new Case("swiGlu" + size, 1, k -> {
            Inputs in = new Inputs(dim);
            Storage gateUp = in.normal(2 * n);
            Storage out = zeros(n);
            Storage dGateUp = in.normal(2 * n);
            k.swiGlu(rows, dim, gateUp, out);
            k.swiGluBackward(rows, dim, gateUp, in.normal(n), dGateUp);
            return List.of(out, dGateUp);
        }));
        cases.add(new Case("geGlu" + size, 1, k -> {
            Inputs in = new Inputs(dim);
            Storage gateUp = in.normal(2 * n);
            Storage out = zeros(n);
            Storage dGateUp = in.normal(2 * n);
            k.geGlu(rows, dim, gateUp, out);
            k.geGluBackward(rows, dim, gateUp, in.normal(n), dGateUp);
            return List.of(out, dGateUp);
        }));
        cases.add(new Case("softmaxRows" + size, dim, k -> {
            Inputs in = new Inputs(dim);
            Storage x = in.normal(n);
            Storage logSumExp = zeros(rows);
            k.softmaxRows(rows, dim, 1.7, x, logSumExp);
            return List.of(x, logSumExp);
        }));
        cases.add(new Case("argmaxRows" + size, 1, k -> {
            Storage x = new Inputs(dim).normal(n);
            int[] argmax = new int[rows];
            k.argmaxRows(rows, dim, x, argmax);
            Storage found = zeros(rows);
            for (int i = 0; i < rows; i++) {
                found.set(i, argmax[i]);
            }
            return List.of(found);
        }));
        cases.add(new Case("repetitionPenalty" + size, 1, k -> {
            Inputs in = new Inputs(dim);
            Storage x = in.normal(n);
            int[] places = IntStream.range(0, (int) n).filter(i -> i % 7 < 3).toArray();
            k.repetitionPenalty(places, places.length - places.length / 4, 1.3, x);
            return List.of(x);
        }));
        cases.add(new Case("sampleRows" + size, 1, k -> {
            Inputs in = new Inputs(dim);
            Storage p = in.normal(n);
            SCALAR.softmaxRows(rows, dim, 4, p, zeros(rows));
            List<Storage> drawn = new ArrayList<>();
            for (int filters = 0; filters < 8; filters++) {
                drawn.add(sample(k, rows, dim, (filters & 1) == 0 ? 0 : 1 + dim / 3, (filters & 2) == 0 ? 1 : 0.9,
                        (filters & 4) == 0 ? 0 : 0.02, p, in.positive(rows)));
            }
            return drawn;
        }));
    }

    private static Storage sample(Kernels k, int rows, int cols, int topK, double topP, double minP, Storage p,
            Storage uniforms) {
        double[] u = IntStream.range(0, rows).mapToDouble(i -> Math.min(uniforms.get(i), 1 - 0x1p-53)).toArray();
        int[] drawn = new int[rows];
        k.sampleRows(rows, cols, topK, topP, minP, p, u, drawn);
        Storage found = zeros(rows);
        for (int i = 0; i < rows; i++) {
            found.set(i, drawn[i]);
        }
        return found;
    }

    private static void headNorm(int rows, int headDim, List<Case> cases) {
        int stride = 4 * headDim + 5;
        long size = (long) rows * stride;
        long n = 3L * rows * headDim;
        cases.add(new Case("headNorm " + rows + " x 3 x " + headDim, headDim, k -> {
            Inputs in = new Inputs(headDim);
            Storage x = in.normal(size);
            Storage weight = in.normal(headDim);
            Storage unkept = zeros(size);
            unkept.copyFrom(x);
            Storage before = zeros(n);
            Storage inv = zeros(3L * rows);
            k.headNorm(rows, stride, 3, headDim, 1e-2, x, weight, before, inv);
            k.headNorm(rows, stride, 3, headDim, 1e-2, unkept, weight, null, inv);
            assertThat(unkept.toFloats()).isEqualTo(x.toFloats());
            return List.of(x, before, inv);
        }));
        cases.add(new Case("headNormBackward " + rows + " x 3 x " + headDim, headDim + 3 * rows, k -> {
            Inputs in = new Inputs(headDim);
            Storage dX = in.normal(size);
            Storage dWeight = in.normal(headDim);
            k.headNormBackward(rows, stride, 3, headDim, in.normal(n), in.normal(headDim), in.positive(3L * rows), dX,
                    dWeight);
            return List.of(dX, dWeight);
        }));
    }

    private static Forest families() {
        Forest.Builder b = new Forest.Builder();
        int prompt = b.root(37);
        b.child(prompt, 8);
        int chosen = b.child(prompt, 45);
        b.child(chosen, 1);
        b.child(chosen, 70);
        b.root(5);
        int other = b.root(1);
        b.child(other, 3);
        return b.build();
    }

    /** A prompt and responses longer than what one task of attention takes. */
    private static Forest longFamily() {
        Forest.Builder b = new Forest.Builder();
        int prompt = b.root(130);
        b.child(prompt, 290);
        b.child(b.child(prompt, 33), 140);
        return b.build();
    }

    private static void attentions(List<Case> cases) {
        int[] headDims = {1, 8, 12, 16, 17, 20, 48, 64, 80, 128};
        for (int hd : headDims) {
            AttentionShape shape = new AttentionShape(2, 2, hd, 1 / Math.sqrt(hd), 0);
            attention("sequences", Forest.ofSequences(1, 33, 70), shape, cases);
            attention("families", families(), shape, cases);
        }
        AttentionShape grouped = new AttentionShape(6, 2, 16, 0.25, 0);
        attention("grouped", families(), grouped, cases);
        attention("grouped, window", families(), new AttentionShape(6, 2, 16, 0.25, 20), cases);
        attention("window of one", families(), new AttentionShape(2, 1, 8, 1, 1), cases);
        attention("lengths around a block", Forest.ofSequences(1, 2, 17, 63, 64, 65, 200),
                new AttentionShape(4, 2, 20, 0.2, 0), cases);
        attention("several chunks of queries", longFamily(), new AttentionShape(2, 1, 8, 0.3, 0), cases);
        attention("several chunks of queries, window", longFamily(), new AttentionShape(2, 1, 8, 0.3, 150), cases);
        attention("long", Forest.ofSequences(207, 300), new AttentionShape(1, 1, 12, 0.3, 0), cases);
        attention("capped", families(), new AttentionShape(6, 2, 16, 0.25, 0, 1.5), cases);
        attention("capped, window", longFamily(), new AttentionShape(2, 1, 12, 0.3, 150, 4), cases);
        attention("capped, one key", Forest.ofSequences(1, 2, 9), new AttentionShape(1, 1, 20, 1, 0, 50), cases);
        attention("long, window", Forest.ofSequences(300), new AttentionShape(1, 1, 12, 0.3, 64), cases);
    }

    private static void attention(String what, Forest forest, AttentionShape shape, List<Case> cases) {
        int tokens = forest.tokens();
        String name = what + " " + shape;
        cases.add(new Case("attention " + name, tokens, k -> {
            Storage out = zeros((long) tokens * shape.outWidth());
            Storage logSumExp = zeros((long) tokens * shape.heads());
            k.attention(forest, shape, new Inputs(7).normal((long) tokens * shape.qkvWidth()), out, logSumExp);
            return List.of(out, logSumExp);
        }));
        cases.add(new Case("attentionBackward " + name, tokens, k -> {
            Inputs in = new Inputs(7);
            Storage qkv = in.normal((long) tokens * shape.qkvWidth());
            Storage out = zeros((long) tokens * shape.outWidth());
            Storage logSumExp = zeros((long) tokens * shape.heads());
            SCALAR.attention(forest, shape, qkv, out, logSumExp);
            Storage dQkv = in.normal((long) tokens * shape.qkvWidth());
            k.attentionBackward(forest, shape, qkv, out, logSumExp, in.normal((long) tokens * shape.outWidth()), dQkv);
            return List.of(dQkv);
        }));
        cases.add(new Case("cachedAttention " + name, tokens, k -> {
            Inputs in = new Inputs(7);
            List<List<Storage>> pages = new ArrayList<>();
            List<Storage> results = new ArrayList<>();
            int[] lengths = {1, tokens, 1, tokens / 3 + 1};
            int[] positions = {0, 0, tokens - 1, tokens / 2};
            for (int i = 0; i < lengths.length; i++) {
                pages.add(pages(in, positions[i] + lengths[i], 10 + shape.pageSize()));
                results.addAll(pages.getLast());
            }
            CachedBatch batch = new CachedBatch(lengths, positions, pages);
            Storage out = zeros((long) batch.tokens() * shape.outWidth());
            k.cachedAttention(batch, shape, 10, in.normal((long) batch.tokens() * shape.qkvWidth()), out);
            results.add(out);
            return results;
        }));
    }

    private static List<Storage> pages(Inputs in, int tokens, long size) {
        return IntStream.range(0, Math.ceilDiv(tokens, CachedBatch.PAGE)).mapToObj(p -> in.normal(size)).toList();
    }

    private static void products(List<Case> cases) {
        int[][] shapes = {{1, 1, 1}, {1, 65, 33}, {2, 31, 3}, {3, 127, 64}, {16, 33, 130}, {17, 2, 65}, {31, 63, 1},
                {63, 65, 31}, {64, 64, 64}, {65, 130, 127}, {130, 3, 200}, {200, 33, 300}, {5, 7, 0}, {40, 9, 0}};
        for (Product product : Product.values()) {
            for (int[] shape : shapes) {
                for (int extras = 0; extras < 4; extras++) {
                    product(product, shape[0], shape[1], shape[2], extras, cases);
                }
            }
        }
    }

    /** {@code extras}: 1 = with bias, 2 = with addend, 3 = both. */
    private static void product(Product product, int m, int n, int k, int extras, List<Case> cases) {
        cases.add(new Case(product + " " + m + " x " + n + " x " + k + ", extras " + extras, k, kernels -> {
            Inputs in = new Inputs(m + n + k);
            Storage bias = (extras & 1) == 0 ? null : in.normal(n);
            Storage c = in.normal((long) m * n);
            Storage addend = (extras & 2) == 0 ? null : in.normal((long) m * n);
            Storage a = in.normal((long) m * k);
            Storage b = in.normal((long) n * k);
            kernels.matmul(product, m, n, k, a, b, bias, addend, c);
            Storage accumulated = in.normal((long) m * n);
            kernels.matmul(product, m, n, k, a, b, bias, accumulated, accumulated);
            return List.of(c, accumulated);
        }));
    }

    private static void logProbs(List<Case> cases) {
        int[][] shapes = {{1, 1, 2}, {3, 5, 2}, {7, 13, 17}, {2, 3, 64}, {33, 64, 60}, {65, 16, 300}, {5, 40, 3331},
                {130, 24, 2049}, {1030, 8, 70}};
        for (int[] shape : shapes) {
            for (double cap : new double[]{0, 6}) {
                logProbs(shape[0], shape[1], shape[2], cap, cases);
            }
        }
    }

    private static void logProbs(int rows, int dim, int vocab, double cap, List<Case> cases) {
        String size = " " + rows + " x " + dim + " x " + vocab + (cap == 0 ? "" : ", capped");
        cases.add(new Case("tokenLogProbs" + size, dim + vocab, k -> {
            Inputs in = new Inputs(rows);
            Storage logProbs = zeros(rows);
            Storage logSumExp = zeros(rows);
            Storage entropy = zeros(rows);
            int[] argmax = new int[rows];
            Storage hidden = in.normal((long) rows * dim);
            Storage head = in.normal((long) vocab * dim);
            int[] targets = in.ints(rows, vocab);
            k.tokenLogProbs(rows, dim, vocab, cap, hidden, head, targets, logProbs, logSumExp, entropy, argmax);
            Storage unasked = zeros(rows);
            k.tokenLogProbs(rows, dim, vocab, cap, hidden, head, targets, unasked, logSumExp, null, null);
            assertThat(unasked.toFloats()).isEqualTo(logProbs.toFloats());
            Storage best = zeros(rows);
            for (int i = 0; i < rows; i++) {
                best.set(i, argmax[i]);
            }
            return List.of(logProbs, logSumExp, entropy, best);
        }));
        cases.add(new Case("tokenLogProbsBackward" + size, dim + vocab + rows, k -> {
            Inputs in = new Inputs(rows);
            Storage hidden = in.normal((long) rows * dim);
            Storage head = in.normal((long) vocab * dim);
            int[] targets = in.ints(rows, vocab);
            Storage logSumExp = zeros(rows);
            SCALAR.tokenLogProbs(rows, dim, vocab, cap, hidden, head, targets, zeros(rows), logSumExp, null, null);
            Storage dLogProbs = in.normal(rows);
            for (int i = 1; i < rows; i += 3) {
                dLogProbs.set(i, 0);
            }
            Storage dHidden = in.normal((long) rows * dim);
            Storage dHead = in.normal((long) vocab * dim);
            k.tokenLogProbsBackward(rows, dim, vocab, cap, hidden, head, targets, logSumExp, dLogProbs, dHidden,
                    dHead);
            return List.of(dHidden, dHead);
        }));
    }

    @Test
    default void theLowestOfEquallyProbableTokensIsTheArgmax() {
        Storage head = zeros(3000);
        for (int token : new int[]{130, 131, 600, 1200, 2900}) {
            head.set(token, 2);
        }
        for (Kernels k : backends()) {
            int[] argmax = new int[1];
            k.tokenLogProbs(1, 1, 3000, 0, Storage.of(DType.F32, 1), head, new int[]{3}, zeros(1), zeros(1), zeros(1),
                    argmax);
            assertThat(argmax[0]).isEqualTo(130);
            int[] rows = new int[3];
            k.argmaxRows(3, 1000, head, rows);
            assertThat(rows).containsExactly(130, 200, 900);
        }
    }

    /** Long rows, from flat to steep, in which quick searches skip most columns; draws at both ends and between. */
    @ParameterizedTest
    @ValueSource(doubles = {0, 0.1, 3, 40})
    default void drawsFromLongRowsAreThoseOfTheSpecification(double scale) {
        int cols = 3000;
        double[] uniforms = {0, 0x1p-53, 0.1, 0.37, 0.5, 0.8, 0.999, 1 - 0x1p-53};
        int rows = uniforms.length;
        Storage p = zeros((long) rows * cols);
        Storage row = new Inputs(4).normal(cols);
        SCALAR.softmaxRows(1, cols, scale, row, zeros(1));
        SCALAR.gatherRows(new int[rows], rows, cols, row, false, p);
        for (int topK : new int[]{0, 1, 2, 40, 2000, 3000, Integer.MAX_VALUE}) {
            for (double topP : new double[]{1, 1e-9, 0.5, 0.95, 1 - 0x1p-53}) {
                for (double minP : new double[]{0, 1e-4, 1}) {
                    int[] expected = new int[rows];
                    SCALAR.sampleRows(rows, cols, topK, topP, minP, p, uniforms, expected);
                    for (Kernels k : backends()) {
                        int[] found = new int[rows];
                        k.sampleRows(rows, cols, topK, topP, minP, p, uniforms, found);
                        assertThat(found).as("top %d, %s, %s", topK, topP, minP).isEqualTo(expected);
                    }
                }
            }
        }
    }

    @Test
    default void whereThereIsNothingToDrawFromItIsTheFirstColumn() {
        Storage p = Storage.of(DType.F32, 0, 0, 0, Float.NaN, Float.NaN, Float.NaN, 0, 0x1p-41, 0, 0, 0, 0x1p-40);
        for (int topK : new int[]{0, 2}) {
            for (double topP : new double[]{1, 0.5}) {
                for (Kernels k : backends()) {
                    int[] drawn = new int[4];
                    k.sampleRows(4, 3, topK, topP, 0.1, p, new double[]{0.9, 0.9, 0.9, 0.9}, drawn);
                    assertThat(drawn).containsExactly(0, 0, 0, 2);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(value = Product.class, names = {"NN", "NT"})
    default void aRowOfAProductDoesNotDependOnTheOthers(Product product) {
        int n = 103;
        int k = 77;
        Storage a = new Inputs(1).normal(67L * k);
        Storage b = new Inputs(2).normal((long) n * k);
        Storage bias = new Inputs(3).normal(n);
        Kernels kernels = backends().getLast();
        Storage all = zeros(67L * n);
        kernels.matmul(product, 67, n, k, a, b, bias, null, all);
        for (int from = 0; from < 67; from += 11) {
            for (int m : new int[]{1, 3, 16, 30}) {
                int rows = Math.min(67 - from, m);
                Storage part = zeros((long) rows * n);
                kernels.matmul(product, rows, n, k, a.slice((long) from * k, (long) rows * k), b, bias, null, part);
                assertThat(part.toFloats()).isEqualTo(all.slice((long) from * n, (long) rows * n).toFloats());
            }
        }
    }

    /** A sequence in one piece, token by token and in pieces of any length, beside others: the same bits, and those of attention. */
    @ParameterizedTest
    @CsvSource({"3, 1, 20, 0, 0", "6, 2, 64, 0, 0", "2, 2, 16, 70, 0", "4, 1, 128, 9, 2", "1, 1, 1, 0, 0",
            "9, 3, 48, 200, 3"})
    default void aTokenDoesNotDependOnThosePassedWithIt(int heads, int kvHeads, int headDim, int window,
            double softcap) {
        AttentionShape shape = new AttentionShape(heads, kvHeads, headDim, 0.3, window, softcap);
        int tokens = 213;
        Storage qkv = new Inputs(1).normal((long) tokens * shape.qkvWidth());
        for (Kernels k : backends()) {
            Storage whole = zeros((long) tokens * shape.outWidth());
            k.attention(Forest.ofSequences(tokens), shape, qkv, whole, zeros((long) tokens * heads));
            SplittableRandom random = new SplittableRandom(5);
            for (int longest : new int[]{1, 3, 40, 150, tokens}) {
                List<Storage> pages = pages(new Inputs(2), tokens, shape.pageSize());
                List<Storage> others = pages(new Inputs(3), tokens, shape.pageSize());
                for (int at = 0; at < tokens;) {
                    int length = Math.min(tokens - at, longest == tokens ? tokens : 1 + random.nextInt(longest));
                    CachedBatch batch = new CachedBatch(new int[]{1, length}, new int[]{at, at},
                            List.of(others, pages));
                    Storage rows = zeros((1L + length) * shape.qkvWidth());
                    rows.slice(shape.qkvWidth(), (long) length * shape.qkvWidth())
                            .copyFrom(qkv.slice((long) at * shape.qkvWidth(), (long) length * shape.qkvWidth()));
                    Storage out = zeros((1L + length) * shape.outWidth());
                    k.cachedAttention(batch, shape, 0, rows, out);
                    assertThat(out.slice(shape.outWidth(), (long) length * shape.outWidth()).toFloats())
                            .as("tokens %d to %d, pieces of up to %d", at, at + length, longest)
                            .isEqualTo(whole.slice((long) at * shape.outWidth(), (long) length * shape.outWidth())
                                    .toFloats());
                    at += length;
                }
            }
        }
    }

    @Test
    default void aRowOfSoftmaxDoesNotDependOnTheOthers() {
        Storage x = new Inputs(1).normal(9 * 77);
        Storage rows = zeros(9 * 77);
        rows.copyFrom(x);
        Kernels k = backends().getLast();
        k.softmaxRows(9, 77, 1, rows, zeros(9));
        for (int i = 0; i < 9; i++) {
            Storage row = x.slice(i * 77L, 77);
            k.softmaxRows(1, 77, 1, row, zeros(1));
            assertThat(row.toFloats()).isEqualTo(rows.slice(i * 77L, 77).toFloats());
        }
    }

    @Test
    default void aTreeOfAttentionDoesNotDependOnTheOthers() {
        AttentionShape shape = new AttentionShape(2, 1, 16, 0.25, 0);
        Storage qkv = new Inputs(1).normal(83L * shape.qkvWidth());
        Storage together = zeros(83L * shape.outWidth());
        Storage alone = zeros(50L * shape.outWidth());
        Kernels k = backends().getLast();
        k.attention(Forest.ofSequences(33, 50), shape, qkv, together, zeros(83 * 2));
        k.attention(Forest.ofSequences(50), shape, qkv.slice(33L * shape.qkvWidth(), 50L * shape.qkvWidth()), alone,
                zeros(50 * 2));
        assertThat(alone.toFloats())
                .isEqualTo(together.slice(33L * shape.outWidth(), 50L * shape.outWidth()).toFloats());
    }

    /** Long trees are cut into parts; the parts of one may not depend on what else is in the batch or on the threads. */
    @Test
    default void aLongTreeOfAttentionBackwardDoesNotDependOnTheOthers() {
        AttentionShape shape = new AttentionShape(2, 1, 8, 0.4, 0);
        int length = 1100;
        List<float[]> gradients = new ArrayList<>();
        for (int others : new int[]{0, 40}) {
            Forest forest = others == 0 ? Forest.ofSequences(length) : Forest.ofSequences(length, others);
            Storage qkv = zeros((long) forest.tokens() * shape.qkvWidth());
            Storage dOut = zeros((long) forest.tokens() * shape.outWidth());
            qkv.slice(0, (long) length * shape.qkvWidth())
                    .copyFrom(new Inputs(1).normal((long) length * shape.qkvWidth()));
            dOut.slice(0, (long) length * shape.outWidth())
                    .copyFrom(new Inputs(2).normal((long) length * shape.outWidth()));
            for (Kernels k : List.of(SCALAR, backends().getFirst(), backends().getLast())) {
                Storage out = zeros((long) forest.tokens() * shape.outWidth());
                Storage logSumExp = zeros((long) forest.tokens() * shape.heads());
                Storage dQkv = zeros((long) forest.tokens() * shape.qkvWidth());
                k.attention(forest, shape, qkv, out, logSumExp);
                k.attentionBackward(forest, shape, qkv, out, logSumExp, dOut, dQkv);
                gradients.add(dQkv.slice(0, (long) length * shape.qkvWidth()).toFloats());
            }
        }
        for (int i : new int[]{2, 4, 5}) {
            assertThat(gradients.get(i)).isEqualTo(gradients.get(1));
        }
        for (int i = 0; i < gradients.get(1).length; i++) {
            assertThat((double) gradients.get(1)[i]).isCloseTo(gradients.get(0)[i], within(1e-4));
        }
    }

    @Test
    default void largeScoresDoNotOverflow() {
        AttentionShape shape = new AttentionShape(1, 1, 8, 1000, 0);
        Storage qkv = new Inputs(1).normal(40L * shape.qkvWidth());
        Storage out = zeros(40L * shape.outWidth());
        Storage expected = zeros(40L * shape.outWidth());
        SCALAR.attention(Forest.ofSequences(40), shape, qkv, expected, zeros(40));
        backends().getFirst().attention(Forest.ofSequences(40), shape, qkv, out, zeros(40));
        for (int i = 0; i < out.size(); i++) {
            // Scores near 5000 are rounded to 5e-4, and so are the weights e^score.
            assertThat(Math.abs(out.get(i) - expected.get(i))).isLessThan(5e-3);
        }
    }
}
