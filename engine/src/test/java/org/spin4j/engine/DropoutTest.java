package org.spin4j.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Forest;
import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.Storage;

/** Dropout of a training pass: where it is, that its gradient is that of the function it computes, and that nothing else drops. */
class DropoutTest {
    private static final Forest FOREST = Forest.ofSequences(5, 6);
    private static final Dropout TENTH = new Dropout(0.1, 42);

    /** What a pass computes. */
    private record Pass(double loss, float[] gradient) {}

    /** One training pass; its loss is Σ factor · log-probability. */
    private static Pass pass(Kernels kernels, Decoder model, Dropout dropout) {
        SplittableRandom random = new SplittableRandom(3);
        int n = FOREST.tokens();
        int[] ids = random.ints(n, 0, model.config().vocabSize()).toArray();
        int[] targets = random.ints(n, 0, model.config().vocabSize()).toArray();
        model.parameters().requireGradients();
        model.parameters().grad().zero();
        try (Workspace w = new Workspace(model.parameters().type())) {
            Tape tape = Tape.recording(kernels, w, dropout);
            Tensor logProbs = TokenLogProbs
                    .apply(tape, model.forward(tape, ids, FOREST), model.head(), targets).logProbs();
            Storage seed = tape.seed(logProbs);
            double sum = 0;
            for (int i = 0; i < n; i++) {
                seed.set(i, random.nextDouble() - 0.5);
                sum += seed.get(i) * logProbs.data().get(i);
            }
            tape.backward();
            return new Pass(sum, model.parameters().grad().toFloats());
        }
    }

    @ParameterizedTest
    @EnumSource(DecoderConfig.Family.class)
    void theGradientIsThatOfThePassWithItsKey(DecoderConfig.Family family) {
        try (Decoder model = TinyModels.of(family, DType.F64)) {
            pass(TestKernels.SCALAR, model, TENTH);
            Storage weights = model.parameters().data();
            Storage gradient = model.parameters().grad();
            SplittableRandom random = new SplittableRandom(8);
            double[] direction = random.doubles(weights.size(), -1, 1).toArray();
            double slope = 0;
            for (int i = 0; i < direction.length; i++) {
                slope += direction[i] * gradient.get(i);
            }
            double step = 1e-6;
            double up = moved(model, direction, step).loss();
            double down = moved(model, direction, -2 * step).loss();
            // The truncation error is of the order of the square of the step, rounding 1e-16 / step.
            assertThat(slope).isNotZero().isCloseTo((up - down) / (2 * step), within(1e-6 * Math.abs(slope)));
        }
    }

    private static Pass moved(Decoder model, double[] direction, double by) {
        for (int i = 0; i < direction.length; i++) {
            model.parameters().data().add(i, by * direction[i]);
        }
        return pass(TestKernels.SCALAR, model, TENTH);
    }

    @ParameterizedTest
    @EnumSource(DecoderConfig.Family.class)
    void theKeyDecides(DecoderConfig.Family family) {
        try (Decoder model = TinyModels.of(family, DType.F32)) {
            float[] first = pass(TestKernels.DEFAULT, model, TENTH).gradient();

            assertThat(pass(TestKernels.DEFAULT, model, TENTH).gradient()).isEqualTo(first);
            assertThat(pass(TestKernels.DEFAULT, model, new Dropout(0.1, 43)).gradient()).isNotEqualTo(first);
            assertThat(pass(TestKernels.DEFAULT, model, Dropout.NONE).gradient()).isNotEqualTo(first)
                    .isEqualTo(pass(TestKernels.DEFAULT, model, new Dropout(0, 42)).gradient());
        }
    }

