package org.spin4j.bench;

import java.util.Arrays;
import org.spin4j.engine.DecoderConfig;
import org.spin4j.engine.RandomStream;
import org.spin4j.kernels.Forest;

/**
 * The work of one training step: a Llama-style decoder with tied head, a batch of equally long sequences of random tokens,
 * and AdamW. Everything that a peer needs to do the same.
 *
 * @param dim        width of the residual stream
 * @param layers     number of blocks
 * @param heads      attention heads
 * @param kvHeads    heads of keys and values
 * @param hidden     width inside the feed-forward block
 * @param vocabulary tokens of the vocabulary
 * @param batch      sequences in a batch
 * @param length     tokens of each sequence
 */
public record TrainSetup(int dim, int layers, int heads, int kvHeads, int hidden, int vocabulary, int batch,
        int length) {
    /** 7.2 million parameters, 2048 tokens a step. */
    public static final TrainSetup SEVEN_MILLION = new TrainSetup(288, 6, 6, 768, 4096, 8, 256);

    /** 52 million parameters, 2048 tokens a step. */
    public static final TrainSetup FIFTY_TWO_MILLION = new TrainSetup(576, 12, 9, 1536, 8192, 4, 512);

    /** The shape of SmolLM2-135M, 2048 tokens a step. */
    public static final TrainSetup SMOLLM2_135M = new TrainSetup(576, 30, 9, 3, 1536, 49_152, 4, 512);

    /** Learning rate, small: what is measured is time, and the losses of two programs are to stay comparable. */
    public static final double LEARNING_RATE = 1e-4;

    /** AdamW's decay of the running mean of gradients. */
    public static final double BETA1 = 0.9;

    /** AdamW's decay of the running mean of squared gradients. */
    public static final double BETA2 = 0.999;

    /** What AdamW adds to the denominator; tiny, since libraries differ in whether it comes before the bias correction. */
    public static final double EPSILON = 1e-12;

    /** Decoupled weight decay, on every parameter. */
    public static final double WEIGHT_DECAY = 0.01;

    private static final long SEED = 7;

    /** As many heads of keys and values as of queries. */
    public TrainSetup(int dim, int layers, int heads, int hidden, int vocabulary, int batch, int length) {
        this(dim, layers, heads, heads, hidden, vocabulary, batch, length);
    }

    /** The model. */
    public DecoderConfig config() {
        return DecoderConfig.llama(vocabulary, dim, layers, heads, kvHeads, hidden, length, true);
    }

    /** Tokens of one step. */
    public int tokens() {
        return batch * length;
    }

    /** The batch, sequence after sequence. */
    public Forest forest() {
        int[] lengths = new int[batch];
        Arrays.fill(lengths, length);
        return Forest.ofSequences(lengths);
    }

    /** What the model reads: {@code [batch, length]}. */
    public int[] inputs() {
        return window(0);
    }

    /** What it is to predict, each the token after the input: {@code [batch, length]}. */
    public int[] targets() {
        return window(1);
    }

    private int[] window(int shift) {
        int[] window = new int[tokens()];
        for (int s = 0; s < batch; s++) {
            RandomStream random = RandomStream.of(SEED, "tokens", s);
            for (int i = 0; i <= length; i++) {
                int token = random.nextInt(vocabulary);
                if (i >= shift && i < length + shift) {
                    window[s * length + i - shift] = token;
                }
            }
        }
        return window;
    }
}
