package org.spin4j.training;

import java.util.Arrays;
import java.util.function.DoubleFunction;
import java.util.stream.Collectors;

/**
 * A preference loss: a pure function of four log-probabilities and two lengths, with its two derivatives.
 *
 * <p>Notation of the formulas below: {@code a} and {@code b} are the log-ratios of the chosen and the rejected response,
 * {@code d = a − b}, {@code σ} the logistic function, {@code ε} the label smoothing, {@code |y|} a length in tokens. No
 * formula overflows on the way to a finite result: −log σ(x) is computed as softplus(−x).
 */
@FunctionalInterface
public interface PairLoss {

    /** The loss of one pair and its derivatives; β is already in the derivatives. */
    PairResult evaluate(PairInput in);

    /**
     * The loss with that name.
     *
     * @param lossType a name of {@link LossType#key()}
     * @param beta DPO's β, SPIN's λ; above 0
     * @param labelSmoothing ε: in [0, 0.5) for sigmoid and robust, in (0, 0.5) for exo_pair, 0 for all others
     * @throws BadInputException if the name is unknown or a number outside its range
     */
    static PairLoss of(String lossType, double beta, double labelSmoothing) {
        LossType type = Arrays.stream(LossType.values()).filter(t -> t.key().equals(lossType)).findFirst()
                .orElseThrow(() -> BadInputException.of("expected a known loss_type, found '%s'; use one of %s",
                        BadInputException.excerpt(lossType),
                        Arrays.stream(LossType.values()).map(LossType::key).collect(Collectors.joining(", "))));
        return of(type, beta, labelSmoothing);
    }

    /** As {@link #of(String, double, double)}, by constant. */
    static PairLoss of(LossType type, double beta, double labelSmoothing) {
        if (!(beta > 0) || Double.isInfinite(beta)) {
            throw BadInputException.of("expected beta > 0, found %s; write for instance beta=0.1", beta);
        }
        double eps = checkedSmoothing(type, labelSmoothing);
        return switch (type) {
            // DPO, arXiv 2305.18290 eq. 7: −log σ(βd). Conservative DPO (Mitchell, "A note on DPO with noisy preferences"):
            // −(1−ε) log σ(βd) − ε log σ(−βd).
            case SIGMOID -> ofMargin(beta,
                    x -> new Slope((1 - eps) * softplus(-x) + eps * softplus(x), sigmoid(x) - (1 - eps)));

            // SLiC-HF, arXiv 2305.10425, on DPO's margin: max(0, 1 − βd); the derivative at the kink is taken as 0.
            // SPIN, arXiv 2401.01335 section 4.1, lists the same function among its ℓ.
            case HINGE, SPIN_HINGE -> ofMargin(beta, x -> x < 1 ? new Slope(1 - x, -1) : new Slope(0, 0));

            // IPO, arXiv 2310.12036 eq. 17: (d − 1/(2β))², here with a/|y⁺| − b/|y⁻| for d, as TRL has it.
            case IPO -> ofMeanMargin(m -> square(m - 0.5 / beta));
            case IPO_SUM -> ofMargin(1, m -> square(m - 0.5 / beta));

            // EXO, arXiv 2402.00856 (pairwise case), with q = σ(βd): q (log q − log(1−ε)) + (1−q) (log(1−q) − log ε).
            // The q' of the two entropies cancel, which leaves q' = q(1−q) times the difference of the brackets.
            case EXO_PAIR -> ofMargin(beta, x -> {
                double q = sigmoid(x);
                double notQ = sigmoid(-x);
                double up = -softplus(-x) - Math.log1p(-eps);
                double down = -softplus(x) - Math.log(eps);
                return new Slope(q * up + notQ * down, q * notQ * (up - down));
            });

            // NCA, arXiv 2402.05369: −log σ(βa) − ½ log σ(−βa) − ½ log σ(−βb).
            case NCA_PAIR -> ofRewards(beta,
                    x -> new Slope(softplus(-x) + 0.5 * softplus(x), -sigmoid(-x) + 0.5 * sigmoid(x)),
                    y -> new Slope(0.5 * softplus(y), 0.5 * sigmoid(y)));

            // Robust DPO, arXiv 2403.00409: [−(1−ε) log σ(βd) + ε log σ(−βd)] / (1 − 2ε).
            case ROBUST -> ofMargin(beta, x -> new Slope(((1 - eps) * softplus(-x) - eps * softplus(x)) / (1 - 2 * eps),
                    (-(1 - eps) * sigmoid(-x) - eps * sigmoid(x)) / (1 - 2 * eps)));

            // BCO, arXiv 2404.04656, with δ = 0: −log σ(βa) − log σ(−βb).
            case BCO_PAIR -> ofRewards(beta, x -> new Slope(softplus(-x), -sigmoid(-x)),
                    y -> new Slope(softplus(y), sigmoid(y)));

            // SPPO, arXiv 2405.00675, with the win rates 1 and 0: (a − 1/(2β))² + (b + 1/(2β))².
            case SPPO_HARD -> ofRewards(1, x -> square(x - 0.5 / beta), y -> square(y + 0.5 / beta));

            // APO, arXiv 2408.06266: zero: 1 − σ(βa) + σ(βb); down: σ(βa) + 1 − σ(βd).
            case APO_ZERO -> ofRewards(beta, x -> new Slope(sigmoid(-x), -sigmoid(x) * sigmoid(-x)),
                    y -> new Slope(sigmoid(y), sigmoid(y) * sigmoid(-y)));
            case APO_DOWN -> in -> {
                PairResult anchor = ofRewards(beta, x -> new Slope(sigmoid(x), sigmoid(x) * sigmoid(-x)),
                        y -> new Slope(0, 0)).evaluate(in);
                PairResult margin = ofMargin(beta, x -> new Slope(sigmoid(-x), -sigmoid(x) * sigmoid(-x))).evaluate(in);
                return new PairResult(anchor.loss() + margin.loss(), anchor.dPolicyChosen() + margin.dPolicyChosen(),
                        margin.dPolicyRejected());
            };

            // DiscoPOP, arXiv 2406.08414: m = σ(x/τ), (1−m)(−log σ(x)) + m e^−x with τ = 0.05. For x far below 0,
            // m is smaller than e^−x is large, so their product is one exponential of a sum of logarithms.
            case DISCOPOP -> ofMargin(beta, x -> {
                double tau = 0.05;
                double notM = sigmoid(-x / tau);
                double dm = sigmoid(x / tau) * notM / tau;
                double mExp = Math.exp(-x - softplus(-x / tau));
                double dmExp = mExp * notM / tau;
                return new Slope(notM * softplus(-x) + mExp, -notM * sigmoid(-x) - dm * softplus(-x) - mExp + dmExp);
            });

            // Length-normalised DPO, Tülu 3, arXiv 2411.15124: −log σ(β (a/|y⁺| − b/|y⁻|)).
            case SIGMOID_NORM -> ofMeanMargin(
                    m -> new Slope(softplus(-beta * m), -beta * sigmoid(-beta * m)));

            // SPIN, arXiv 2401.01335 eq. 4.7: ℓ(λd), for every ℓ its section 4.1 allows (hinge: above).
            case SPIN_LOGISTIC -> ofMargin(beta, t -> new Slope(softplus(-t), -sigmoid(-t)));
            case SPIN_CORRELATION -> ofMargin(beta, t -> new Slope(1 - t, -1));
            case SPIN_EXPONENTIAL -> ofMargin(beta, t -> new Slope(Math.exp(-t), -Math.exp(-t)));
        };
    }

