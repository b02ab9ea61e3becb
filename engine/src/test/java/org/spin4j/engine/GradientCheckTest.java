package org.spin4j.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.spin4j.kernels.AttentionShape;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Forest;
import org.spin4j.kernels.Storage;

/**
 * The gradient of every op against central differences, in double precision on the scalar specification. With a step of
 * 1e-5 the truncation error is about 1e-10 and rounding about 1e-11, so 1e-7 leaves room for steep places only.
 */
class GradientCheckTest {
    private static final double STEP = 1e-5;
    private static final double TOLERANCE = 1e-7;

    /** An op under test: reads the leaves, which it may get as tensors of the tape, and gives one output. */
    @FunctionalInterface
    private interface Op {
        Tensor apply(Tape tape, List<Tensor> inputs);
    }

    private final SplittableRandom random = new SplittableRandom(11);
    private Dropout dropout = Dropout.NONE;

    private record Shape(int rows, int cols) {}

    private static Shape shape(int rows, int cols) {
        return new Shape(rows, cols);
    }

    private Storage randoms(long n) {
        Storage s = Storage.allocate(Arena.ofAuto(), DType.F64, n);
        for (long i = 0; i < n; i++) {
            s.set(i, random.nextGaussian());
        }
        return s;
    }

    private Parameters randomParameters(Parameters.Builder b) {
        Parameters p = b.build(Arena.ofAuto(), DType.F64);
        p.requireGradients();
        p.data().copyFrom(randoms(p.data().size()));
        return p;
    }

    /** Loss = Σ weight·output with fixed random weights. */
    private void check(Op op, Parameters parameters, Shape... shapes) {
        List<Storage> inputs = Arrays.stream(shapes).map(s -> randoms((long) s.rows() * s.cols())).toList();
        try (Workspace w = new Workspace(DType.F64)) {
            Tape tape = Tape.recording(TestKernels.SCALAR, w, dropout);
            List<Tensor> leaves = leaves(tape, inputs, shapes);
            Tensor out = op.apply(tape, leaves);
            Storage weights = randoms(out.size());
            tape.seed(out).copyFrom(weights);
            tape.backward();
            for (int t = 0; t < shapes.length; t++) {
                Storage grad = copy(leaves.get(t).grad());
                compare("input " + t, op, inputs, shapes, weights, inputs.get(t), grad);
            }
            if (parameters != null) {
                compare("parameters", op, inputs, shapes, weights, parameters.data(), copy(parameters.grad()));
            }
        }
    }

    private static Storage copy(Storage s) {
        Storage c = Storage.allocate(Arena.ofAuto(), DType.F64, s.size());
        c.copyFrom(s);
        return c;
    }

    private static List<Tensor> leaves(Tape tape, List<Storage> inputs, Shape[] shapes) {
        List<Tensor> leaves = new ArrayList<>();
        for (int t = 0; t < shapes.length; t++) {
            Tensor leaf = tape.tensor(shapes[t].rows(), shapes[t].cols());
            leaf.data().copyFrom(inputs.get(t));
            leaves.add(leaf);
        }
        return leaves;
    }

    private void compare(String what, Op op, List<Storage> inputs, Shape[] shapes, Storage weights,
            Storage variable, Storage grad) {
        boolean moved = false;
        try (Workspace w = new Workspace(DType.F64)) {
            for (long i = 0; i < variable.size(); i++) {
                double at = variable.get(i);
                variable.set(i, at + STEP);
                double up = loss(w, op, inputs, shapes, weights);
                variable.set(i, at - STEP);
                double down = loss(w, op, inputs, shapes, weights);
                variable.set(i, at);
                double difference = (up - down) / (2 * STEP);
                assertThat(grad.get(i)).as(what + "[" + i + "]").isCloseTo(difference,
                        within(TOLERANCE * (1 + Math.abs(difference))));
                moved |= difference != 0;
            }
        }
        assertThat(moved).as(what + " has any gradient").isTrue();
    }

    private double loss(Workspace w, Op op, List<Storage> inputs, Shape[] shapes, Storage weights) {
        Tape tape = Tape.recording(TestKernels.SCALAR, w, dropout);
        Tensor out = op.apply(tape, leaves(tape, inputs, shapes));
        double sum = 0;
        for (long i = 0; i < out.size(); i++) {
            sum += weights.get(i) * out.data().get(i);
        }
        return sum;
    }

    @Test
    void linearWithBiasAndResidual() {
        Parameters.Builder b = new Parameters.Builder();
        Parameter weight = b.matrix(5, "w", 7);
        Parameter bias = b.vector("b", 7);
        check((t, in) -> Linear.apply(t, in.get(0), weight, bias, in.get(1)), randomParameters(b), shape(4, 5),
                shape(4, 7));
    }

    @Test
    void linearReadTwiceAddsItsGradients() {
        Parameters.Builder b = new Parameters.Builder();
        Parameter weight = b.matrix(5, "w", 5);
        check((t, in) -> Linear.apply(t, Linear.apply(t, in.get(0), weight, null, in.get(0)), weight, null, in.get(0)),
                randomParameters(b), shape(4, 5));
    }

    @Test
    void embedding() {
        Parameters.Builder b = new Parameters.Builder();
        Parameter tokens = b.matrix(3, "wte", 6);
        Parameter positions = b.matrix(3, "wpe", 4);
        check((t, in) -> Embedding.apply(t, new int[]{5, 0, 5, 2}, tokens, new int[]{0, 1, 2, 0}, positions),
                randomParameters(b));
    }

