package org.spin4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.FloatRange;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

class SharesTest {
    @Test
    void sharesAreWholeNumbersOf2ToTheMinus40() {
        assertThat(Shares.of(1)).isEqualTo(1L << 40);
        assertThat(Shares.of(0.3f)).isEqualTo((long) (0.3f * 0x1p40));
        assertThat(Shares.of(0x1p-40f)).isEqualTo(1);
        assertThat(Shares.of(0x1.fffffep-41f)).isZero();
        assertThat(Shares.of(0)).isZero();
        assertThat(Shares.of(Float.NaN)).isZero();
    }

    @Property
    void halvesMakeTheWhole(@ForAll @FloatRange(min = 0, max = 1) float p) {
        assertThat(Shares.of(p)).isEqualTo((long) (p * 0x1p40));
    }

    @Property
    void aPartIsTheProductRoundedDown(@ForAll @LongRange(min = 0, max = (1L << 41) - 1) long total,
            @ForAll @DoubleRange(min = 0, max = 1) double x) {
        long fraction = Shares.fraction(x);
        assertThat(fraction).isEqualTo((long) Math.floor(x * 0x1p44));
        long exact = BigInteger.valueOf(total).multiply(BigInteger.valueOf(fraction)).shiftRight(44).longValueExact();
        assertThat(Shares.part(total, fraction)).isEqualTo(exact);
        assertThat(Shares.part(total, Shares.fraction(1 - 0x1p-53))).isEqualTo(total == 0 ? 0 : total - 1);
    }
}
