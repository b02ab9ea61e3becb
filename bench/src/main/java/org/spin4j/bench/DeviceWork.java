package org.spin4j.bench;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;
import org.spin4j.engine.Decoder;
import org.spin4j.engine.Generator;
import org.spin4j.engine.Sample;
import org.spin4j.engine.Sampling;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.Kernels.Product;
import org.spin4j.kernels.Storage;

/**
 * Work that is done on several devices.
 *
 * @param name      what it is
 * @param unit      what is counted in a second
 * @param amount    how many of these one piece of work is
 * @param peer      the same for {@link Eager}
 * @param type      what products are rounded to: f16, bf16, or nothing
 * @param tolerance how far what is found may lie from what another backend finds, or from the work before it that rounds nothing
 * @param ours      opens it on a backend
 */
record DeviceWork(String name, String unit, double amount, String peer, String type, double tolerance,
        Function<Kernels, Opened> ours) {
    /** Products in a pass take about as long, whatever their size: this many operations, or 30 products. */
    private static final double PASS = 2e10;
    private static final int MOST_PRODUCTS = 30;
    private static final int PROMPT = 4;

    /** Work on one backend. */
    interface Opened extends AutoCloseable {
        /** Does some pieces, to their end. */
        void pass();

        /** How many. */
        int pieces();

        /** A number that all backends find alike, from the first piece that was done. */
        double found();

        @Override
        void close();
    }

    /** Works for a GPU, or small ones of the same kinds. */
    static List<DeviceWork> all(boolean quick) {
        List<DeviceWork> works = new ArrayList<>();
        for (int n : quick ? new int[]{256, 512} : new int[]{1024, 2048, 4096}) {
            works.add(product(n, ""));
            works.add(product(n, "f16"));
        }
        if (quick) {
            TrainSetup small = new TrainSetup(144, 3, 6, 2, 384, 4096, 2, 64);
            works.add(training("training, 1.3M", small, ""));
            works.add(training("training, 1.3M", small, "bf16"));
            works.add(decoding("decoding, 8 streams, 1.3M", small, 8, 32));
        } else {
            works.add(training("training, 52M", TrainSetup.FIFTY_TWO_MILLION, ""));
            works.add(training("training, 52M", TrainSetup.FIFTY_TWO_MILLION, "bf16"));
            works.add(training("training, shape of SmolLM2-135M", TrainSetup.SMOLLM2_135M, ""));
            works.add(training("training, shape of SmolLM2-135M", TrainSetup.SMOLLM2_135M, "bf16"));
            works.add(decoding("decoding, 64 streams, shape of SmolLM2-135M", TrainSetup.SMOLLM2_135M, 64, 64));
        }
        return works;
    }

    /** PyTorch's name of a type. */
    private static String nameInPyTorch(String type) {
        return switch (type) {
            case "f16" -> "float16";
            case "bf16" -> "bfloat16";
            default -> "float32";
        };
    }

    /** A sum of n products of Gaussian numbers is as large as the root of n, and so are the errors of rounding, times their unit. */
    private static DeviceWork product(int n, String type) {
        String name = String.format(Locale.ROOT, "product, %d³, %s", n, nameInPyTorch(type));
        return new DeviceWork(name, "GFLOP/s", 2e-9 * n * n * n, "matmul " + n + " " + nameInPyTorch(type), type,
                Math.sqrt(n) * (type.isEmpty() ? 1e-4 : 4 * 0x1p-11), kernels -> new Products(kernels, n));
    }

    private static DeviceWork training(String name, TrainSetup setup, String type) {
        return new DeviceWork(name + (type.isEmpty() ? "" : ", " + nameInPyTorch(type)), "tokens/s", setup.tokens(),
                "train " + shape(setup) + " " + setup.batch() + " " + setup.length() + " " + nameInPyTorch(type), type,
                type.isEmpty() ? 1e-2 : 5e-2, kernels -> new Training(kernels, setup));
    }

    private static DeviceWork decoding(String name, TrainSetup setup, int streams, int tokens) {
        return new DeviceWork(name, "tokens/s", (double) streams * tokens,
                "decode " + shape(setup) + " " + streams + " " + PROMPT + " " + tokens, "", 1e-2,
                kernels -> new Decoding(kernels, setup, streams, tokens));
    }

    private static String shape(TrainSetup s) {
        return s.dim() + " " + s.layers() + " " + s.heads() + " " + s.kvHeads() + " " + s.hidden() + " "
                + s.vocabulary();
    }

    /** Products of square matrices, several before the result is looked at. */
    private static final class Products implements Opened {
        private final Arena arena = Arena.ofShared();
        private final Kernels kernels;
        private final int n;
        private final int count;
        private final Storage a;
        private final Storage b;
        private final Storage c;
        private final Storage one;
        private final double found;

        Products(Kernels kernels, int n) {
            this.kernels = kernels;
            this.n = n;
            count = (int) Math.clamp(PASS / (2.0 * n * n * n), 1, MOST_PRODUCTS);
            a = Numbers.gaussian(arena, (long) n * n, 1, "a");
            b = Numbers.gaussian(arena, (long) n * n, 1, "b");
            c = Numbers.zeros(arena, (long) n * n);
            one = Numbers.zeros(arena, 1);
            pass();
            found = one.get(0);
        }

        /** A number of the last product, brought to the host, says that it is done. */
        @Override
        public void pass() {
            for (int i = 0; i < count; i++) {
                kernels.matmul(Product.NN, n, n, n, a, b, null, null, c);
            }
            one.zero();
            kernels.axpy(1, 1, c.slice((long) n * n / 2, 1), one);
            if (Double.isNaN(one.get(0))) {
                throw new IllegalStateException("expected a number, found NaN");
            }
        }

        @Override
        public int pieces() {
            return count;
        }

        @Override
        public double found() {
            return found;
        }

        @Override
        public void close() {
            arena.close();
        }
    }

    /** Steps of training. */
    private static final class Training implements Opened {
        private final TrainStep step;
        private final double found;

        Training(Kernels kernels, TrainSetup setup) {
            step = new TrainStep(kernels, setup);
            found = step.run();
        }

        @Override
        public void pass() {
            step.run();
        }

        @Override
        public int pieces() {
            return 1;
        }

        @Override
        public double found() {
            return found;
        }

        @Override
        public void close() {
            step.close();
        }
    }

    /** Greedy generation; reading the short prompts is one pass of many. */
    private static final class Decoding implements Opened {
        private final Decoder decoder;
        private final Generator generator;
        private final List<int[]> prompts = new ArrayList<>();
        private final int tokens;
        private final double found;

        Decoding(Kernels kernels, TrainSetup setup, int streams, int tokens) {
            this.tokens = tokens;
            decoder = Decoder.random(setup.config(), DType.F32, 1);
            generator = new Generator(decoder, kernels);
            for (int s = 0; s < streams; s++) {
                prompts.add(Arrays.copyOfRange(setup.inputs(), s * PROMPT, (s + 1) * PROMPT));
            }
            found = generate().getFirst().logProbs()[0];
        }

        private List<Sample> generate() {
            return generator.generate(prompts, Sampling.greedy(tokens, Set.of(), prompts.size()), 0, n -> {});
        }

        @Override
        public void pass() {
            generate();
        }

        @Override
        public int pieces() {
            return 1;
        }

        @Override
        public double found() {
            return found;
        }

        @Override
        public void close() {
            decoder.close();
        }
    }
}
