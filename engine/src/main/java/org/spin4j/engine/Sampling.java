package org.spin4j.engine;

import java.util.Set;

/**
 * How to choose the next token, and when to end. Logits are changed in the order of Hugging Face transformers: repetition
 * penalty, temperature, top-k, top-p, min-p.
 *
 * @param maxNewTokens      most tokens to add, the end token included
 * @param maxLength         most tokens of prompt and sample together; 0 = as many as the model has positions
 * @param temperature       divides the logits; 0 = always the most probable token
 * @param topK              only the k most probable tokens, and those as probable as the last of them; 0 = all
 * @param topP              only the fewest most probable tokens whose probabilities add up to this (Holtzman et al. 2019, arXiv 1904.09751);
 *                          1 = all
 * @param minP              only tokens at least this times as probable as the most probable (Nguyen et al. 2024, arXiv 2407.01082); 0 = all
 * @param repetitionPenalty divides positive logits of tokens seen before, in prompt or sample, and multiplies negative ones (Keskar et
 *                          al. 2019, arXiv 1909.05858); 1 = none
 * @param stopIds           a sample ends with the first of these
 * @param candidates        samples of each prompt
 * @param streams           how many samples grow at once; the samples do not depend on it
 */
public record Sampling(int maxNewTokens, int maxLength, double temperature, int topK, double topP, double minP,
        double repetitionPenalty, Set<Integer> stopIds, int candidates, int streams) {
    /** Checks the numbers. */
    public Sampling {
        check(maxNewTokens >= 1, "max_new_tokens of at least 1", maxNewTokens);
        check(maxLength >= 0, "max_length of at least 0", maxLength);
        check(temperature >= 0 && temperature < Double.POSITIVE_INFINITY, "temperature of at least 0", temperature);
        check(topK >= 0, "top_k of at least 0", topK);
        check(topP > 0 && topP <= 1, "top_p in (0, 1]", topP);
        check(minP >= 0 && minP <= 1, "min_p in [0, 1]", minP);
        check(repetitionPenalty > 0 && repetitionPenalty < Double.POSITIVE_INFINITY, "repetition_penalty above 0",
                repetitionPenalty);
        check(candidates >= 1, "at least 1 candidate", candidates);
        check(streams >= 1, "at least 1 stream", streams);
        stopIds = Set.copyOf(stopIds);
    }

    private static void check(boolean good, String expected, Number found) {
        if (!good) {
            throw new IllegalArgumentException("expected " + expected + ", found " + found);
        }
    }

    /** Greedy decoding. */
    public static Sampling greedy(int maxNewTokens, Set<Integer> stopIds, int streams) {
        return new Sampling(maxNewTokens, 0, 0, 0, 1, 0, 1, stopIds, 1, streams);
    }

    /** Sampling from the model's own distribution, as a SPIN opponent does. */
    public static Sampling pure(int maxNewTokens, Set<Integer> stopIds, int streams) {
        return new Sampling(maxNewTokens, 0, 1, 0, 1, 0, 1, stopIds, 1, streams);
    }

    /** The same with another temperature, top-k and top-p. */
    public Sampling with(double newTemperature, int newTopK, double newTopP) {
        return new Sampling(maxNewTokens, maxLength, newTemperature, newTopK, newTopP, minP, repetitionPenalty, stopIds,
                candidates, streams);
    }

    /** The same with another min-p and repetition penalty. */
    public Sampling with(double newMinP, double newRepetitionPenalty) {
        return new Sampling(maxNewTokens, maxLength, temperature, topK, topP, newMinP, newRepetitionPenalty, stopIds,
                candidates, streams);
    }

    /** The same with another limit on prompt and sample together. */
    public Sampling withMaxLength(int length) {
        return new Sampling(maxNewTokens, length, temperature, topK, topP, minP, repetitionPenalty, stopIds, candidates,
                streams);
    }

    /** The same with another number of samples of each prompt. */
    public Sampling withCandidates(int number) {
        return new Sampling(maxNewTokens, maxLength, temperature, topK, topP, minP, repetitionPenalty, stopIds, number,
                streams);
    }
}