    /** Kernels that note how they were called. */
    private static Kernels noting(String name, List<Object[]> calls) {
        return (Kernels) Proxy.newProxyInstance(Kernels.class.getClassLoader(), new Class<?>[]{Kernels.class},
                (proxy, method, arguments) -> {
                    if (method.getName().equals(name)) {
                        calls.add(arguments);
                    }
                    try {
                        return method.invoke(TestKernels.DEFAULT, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    @ParameterizedTest
    @EnumSource(DecoderConfig.Family.class)
    void dropsTheEmbeddingsAndEverySubLayerOnceAndTheSameFromTheirGradients(DecoderConfig.Family family) {
        try (Decoder model = TinyModels.of(family, DType.F32)) {
            List<Object[]> calls = new ArrayList<>();
            pass(noting("dropout", calls), model, TENTH);

            List<Object> keys = calls.stream().map(arguments -> arguments[2]).toList();
            int sites = 1 + 2 * model.config().layers();
            assertThat(keys).hasSize(2 * sites);
            assertThat(keys.subList(0, sites)).doesNotHaveDuplicates()
                    .isEqualTo(keys.subList(sites, 2 * sites).reversed());
            assertThat(calls).allSatisfy(arguments -> assertThat(arguments).startsWith(
                    (long) FOREST.tokens() * model.config().hiddenSize(), 0.1));
        }
    }

    @Test
    void whereNothingDropsTheResidualIsAddedByTheProduct() {
        try (Decoder model = TinyModels.of(DecoderConfig.Family.LLAMA, DType.F32)) {
            List<Object[]> products = new ArrayList<>();
            pass(noting("matmul", products), model, Dropout.NONE);
            int forward = 4 * model.config().layers();
            assertThat(products.subList(0, forward).stream().filter(arguments -> arguments[7] != null))
                    .hasSize(2 * model.config().layers());

            List<Object[]> dropped = new ArrayList<>();
            pass(noting("dropout", dropped), model, Dropout.NONE);
            assertThat(dropped).isEmpty();
        }
    }

    /** The mean of y = drop(W·x) + r over many keys is W·x + r, up to five standard errors. */
    @Test
    void theExpectationIsThePassWithoutDropout() {
        int keys = 4000;
        double p = 0.3;
        Parameters.Builder b = new Parameters.Builder();
        Parameter weight = b.matrix(4, "w", 6);
        Parameters parameters = b.build(Arena.ofAuto(), DType.F64);
        SplittableRandom random = new SplittableRandom(2);
        for (long i = 0; i < parameters.count(); i++) {
            parameters.data().set(i, random.nextGaussian());
        }
        double[] x = random.doubles(3 * 4, -1, 1).toArray();
        double[] residual = random.doubles(3 * 6, -1, 1).toArray();
        double[] plain = output(weight, x, residual, Dropout.NONE);
        double[] mean = new double[plain.length];
        for (int key = 0; key < keys; key++) {
            double[] y = output(weight, x, residual, new Dropout(p, key));
            for (int i = 0; i < mean.length; i++) {
                mean[i] += y[i] / keys;
            }
        }
        for (int i = 0; i < mean.length; i++) {
            double deviation = Math.abs(plain[i] - residual[i]) * Math.sqrt(p / (1 - p));
            assertThat(mean[i]).isCloseTo(plain[i], within(5 * deviation / Math.sqrt(keys)));
        }
    }

    private static double[] output(Parameter weight, double[] x, double[] residual, Dropout dropout) {
        try (Workspace w = new Workspace(DType.F64)) {
            Tape tape = Tape.recording(TestKernels.SCALAR, w, dropout);
            Tensor y = Linear.apply(tape, tensor(tape, 3, x), weight, null, null);
            Dropout.apply(tape, y, 1);
            Residual.add(tape, y, tensor(tape, 3, residual));
            double[] values = new double[(int) y.size()];
            for (int i = 0; i < values.length; i++) {
                values[i] = y.data().get(i);
            }
            return values;
        }
    }

    private static Tensor tensor(Tape tape, int rows, double[] values) {
        Tensor t = tape.tensor(rows, values.length / rows);
        t.data().copyFrom(Storage.of(DType.F64, values));
        return t;
    }

    @ParameterizedTest
    @ValueSource(doubles = {-0.1, 1, Double.NaN})
    void refusesWhatIsNoProbability(double p) {
        assertThatThrownBy(() -> new Dropout(p, 1)).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("expected a probability of dropout from 0 to below 1, found " + p);
    }
}
