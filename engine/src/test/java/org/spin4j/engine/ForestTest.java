package org.spin4j.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Forest;
import org.spin4j.kernels.Storage;

/** A prompt with two responses, computed once as a forest, equals the two sequences computed apart, forward and backward. */
class ForestTest {
    private static int[] random(SplittableRandom r, int n, int vocab) {
        return r.ints(n, 0, vocab).toArray();
    }

    private static int[] join(int[] a, int[] b) {
        int[] c = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, c, a.length, b.length);
        return c;
    }

    /** Mean of c·logProb over the response tokens, with a different factor for each, so that no order goes unnoticed. */
    private static double loss(Decoder model, Tape tape, int[] ids, Forest forest, int[] rows, int[] targets,
            double[] factor, Storage logProbs) {
        Tensor hidden = model.forward(tape, ids, forest);
        TokenLogProbs p = TokenLogProbs.apply(tape, SelectRows.apply(tape, hidden, rows), model.head(), targets);
        Storage seed = tape.seed(p.logProbs());
        double sum = 0;
        for (int i = 0; i < rows.length; i++) {
            sum += factor[i] * p.logProbs().data().get(i);
            seed.set(i, factor[i]);
            logProbs.set(i, p.logProbs().data().get(i));
        }
        tape.backward();
        return sum;
    }

    @ParameterizedTest
    @EnumSource(DecoderConfig.Family.class)
    void equalsSeparateSequences(DecoderConfig.Family family) {
        SplittableRandom r = new SplittableRandom(5);
        try (Decoder model = TinyModels.of(family, DType.F32); Workspace w = new Workspace(DType.F32)) {
            int vocab = model.config().vocabSize();
            model.parameters().requireGradients();
            int[] prompt = random(r, 7, vocab);
            int[] chosen = random(r, 5, vocab);
            int[] rejected = random(r, 3, vocab);
            double[] factor = r.doubles(8, -1, 1).toArray();

            Forest.Builder b = new Forest.Builder();
            int root = b.root(7);
            b.child(root, 5);
            b.child(root, 3);
            int[] rows = {6, 7, 8, 9, 10, 6, 12, 13};
            Storage together = Storage.of(DType.F32, new double[8]);
            loss(model, Tape.recording(TestKernels.DEFAULT, w), join(join(prompt, chosen), rejected), b.build(), rows,
                    join(chosen, rejected), factor, together);
            float[] grad = model.parameters().grad().toFloats();

            model.parameters().grad().zero();
            Storage apart = Storage.of(DType.F32, new double[8]);
            loss(model, Tape.recording(TestKernels.DEFAULT, w), join(prompt, chosen), Forest.ofSequences(12),
                    new int[]{6, 7, 8, 9, 10}, chosen, Arrays.copyOf(factor, 5), apart.slice(0, 5));
            loss(model, Tape.recording(TestKernels.DEFAULT, w), join(prompt, rejected), Forest.ofSequences(10),
                    new int[]{6, 7, 8}, rejected, Arrays.copyOfRange(factor, 5, 8), apart.slice(5, 3));
            assertThat(together.toFloats()).containsExactly(apart.toFloats(), within(1e-5f));
            // Same sums in another order: relative to the size of the gradient as a whole.
            double l2 = Math.sqrt(TestKernels.DEFAULT.sumOfSquares(grad.length, model.parameters().grad()));
            assertThat(grad).containsExactly(model.parameters().grad().toFloats(), within((float) (1e-5 * l2)));
        }
    }

    @Test
    void positionsCountAlongThePath() {
        Forest.Builder b = new Forest.Builder();
        int root = b.root(2);
        int child = b.child(root, 2);
        b.child(child, 1);
        b.child(root, 1);
        b.root(1);
        assertThat(b.build().positions()).containsExactly(0, 1, 2, 3, 4, 2, 0);
    }
}
