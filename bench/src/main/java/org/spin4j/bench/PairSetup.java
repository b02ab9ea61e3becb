package org.spin4j.bench;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.spin4j.engine.DecoderConfig;
import org.spin4j.engine.RandomStream;
import org.spin4j.kernels.Forest;

/**
 * The work of one preference step: pairs of a prompt with a chosen and a rejected response, of random tokens and with random
 * lengths, the same ones every time. Everything that a peer needs to do the same.
 *
 * @param model    widths of the model; its batch and length do not matter here
 * @param pairs    pairs in a batch
 * @param prompt   tokens of each prompt
 * @param shortest tokens that a response has at least
 * @param longest  tokens that a response has at most
 */
public record PairSetup(TrainSetup model, int pairs, int prompt, int shortest, int longest) {
    /** Four pairs for the model of 7 million parameters: prompts of 256 tokens, responses of 64 to 256. */
    public static final PairSetup SEVEN_MILLION = new PairSetup(TrainSetup.SEVEN_MILLION, 4, 256, 64, 256);

    /** Two such pairs for the model of 52 million parameters. */
    public static final PairSetup FIFTY_TWO_MILLION = new PairSetup(TrainSetup.FIFTY_TWO_MILLION, 2, 256, 64, 256);

    /** SPIN's λ, DPO's β. */
    public static final double BETA = 0.1;

    /** Learning rate: SPIN's, arXiv 2401.01335, section 6.1. */
    public static final double LEARNING_RATE = 5e-7;

    /** RMSProp's decay of the running mean of squared gradients; torch's default. */
    public static final double ALPHA = 0.99;

    /** What RMSProp adds to the denominator; torch's default. */
    public static final double EPSILON = 1e-8;

    private static final long SEED = 11;

    /**
     * One pair.
     *
     * @param prompt   what both responses answer
     * @param chosen   the response to be preferred
     * @param rejected the other
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    public record Pair(int[] prompt, int[] chosen, int[] rejected) {}

    /**
     * The batch as spin4j takes it: each pair is one tree, the prompt with two children.
     *
     * @param ids     tokens of the flat row
     * @param forest  how they belong together
     * @param rows    row that predicts target i
     * @param targets tokens of all responses, pair after pair, chosen before rejected
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    public record Trees(int[] ids, Forest forest, int[] rows, int[] targets) {}

    /**
     * The batch as a padded rectangle: the prompts with their chosen responses, then the same prompts with the rejected
     * ones. The last token of a row is predicted but not read.
     *
     * @param rows      twice the number of pairs
     * @param length    tokens read per row, padding included
     * @param inputs    [rows, length]: what is read; 0 where padded
     * @param targets   [rows, length]: the token after each input; 0 where padded
     * @param responses [rows, length]: 1 where the target belongs to the response, else 0
     * @param used      [rows]: tokens read that are not padding
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    public record Rectangle(int rows, int length, int[] inputs, int[] targets, float[] responses, int[] used) {}

    /** The model, with room for the longest sequence. */
    public DecoderConfig config() {
        return DecoderConfig.llama(model.vocabulary(), model.dim(), model.layers(), model.heads(), model.heads(),
                model.hidden(), prompt + longest, true);
    }

    /** Pair {@code i}. */
    public Pair pair(int i) {
        RandomStream random = RandomStream.of(SEED, "pairs", i);
        int chosen = random.nextInt(shortest, longest + 1);
        int rejected = random.nextInt(shortest, longest + 1);
        return new Pair(random.ints(prompt, 0, model.vocabulary()).toArray(),
                random.ints(chosen, 0, model.vocabulary()).toArray(),
                random.ints(rejected, 0, model.vocabulary()).toArray());
    }

    /** The batch without padding, each prompt once. */
    public Trees trees() {
        Forest.Builder forest = new Forest.Builder();
        IntStream.Builder ids = IntStream.builder();
        IntStream.Builder rows = IntStream.builder();
        IntStream.Builder targets = IntStream.builder();
        int tokens = 0;
        for (int i = 0; i < pairs; i++) {
            Pair pair = pair(i);
            int root = forest.root(prompt);
            Arrays.stream(pair.prompt()).forEach(ids::add);
            tokens += prompt;
            int promptEnd = tokens - 1;
            for (int[] response : new int[][]{pair.chosen(), pair.rejected()}) {
                forest.child(root, response.length);
                Arrays.stream(response).forEach(token -> {
                    ids.add(token);
                    targets.add(token);
                });
                rows.add(promptEnd);
                IntStream.range(tokens, tokens + response.length - 1).forEach(rows::add);
                tokens += response.length;
            }
        }
        return new Trees(ids.build().toArray(), forest.build(), rows.build().toArray(), targets.build().toArray());
    }

    /** The batch with padding, each prompt twice. */
    public Rectangle rectangle() {
        int[][] sequences = new int[2 * pairs][];
        for (int i = 0; i < pairs; i++) {
            Pair pair = pair(i);
            sequences[i] = joined(pair.prompt(), pair.chosen());
            sequences[pairs + i] = joined(pair.prompt(), pair.rejected());
        }
        int length = Arrays.stream(sequences).mapToInt(s -> s.length).max().orElseThrow() - 1;
        int[] inputs = new int[sequences.length * length];
        int[] targets = new int[sequences.length * length];
        float[] responses = new float[sequences.length * length];
        int[] used = new int[sequences.length];
        for (int row = 0; row < sequences.length; row++) {
            used[row] = sequences[row].length - 1;
            System.arraycopy(sequences[row], 0, inputs, row * length, used[row]);
            System.arraycopy(sequences[row], 1, targets, row * length, used[row]);
            Arrays.fill(responses, row * length + prompt - 1, row * length + used[row], 1);
        }
        return new Rectangle(sequences.length, length, inputs, targets, responses, used);
    }

    private static int[] joined(int[] a, int[] b) {
        return IntStream.concat(Arrays.stream(a), Arrays.stream(b)).toArray();
    }
}