    @Test
    void selectRows() {
        check((t, in) -> SelectRows.apply(t, in.get(0), new int[]{2, 0, 2}), null, shape(4, 3));
    }

    @Test
    void rmsNorm() {
        Parameters.Builder b = new Parameters.Builder();
        Parameter weight = b.vector("w", 6);
        for (double offset : new double[]{0, 1}) {
            check((t, in) -> Norm.apply(t, in.get(0), weight, null, 1e-5, offset), randomParameters(b), shape(4, 6));
        }
    }

    @Test
    void headNormInPlace() {
        AttentionShape shape = new AttentionShape(4, 2, 3, 1, 0);
        Parameters.Builder b = new Parameters.Builder();
        Parameter weight = b.matrix(3, "w", shape.qkvWidth());
        Parameter query = b.vector("q", 3);
        Parameter key = b.vector("k", 3);
        for (double offset : new double[]{0, 1}) {
            check((t, in) -> {
                Tensor qkv = Linear.apply(t, in.get(0), weight, null, null);
                HeadNorm.apply(t, qkv, shape, query, key, 1e-2, offset);
                return qkv;
            }, randomParameters(b), shape(4, 3));
        }
    }

    @Test
    void residualInPlace() {
        Parameters.Builder b = new Parameters.Builder();
        Parameter weight = b.matrix(5, "w", 5);
        check((t, in) -> {
            Tensor y = Linear.apply(t, in.get(0), weight, null, null);
            Residual.add(t, y, in.get(0));
            return y;
        }, randomParameters(b), shape(4, 5));
    }

    @Test
    void dropoutInPlace() {
        dropout = new Dropout(0.4, 5);
        Parameters.Builder b = new Parameters.Builder();
        Parameter weight = b.matrix(5, "w", 5);
        check((t, in) -> {
            Tensor y = Linear.apply(t, in.get(0), weight, null, null);
            Dropout.apply(t, y, 1);
            Residual.add(t, y, in.get(0));
            return y;
        }, randomParameters(b), shape(4, 5));
    }

    @Test
    void scale() {
        check((t, in) -> Scale.apply(t, in.get(0), 1.7), null, shape(3, 5));
    }

    @Test
    void layerNorm() {
        Parameters.Builder b = new Parameters.Builder();
        Parameter weight = b.vector("w", 6);
        Parameter bias = b.vector("b", 6);
        check((t, in) -> Norm.apply(t, in.get(0), weight, bias, 1e-5, 0), randomParameters(b), shape(4, 6));
    }

    @Test
    void ropeInPlace() {
        AttentionShape shape = new AttentionShape(2, 1, 4, 1, 0);
        Storage cosSin = randoms(3 * 4);
        // Cosine and sine of one angle, so that the inverse turn is the transpose.
        for (int p = 0; p < 3; p++) {
            for (int j = 0; j < 2; j++) {
                double angle = cosSin.get(p * 4L + j);
                cosSin.set(p * 4L + j, Math.cos(angle));
                cosSin.set(p * 4L + 2 + j, Math.sin(angle));
            }
        }
        Parameters.Builder b = new Parameters.Builder();
        Parameter weight = b.matrix(3, "w", shape.qkvWidth());
        check((t, in) -> {
            Tensor qkv = Linear.apply(t, in.get(0), weight, null, null);
            Rope.apply(t, qkv, shape, new int[]{0, 1, 2, 1}, cosSin);
            return qkv;
        }, randomParameters(b), shape(4, 3));
    }

    @Test
    void attentionOverAForest() {
        Forest.Builder f = new Forest.Builder();
        int prompt = f.root(3);
        int first = f.child(prompt, 2);
        f.child(prompt, 1);
        f.child(first, 2);
        f.root(2);
        Forest forest = f.build();
        AttentionShape grouped = new AttentionShape(4, 2, 3, 0.6, 0);
        check((t, in) -> SegmentAttention.apply(t, in.get(0), grouped, forest), null,
                shape(forest.tokens(), grouped.qkvWidth()));
        AttentionShape windowed = new AttentionShape(2, 2, 3, 1, 3);
        check((t, in) -> SegmentAttention.apply(t, in.get(0), windowed, forest), null,
                shape(forest.tokens(), windowed.qkvWidth()));
        AttentionShape capped = new AttentionShape(2, 1, 3, 0.8, 4, 1.5);
        check((t, in) -> SegmentAttention.apply(t, in.get(0), capped, forest), null,
                shape(forest.tokens(), capped.qkvWidth()));
    }

    @Test
    void swiGlu() {
        check((t, in) -> SwiGlu.apply(t, in.get(0)), null, shape(3, 10));
    }

    @Test
    void geGlu() {
        check((t, in) -> GeGlu.apply(t, in.get(0)), null, shape(3, 10));
    }

    @Test
    void gelu() {
        check((t, in) -> Gelu.apply(t, in.get(0)), null, shape(3, 5));
    }

    @Test
    void tokenLogProbs() {
        Parameters.Builder b = new Parameters.Builder();
        Parameter head = b.matrix(4, "head", 9);
        for (double softcap : new double[]{0, 2}) {
            check((t, in) -> TokenLogProbs.apply(t, in.get(0), new Head(head, softcap), new int[]{8, 0, 3}).logProbs(),
                    randomParameters(b), shape(3, 4));
        }
    }
}