    /** −log σ(−x) = log(1 + e^x), without overflow. */
    static double softplus(double x) {
        return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
    }

    /** The logistic function 1 / (1 + e^−x), without overflow. */
    static double sigmoid(double x) {
        double e = Math.exp(-Math.abs(x));
        return x >= 0 ? 1 / (1 + e) : e / (1 + e);
    }

    /**
     * The value and the derivative of a function of one variable at one point.
     *
     * @param value f(x)
     * @param derivative f'(x)
     */
    record Slope(double value, double derivative) {}

    private static Slope square(double x) {
        return new Slope(x * x, 2 * x);
    }

    /** f(βd): the loss sees the two responses only through the difference of their log-ratios. */
    private static PairLoss ofMargin(double beta, DoubleFunction<Slope> f) {
        return in -> {
            Slope s = f.apply(beta * (in.chosenLogRatio() - in.rejectedLogRatio()));
            return new PairResult(s.value(), beta * s.derivative(), -beta * s.derivative());
        };
    }

    /** f(a/|y⁺| − b/|y⁻|): the same with log-ratios per token. */
    private static PairLoss ofMeanMargin(DoubleFunction<Slope> f) {
        return in -> {
            Slope s = f.apply(in.chosenLogRatio() / in.chosenLength() - in.rejectedLogRatio() / in.rejectedLength());
            return new PairResult(s.value(), s.derivative() / in.chosenLength(), -s.derivative() / in.rejectedLength());
        };
    }

    /** f(βa) + g(βb): each response is judged by itself. */
    private static PairLoss ofRewards(double beta, DoubleFunction<Slope> f, DoubleFunction<Slope> g) {
        return in -> {
            Slope chosen = f.apply(beta * in.chosenLogRatio());
            Slope rejected = g.apply(beta * in.rejectedLogRatio());
            return new PairResult(chosen.value() + rejected.value(), beta * chosen.derivative(),
                    beta * rejected.derivative());
        };
    }

    private static double checkedSmoothing(LossType type, double eps) {
        boolean fits = switch (type) {
            case SIGMOID, ROBUST -> eps >= 0 && eps < 0.5;
            case EXO_PAIR -> eps > 0 && eps < 0.5;
            default -> eps == 0;
        };
        if (!fits) {
            String range = switch (type) {
                case SIGMOID, ROBUST -> "in [0, 0.5)";
                case EXO_PAIR -> "in (0, 0.5)";
                default -> "0";
            };
            throw BadInputException.of("expected label_smoothing %s for loss_type %s, found %s; change label_smoothing",
                    range, type.key(), eps);
        }
        return eps;
    }
}
