package org.spin4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class VectorTokenLogProbsTest {
    private static final VectorTokenLogProbs ONE = kernel(1);
    private static final VectorTokenLogProbs THREE = kernel(3);

    private final SplittableRandom random = new SplittableRandom(5);

    /** Sizes on both sides of every cut: chunks, row blocks, vectors, the backward step's blocks. */
    @ParameterizedTest
    @CsvSource({"1, 1, 1, 0", "3, 5, 2, 0", "7, 13, 17, 0", "65, 16, 300, 0", "33, 64, 60, 0", "130, 24, 2049, 0",
            "5, 40, 3331, 0", "1030, 8, 70, 0", "2, 3, 64, 0", "7, 13, 17, 5", "65, 16, 300, 30", "130, 24, 2049, 20",
            "1030, 8, 70, 6"})
    void equalsTheSpecification(int rows, int dim, int vocab, float softcap) {
        Storage hidden = random((long) rows * dim, 2);
        Storage head = random((long) vocab * dim, 2);
        int[] targets = targets(rows, vocab);
        Result expected = new Result(rows);
        Result found = new Result(rows);
        new ScalarKernels().tokenLogProbs(rows, dim, vocab, softcap, hidden, head, targets, expected.logProbs,
                expected.logSumExp, expected.entropy, expected.argmax);
        THREE.forward(rows, dim, vocab, softcap, hidden, head, targets, found.logProbs, found.logSumExp,
                found.entropy,
                found.argmax);
        // A logit is a sum of dim products, each up to 4; rounding grows with both.
        double tolerance = 1e-6 * (4 + dim);
        close(found.logProbs, expected.logProbs, tolerance);
        close(found.logSumExp, expected.logSumExp, tolerance);
        close(found.entropy, expected.entropy, tolerance * 4);
        assertThat(found.argmax).containsExactly(expected.argmax);

        Storage dLogProbs = random(rows, 1);
        for (int i = 0; i < rows; i += 3) {
            dLogProbs.set(i, 0);
        }
        for (Storage d : new Storage[]{random(rows, 1), dLogProbs}) {
            Storage dHidden = random((long) rows * dim, 1);
            Storage dHead = random((long) vocab * dim, 1);
            Storage expectedDHidden = copy(dHidden);
            Storage expectedDHead = copy(dHead);
            new ScalarKernels().tokenLogProbsBackward(rows, dim, vocab, softcap, hidden, head, targets,
                    expected.logSumExp, d,
                    expectedDHidden, expectedDHead);
            THREE.backward(rows, dim, vocab, softcap, hidden, head, targets, found.logSumExp, d, dHidden, dHead);
            close(dHidden, expectedDHidden, tolerance * 4);
            close(dHead, expectedDHead, tolerance * 4 * Math.sqrt(rows));
        }
    }

    @Test
    void bitsDependNeitherOnThreadsNorOnOtherRows() {
        int rows = 150;
        int dim = 31;
        int vocab = 1111;
        Storage hidden = random((long) rows * dim, 1);
        Storage head = random((long) vocab * dim, 1);
        int[] targets = targets(rows, vocab);
        Result a = new Result(rows);
        Result b = new Result(rows);
        ONE.forward(rows, dim, vocab, 0, hidden, head, targets, a.logProbs, a.logSumExp, a.entropy, a.argmax);
        THREE.forward(rows, dim, vocab, 0, hidden, head, targets, b.logProbs, b.logSumExp, null, null);
        assertThat(b.logProbs.toFloats()).containsExactly(a.logProbs.toFloats());
        assertThat(b.logSumExp.toFloats()).containsExactly(a.logSumExp.toFloats());
        for (int i = 0; i < rows; i += 7) {
            Result one = new Result(1);
            THREE.forward(1, dim, vocab, 0, hidden.slice((long) i * dim, dim), head, new int[]{targets[i]},
                    one.logProbs,
                    one.logSumExp, one.entropy, one.argmax);
            assertThat(one.logProbs.get(0)).isEqualTo(a.logProbs.get(i));
            assertThat(one.entropy.get(0)).isEqualTo(a.entropy.get(i));
            assertThat(one.argmax[0]).isEqualTo(a.argmax[i]);
        }
        Storage d = random(rows, 1);
        Storage dHidden = storage((long) rows * dim);
        Storage dHead = storage((long) vocab * dim);
        Storage dHidden2 = storage((long) rows * dim);
        Storage dHead2 = storage((long) vocab * dim);
        ONE.backward(rows, dim, vocab, 0, hidden, head, targets, a.logSumExp, d, dHidden, dHead);
        THREE.backward(rows, dim, vocab, 0, hidden, head, targets, a.logSumExp, d, dHidden2, dHead2);
        assertThat(dHidden2.toFloats()).containsExactly(dHidden.toFloats());
        assertThat(dHead2.toFloats()).containsExactly(dHead.toFloats());
    }

    @Test
    void argmaxIsTheLowestIdOnATie() {
        Storage hidden = Storage.of(DType.F32, 1);
        Storage head = storage(700);
        head.set(130, 2);
        head.set(131, 2);
        head.set(600, 2);
        Result r = new Result(1);
        ONE.forward(1, 1, 700, 0, hidden, head, new int[]{3}, r.logProbs, r.logSumExp, r.entropy, r.argmax);
        assertThat(r.argmax[0]).isEqualTo(130);
    }

    @Test
    void largeLogitsDoNotOverflow() {
        Storage hidden = Storage.of(DType.F32, 1000);
        Storage head = Storage.of(DType.F32, 1, 2, 3, -1);
        Result r = new Result(1);
        ONE.forward(1, 1, 4, 0, hidden, head, new int[]{1}, r.logProbs, r.logSumExp, r.entropy, r.argmax);
        assertThat(r.logSumExp.get(0)).isEqualTo(3000);
        assertThat(r.logProbs.get(0)).isEqualTo(-1000);
        assertThat(r.entropy.get(0)).isZero();
    }

    @Test
    void refusesTargetsOutsideTheVocabulary() {
        Storage s = storage(8);
        assertThatThrownBy(() -> ONE.forward(2, 2, 4, 0, s, s, new int[]{3, 4}, s, s, null, null))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("expected targets from 0 to 3, found 4 at row 1");
        assertThatThrownBy(() -> ONE.forward(2, 2, 4, 0, s, s, new int[1], s, s, null, null))
                .hasMessage("expected a target for each of 2 rows, found 1");
    }

    private static VectorTokenLogProbs kernel(int threads) {
        Parallel parallel = new Parallel(threads);
        return new VectorTokenLogProbs(parallel, new VectorGemm(parallel));
    }

    private static void close(Storage found, Storage expected, double tolerance) {
        for (long i = 0; i < expected.size(); i++) {
            assertThat(found.get(i)).as("element %s", i).isCloseTo(expected.get(i), within(tolerance));
        }
    }

    private int[] targets(int rows, int vocab) {
        int[] targets = new int[rows];
        for (int i = 0; i < rows; i++) {
            targets[i] = random.nextInt(vocab);
        }
        return targets;
    }

    private Storage random(long size, double bound) {
        Storage s = storage(size);
        for (long i = 0; i < size; i++) {
            s.set(i, random.nextDouble(-bound, bound));
        }
        return s;
    }

    private static Storage copy(Storage s) {
        Storage c = storage(s.size());
        c.copyFrom(s);
        return c;
    }

    private static Storage storage(long size) {
        return Storage.allocate(Arena.ofAuto(), DType.F32, size + 1).slice(1, size);
    }

    /** What the forward step gives. */
    private static final class Result {
        private final Storage logProbs;
        private final Storage logSumExp;
        private final Storage entropy;
        private final int[] argmax;

        Result(int rows) {
            logProbs = storage(rows);
            logSumExp = storage(rows);
            entropy = storage(rows);
            argmax = new int[rows];
        }
    }
}
