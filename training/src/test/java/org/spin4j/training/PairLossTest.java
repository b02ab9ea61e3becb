package org.spin4j.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Base64;
import java.util.Set;
import java.util.TreeSet;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PairLossTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @Test
    void everyLossEqualsItsFormulaEvaluatedWithSixtyDigits() throws IOException {
        Set<String> covered = new TreeSet<>();
        try (InputStream in = PairLossTest.class.getResourceAsStream("pair_losses.json")) {
            JsonNode golden = JSON.readTree(in);
            for (JsonNode c : golden.get("cases")) {
                PairLoss loss = PairLoss.of(c.get("loss_type").textValue(), c.get("beta").doubleValue(),
                        c.get("label_smoothing").doubleValue());
                covered.add(c.get("loss_type").textValue());
                for (int i = 0; i < golden.get("pairs").size(); i++) {
                    JsonNode p = golden.get("pairs").get(i);
                    JsonNode want = c.get("expected").get(i);
                    PairResult got = loss.evaluate(new PairInput(p.get(0).doubleValue(), p.get(1).doubleValue(),
                            p.get(2).doubleValue(), p.get(3).doubleValue(), p.get(4).intValue(), p.get(5).intValue()));
                    String where = c.get("loss_type") + " beta " + c.get("beta") + " pair " + i;
                    assertClose(where + " loss", got.loss(), want.get(0).doubleValue());
                    assertClose(where + " d chosen", got.dPolicyChosen(), want.get(1).doubleValue());
                    assertClose(where + " d rejected", got.dPolicyRejected(), want.get(2).doubleValue());
                }
            }
        }
        assertThat(covered).hasSize(LossType.values().length);
    }

    /** All of TRL's and SPIN's cases with the reverse-KL divergence; the other f-divergences are not built. */
    @Test
    void equalsTrlInDoublePrecision() throws IOException {
        JsonNode golden = JSON.readTree(SharedData.require("golden/preference/losses.json").toFile());
        JsonNode inputs = golden.get("inputs");
        double[] pc = doubles(inputs.get("policy_chosen_logp"));
        double[] pr = doubles(inputs.get("policy_rejected_logp"));
        double[] rc = doubles(inputs.get("ref_chosen_logp"));
        double[] rr = doubles(inputs.get("ref_rejected_logp"));
        Set<String> covered = new TreeSet<>();
        int cases = 0;
        for (JsonNode c : golden.get("pair_cases")) {
            String divergence = c.get("f_divergence").asText();
            if (!divergence.equals("reverse_kl") && !c.get("f_divergence").isNull()) {
                continue;
            }
            String type = c.get("loss_type").textValue();
            // Our sigmoid takes label smoothing, which TRL's newest does not.
            PairLoss loss = PairLoss.of(type.equals("cdpo") ? "sigmoid" : type, c.get("beta").doubleValue(),
                    c.get("label_smoothing").doubleValue());
            double[] wantLoss = doubles(c.get("loss"));
            double[] wantChosen = doubles(c.get("d_policy_chosen"));
            double[] wantRejected = doubles(c.get("d_policy_rejected"));
            for (int i = 0; i < wantLoss.length; i++) {
                PairResult got = loss.evaluate(new PairInput(pc[i], pr[i], rc[i], rr[i],
                        inputs.get("chosen_tokens").get(i).intValue(),
                        inputs.get("rejected_tokens").get(i).intValue()));
                String where = type + " beta " + c.get("beta") + " eps " + c.get("label_smoothing") + " pair " + i;
                assertClose(where + " loss", got.loss(), wantLoss[i]);
                assertClose(where + " d chosen", got.dPolicyChosen(), wantChosen[i]);
                assertClose(where + " d rejected", got.dPolicyRejected(), wantRejected[i]);
            }
            covered.add(type);
            cases++;
        }
        assertThat(covered).hasSize(LossType.values().length + 1);
        assertThat(cases).isGreaterThanOrEqualTo(60);
    }

    @Property(tries = 300)
    void derivativesAreCentralDifferences(@ForAll LossType type, @ForAll @DoubleRange(min = -40, max = 0) double pc,
            @ForAll @DoubleRange(min = -40, max = 0) double pr, @ForAll @DoubleRange(min = -40, max = 0) double rc,
            @ForAll @DoubleRange(min = -40, max = 0) double rr, @ForAll @DoubleRange(min = 0.05, max = 0.5) double beta,
            @ForAll @IntRange(min = 1, max = 9) int chosenLength,
            @ForAll @IntRange(min = 1, max = 9) int rejectedLength) {
        double d = (pc - rc) - (pr - rr);
        if (Math.abs(1 - beta * d) < 1e-3) {
            return; // the kink of the two hinges has no derivative
        }
        PairLoss loss = PairLoss.of(type, beta, smoothing(type));
        PairResult at = loss.evaluate(new PairInput(pc, pr, rc, rr, chosenLength, rejectedLength));
        // Error of a central difference: h²/6 of the third derivative (at most (β/τ)³ = 10³ times the loss's size for
        // DiscoPOP) plus one rounding of the loss divided by h.
        double h = 1e-5;
        double tolerance = 1e-6 * (1 + Math.abs(at.loss())) * (1 + Math.abs(at.dPolicyChosen()));
        double up = loss.evaluate(new PairInput(pc + h, pr, rc, rr, chosenLength, rejectedLength)).loss();
        double down = loss.evaluate(new PairInput(pc - h, pr, rc, rr, chosenLength, rejectedLength)).loss();
        assertThat(at.dPolicyChosen()).isCloseTo((up - down) / (2 * h), within(tolerance));
        up = loss.evaluate(new PairInput(pc, pr + h, rc, rr, chosenLength, rejectedLength)).loss();
        down = loss.evaluate(new PairInput(pc, pr - h, rc, rr, chosenLength, rejectedLength)).loss();
        assertThat(at.dPolicyRejected()).isCloseTo((up - down) / (2 * h), within(tolerance));
    }

    @Property(tries = 100)
    void logisticLossIsLogTwoWhilePolicyIsReference(@ForAll @DoubleRange(min = -1e6, max = 0) double chosen,
            @ForAll @DoubleRange(min = -1e6, max = 0) double rejected,
            @ForAll @DoubleRange(min = 0.01, max = 100) double beta) {
        PairInput same = new PairInput(chosen, rejected, chosen, rejected, 5, 6);
        for (LossType type : new LossType[]{LossType.SPIN_LOGISTIC, LossType.SIGMOID, LossType.SIGMOID_NORM}) {
            PairResult got = PairLoss.of(type, beta, 0).evaluate(same);
            assertThat(got.loss()).isCloseTo(Math.log(2), within(1e-15));
        }
        assertThat(PairLoss.of(LossType.SPIN_LOGISTIC, beta, 0).evaluate(same).dPolicyChosen())
                .isCloseTo(-beta / 2, within(1e-15 * beta));
    }

    /** Log-ratios of a diverged run: only losses that truly are that large may be infinite. */
    @ParameterizedTest
    @EnumSource(value = LossType.class, names = "SPIN_EXPONENTIAL", mode = EnumSource.Mode.EXCLUDE)
    void staysFiniteFarFromTheReference(LossType type) {
        for (double far : new double[]{1e5, -1e5}) {
            PairResult got = PairLoss.of(type, 5, smoothing(type)).evaluate(new PairInput(far, -far, 0, 0, 1, 1));
            assertThat(got.loss()).isFinite();
            assertThat(got.dPolicyChosen()).isFinite();
            assertThat(got.dPolicyRejected()).isFinite();
        }
    }

    @Test
    void refusesWhatHasNoMeaning() {
        assertThatThrownBy(() -> PairLoss.of("sigmoyd", 0.1, 0)).isInstanceOf(BadInputException.class)
                .hasMessageContaining("found 'sigmoyd'").hasMessageContaining("spin_logistic");
        assertThatThrownBy(() -> PairLoss.of("sigmoid", 0, 0)).hasMessageContaining("expected beta > 0, found 0.0");
        assertThatThrownBy(() -> PairLoss.of("exo_pair", 0.1, 0)).hasMessageContaining("label_smoothing in (0, 0.5)");
        assertThatThrownBy(() -> PairLoss.of("hinge", 0.1, 0.1)).hasMessageContaining("label_smoothing 0 for");
    }

    private static double smoothing(LossType type) {
        return type == LossType.EXO_PAIR || type == LossType.ROBUST ? 0.1 : 0;
    }

    /**
     * 1e-9 relative. The 1e-14 is the reference's own error: automatic differentiation adds up terms of size 1 that cancel
     * (seen: exo_pair, -6.90346e-10 where 50 digits give -6.90348e-10, as we do).
     */
    private static void assertClose(String what, double got, double want) {
        assertThat(got).as(what).isCloseTo(want, within(1e-9 * Math.abs(want) + 1e-14));
    }

    private static double[] doubles(JsonNode array) {
        ByteBuffer bytes = ByteBuffer.wrap(Base64.getDecoder().decode(array.get("b64").textValue()))
                .order(ByteOrder.LITTLE_ENDIAN);
        double[] values = new double[array.get("shape").get(0).intValue()];
        bytes.asDoubleBuffer().get(values);
        return values;
    }
}
