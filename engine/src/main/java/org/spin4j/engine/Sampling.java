package org.spin4j.engine;

import java.util.Set;

/**
 * How to choose the next token.
 *
 * @param maxNewTokens most tokens to add, the end token included
 * @param temperature  divides the logits; 0 = always the most probable token
 * @param topK         only the k most probable tokens; 0 = all
 * @param topP         only the fewest most probable tokens whose probabilities add up to this; 1 = all
 * @param stopIds      a sample ends with the first of these
 * @param streams      how many samples grow at once; the samples do not depend on it
 */
public record Sampling(int maxNewTokens, double temperature, int topK, double topP, Set<Integer> stopIds, int streams) {
    /** Checks the numbers. */
    public Sampling {
        if (maxNewTokens < 1 || temperature < 0 || topK < 0 || topP <= 0 || topP > 1 || streams < 1) {
            throw new IllegalArgumentException(
                    "expected max_new_tokens of at least 1, temperature of at least 0, top_k of "
                            + "at least 0, top_p in (0, 1] and at least 1 stream, found " + maxNewTokens + ", "
                            + temperature + ", "
                            + topK + ", " + topP + ", " + streams);
        }
        stopIds = Set.copyOf(stopIds);
    }

    /** Greedy decoding. */
    public static Sampling greedy(int maxNewTokens, Set<Integer> stopIds, int streams) {
        return new Sampling(maxNewTokens, 0, 0, 1, stopIds, streams);
    }

    /** Sampling from the model's own distribution, as a SPIN opponent does. */
    public static Sampling pure(int maxNewTokens, Set<Integer> stopIds, int streams) {
        return new Sampling(maxNewTokens, 1, 0, 1, stopIds, streams);
    }
}
