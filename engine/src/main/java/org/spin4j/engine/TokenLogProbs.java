package org.spin4j.engine;

import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.Storage;

/**
 * Log-probabilities of given tokens: head projection, log-softmax and gather in one op, which walks the vocabulary in chunks
 * and never holds tokens × vocabulary numbers; formulas at {@link org.spin4j.kernels.Kernels#tokenLogProbs}.
 *
 * @param logProbs [n, 1]: log p(target)
 * @param entropy  [n]: entropy of each distribution, nats
 * @param argmax   [n]: most probable token
 */
public record TokenLogProbs(Tensor logProbs, Storage entropy, int[] argmax) {
    /**
     * Forward step; backward: dLogit = dLogProb · ([target] - softmax).
     *
     * @param hidden  [n, dim]
     * @param targets the n tokens
     */
    public static TokenLogProbs apply(Tape tape, Tensor hidden, Head head, int[] targets) {
        Kernels k = tape.kernels();
        int n = hidden.rows();
        int dim = hidden.cols();
        Parameter w = head.weight();
        Tensor logProbs = tape.tensor(n, 1);
        Storage logSumExp = tape.scratch(n);
        Storage entropy = tape.scratch(n);
        int[] argmax = new int[n];
        k.tokenLogProbs(n, dim, w.rows(), head.softcap(), hidden.data(), w.data(), targets, logProbs.data(), logSumExp,
                entropy, argmax);
        tape.record(logProbs, () -> k.tokenLogProbsBackward(n, dim, w.rows(), head.softcap(), hidden.data(), w.data(),
                targets, logSumExp, logProbs.grad(), tape.overwritten(hidden), w.grad()));
        return new TokenLogProbs(logProbs, entropy, argmax);
    }
}
