package org.spin4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;

final class VectorMathTest {
    private static float exp(float x) {
        return VectorMath.exp(FloatVector.broadcast(FloatVector.SPECIES_PREFERRED, x)).lane(0);
    }

    @Test
    void expIsWithinOneUlp() {
        int lanes = FloatVector.SPECIES_PREFERRED.length();
        float[] x = new float[lanes];
        float[] y = new float[lanes];
        // A step that is no round number meets all residues of the reduction.
        for (double at = -86.9; at < 88.7; at += 0.000_917_3 * lanes) {
            for (int i = 0; i < lanes; i++) {
                x[i] = (float) (at + i * 0.000_917_3);
            }
            VectorMath.exp(FloatVector.fromArray(FloatVector.SPECIES_PREFERRED, x, 0)).intoArray(y, 0);
            for (int i = 0; i < lanes; i++) {
                double exact = Math.exp(x[i]);
                assertThat(Math.abs(y[i] - exact)).as("exp(%s) = %s", x[i], y[i])
                        .isLessThanOrEqualTo(Math.ulp((float) exact));
            }
        }
    }

    @Test
    void expAtTheEnds() {
        assertThat(exp(0)).isEqualTo(1);
        assertThat(exp(-0f)).isEqualTo(1);
        assertThat(exp(89)).isInfinite();
        assertThat(exp(1e30f)).isInfinite();
        assertThat(exp(Float.POSITIVE_INFINITY)).isInfinite();
        assertThat(exp(-104.5f)).isZero();
        assertThat(exp(-1e30f)).isZero();
        assertThat(exp(Float.NEGATIVE_INFINITY)).isZero();
        assertThat(exp(Float.NaN)).isNaN();
        assertThat((double) exp(-100)).isCloseTo(Math.exp(-100), within(3e-45));
    }

    private static float exp2(float x) {
        return VectorMath.exp2(FloatVector.broadcast(FloatVector.SPECIES_PREFERRED, x)).lane(0);
    }

    @Test
    void exp2IsWithinOneUlp() {
        for (double at = -125.9; at < 127.4; at += 0.000_917_3) {
            float x = (float) at;
            double exact = Math.pow(2, x);
            assertThat(Math.abs(exp2(x) - exact)).as("exp2(%s)", x).isLessThanOrEqualTo(Math.ulp((float) exact));
        }
    }

    private static float tanh(float x) {
        return VectorMath.tanh(FloatVector.broadcast(FloatVector.SPECIES_PREFERRED, x)).lane(0);
    }

    @Test
    void tanhIsWithinThreeUlp() {
        for (double at = -10; at < 10; at += 0.000_117_3) {
            float x = (float) at;
            double exact = Math.tanh(x);
            assertThat(Math.abs(tanh(x) - exact)).as("tanh(%s)", x).isLessThanOrEqualTo(3 * Math.ulp((float) exact));
        }
    }

    @Test
    void tanhAtTheEnds() {
        assertThat(tanh(0)).isZero();
        assertThat(tanh(1e-20f)).isEqualTo(1e-20f);
        assertThat(tanh(1e30f)).isEqualTo(1);
        assertThat(tanh(Float.NEGATIVE_INFINITY)).isEqualTo(-1);
        assertThat(tanh(Float.NaN)).isNaN();
    }

    @Test
    void exp2AtTheEnds() {
        assertThat(exp2(0)).isEqualTo(1);
        assertThat(exp2(-126.6f)).isZero();
        assertThat(exp2(-1e30f)).isZero();
        assertThat(exp2(Float.NEGATIVE_INFINITY)).isZero();
        assertThat(exp2(Float.NaN)).isNaN();
    }
}
