package org.spin4j.engine;

import java.util.Arrays;
import org.spin4j.kernels.Storage;

/** Chooses a token from one row of logits or probabilities. */
final class TokenChoice {
    private TokenChoice() {}

    /** The token with the greatest logit; the lowest id on a tie. */
    static int greatest(Storage logits) {
        int best = 0;
        for (int i = 1; i < logits.size(); i++) {
            if (logits.get(i) > logits.get(best)) {
                best = i;
            }
        }
        return best;
    }

    /**
     * The token at which the running sum of probabilities passes {@code u} of their total, after top-k, then top-p (Holtzman
     * et al. 2019, arXiv 1904.09751).
     *
     * @param u uniform in [0, 1)
     */
    static int draw(Storage probabilities, Sampling sampling, double u) {
        int n = (int) probabilities.size();
        boolean all = sampling.topP() == 1 && (sampling.topK() == 0 || sampling.topK() >= n);
        double floor = all ? 0 : floor(probabilities, n, sampling);
        double total = 0;
        for (int i = 0; i < n; i++) {
            double p = probabilities.get(i);
            total += p >= floor ? p : 0;
        }
        double left = u * total;
        int last = 0;
        for (int i = 0; i < n; i++) {
            double p = probabilities.get(i);
            if (p >= floor && p > 0) {
                last = i;
                left -= p;
                if (left < 0) {
                    return i;
                }
            }
        }
        return last;
    }

    /** The least probability that top-k and top-p let through; tokens that tie with it pass too. */
    private static double floor(Storage probabilities, int n, Sampling sampling) {
        double[] sorted = new double[n];
        double total = 0;
        for (int i = 0; i < n; i++) {
            sorted[i] = probabilities.get(i);
        }
        Arrays.sort(sorted);
        int kept = sampling.topK() == 0 ? n : Math.min(n, sampling.topK());
        for (int i = n - kept; i < n; i++) {
            total += sorted[i];
        }
        double mass = 0;
        for (int i = n - 1; i >= n - kept; i--) {
            mass += sorted[i];
            if (mass >= sampling.topP() * total) {
                return sorted[i];
            }
        }
        return sorted[n - kept];
    }
}
