package org.spin4j.engine;

/** Token embeddings, plus learned position embeddings where the model has them: x[i] = E[id[i]] (+ P[position[i]]). */
public final class Embedding {
    private Embedding() {}

    /**
     * Forward step; backward: dE[id[i]] += dx[i], dP[position[i]] += dx[i].
     *
     * @param ids       token ids, one per row
     * @param tokens    [vocabulary, dim]
     * @param positions position of each token
     * @param learned   [maxPositions, dim], or null
     * @return [tokens, dim]
     */
    public static Tensor apply(Tape tape, int[] ids, Parameter tokens, int[] positions, Parameter learned) {
        int n = ids.length;
        int dim = tokens.cols();
        Tensor x = tape.tensor(n, dim);
        tape.kernels().gatherRows(ids, n, dim, tokens.data(), false, x.data());
        if (learned != null) {
            tape.kernels().gatherRows(positions, n, dim, learned.data(), true, x.data());
        }
        tape.record(x, () -> {
            if (tokens.grad() != null) {
                tape.kernels().scatterAddRows(ids, n, dim, x.grad(), tokens.grad());
            }
            if (learned != null && learned.grad() != null) {
                tape.kernels().scatterAddRows(positions, n, dim, x.grad(), learned.grad());
            }
        });
        return x;
    }
}
