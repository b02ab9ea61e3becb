package org.spin4j.training;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.spin4j.tokenizer.Message;

/** Training rows as token ids. */
public final class Examples {
    private Examples() {}

    /**
     * A sequence to imitate.
     *
     * @param ids    tokens
     * @param labels label of each position; {@link Row.Labelled#NO_LOSS} where nothing is learnt
     */
    public record Sequence(int[] ids, int[] labels) {
        /** A prompt without loss and a response with loss on every token. */
        public static Sequence of(int[] prompt, int[] response) {
            int[] ids = Arrays.copyOf(prompt, prompt.length + response.length);
            System.arraycopy(response, 0, ids, prompt.length, response.length);
            int[] labels = ids.clone();
            Arrays.fill(labels, 0, prompt.length, Row.Labelled.NO_LOSS);
            return new Sequence(ids, labels);
        }

        /** Number of tokens learnt: the first has nothing before it that could predict it. */
        public int targets() {
            int n = 0;
            for (int t = 1; t < labels.length; t++) {
                n += labels[t] == Row.Labelled.NO_LOSS ? 0 : 1;
            }
            return n;
        }
    }

    /**
     * A prompt and a response to it.
     *
     * @param source what both were written as, where they were text
     */
    public record Response(int[] prompt, int[] response, Optional<Source> source) {
        /** A response that was ids from the start. */
        public Response(int[] prompt, int[] response) {
            this(prompt, response, Optional.empty());
        }
    }

    /**
     * Text before templates and token ids.
     *
     * @param turns  the conversation up to the response; plain text is one turn of the user
     * @param answer the response
     */
    public record Source(List<Message> turns, String answer) {}

    /** A prompt with a preferred and a rejected response; SPIN: real and generated. */
    public record Pair(int[] prompt, int[] chosen, int[] rejected) {
        /** Whether there is nothing to prefer. */
        public boolean equalResponses() {
            return Arrays.equals(chosen, rejected);
        }

        /** Tokens that pass through the model. */
        public int tokens() {
            return prompt.length + chosen.length + rejected.length;
        }
    }

    /** Sums of log-probabilities of both responses under a frozen model. */
    record PairLogProbs(double chosen, double rejected) {}

    /** A pair with what the frozen model says of it. */
    record ReferencedPair(Pair pair, PairLogProbs reference) {}
}
