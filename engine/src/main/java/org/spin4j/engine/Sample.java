package org.spin4j.engine;

/**
 * A generated continuation.
 *
 * @param ids      the new tokens; the last is a stop id where {@code finish} is STOP
 * @param logProbs log-probability of each under the model itself (temperature 1), nats
 * @param finish   why it ended
 */
public record Sample(int[] ids, double[] logProbs, Finish finish) {
    /** Why a sample ended. A response cut by length has not ended and must not be taught an end token. */
    public enum Finish {
        /** The model gave a stop id. */
        STOP,
        /** The length limit, or the model's last position, was reached. */
        LENGTH
    }
}
