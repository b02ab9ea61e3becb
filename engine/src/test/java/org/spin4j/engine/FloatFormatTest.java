package org.spin4j.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Storage;

class FloatFormatTest {
    private final MemorySegment two = Arena.ofAuto().allocate(2);

    @ParameterizedTest
    @EnumSource(names = {"F16", "BF16"})
    void everyPatternSurvivesWideningAndRounding(FloatFormat format) {
        for (int bits = 0; bits < 1 << 16; bits++) {
            double value = value(format, bits);
            if (Double.isNaN(value)) {
                assertThat(value(format, round(format, value))).isNaN();
            } else {
                assertThat(round(format, value)).as("pattern %04x", bits).isEqualTo(bits);
            }
        }
    }

    /** The middle between two neighbours goes to the even one, and the doubles beside the middle to the nearer one. */
    @ParameterizedTest
    @EnumSource(names = {"F16", "BF16"})
    void roundsToNearestTiesToEvenAndOnlyOnce(FloatFormat format) {
        int infinity = format == FloatFormat.F16 ? 0x7c00 : 0x7f80;
        for (int sign : new int[]{0, 0x8000}) {
            for (int bits = 0; bits < infinity; bits++) {
                double low = value(format, bits);
                // Beyond the largest finite number, the next step of the same size counts as infinity.
                double high = bits + 1 == infinity ? 2 * low - value(format, bits - 1) : value(format, bits + 1);
                double middle = (low + high) / 2;
                double s = sign == 0 ? 1 : -1;
                assertThat(round(format, s * middle)).isEqualTo(sign | bits + (bits & 1));
                assertThat(round(format, s * Math.nextDown(middle))).isEqualTo(sign | bits);
                assertThat(round(format, s * Math.nextUp(middle))).isEqualTo(sign | bits + 1);
            }
        }
    }

    @Test
    void extremesOfDoubleRoundToZeroAndInfinity() {
        for (FloatFormat format : new FloatFormat[]{FloatFormat.F16, FloatFormat.BF16}) {
            assertThat(round(format, Double.MIN_VALUE)).isZero();
            assertThat(round(format, -Double.MIN_VALUE)).isEqualTo(0x8000);
            assertThat(value(format, round(format, Double.MAX_VALUE))).isEqualTo(Double.POSITIVE_INFINITY);
            assertThat(value(format, round(format, Double.NEGATIVE_INFINITY))).isEqualTo(Double.NEGATIVE_INFINITY);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F16", "BF16"})
    void wholeStoragesConvertAsSingleNumbersDo(FloatFormat format) {
        MemorySegment file = Arena.ofAuto().allocate(2 << 16);
        for (int bits = 0; bits < 1 << 16; bits++) {
            file.set(ValueLayout.JAVA_SHORT, 2L * bits, (short) bits);
        }
        for (DType type : new DType[]{DType.F32, DType.F64}) {
            Storage wide = Storage.allocate(Arena.ofAuto(), type, 1 << 16);
            format.decode(file, wide);
            MemorySegment back = Arena.ofAuto().allocate(2 << 16);
            format.encode(wide, back);
            for (int bits = 0; bits < 1 << 16; bits++) {
                double value = value(format, bits);
                assertThat(wide.get(bits)).isEqualTo(Double.valueOf(value));
                if (!Double.isNaN(value)) {
                    assertThat(back.get(ValueLayout.JAVA_SHORT, 2L * bits)).isEqualTo((short) bits);
                }
            }
        }
    }

    private double value(FloatFormat format, int bits) {
        two.set(ValueLayout.JAVA_SHORT, 0, (short) bits);
        return format.get(two, 0);
    }

    private int round(FloatFormat format, double value) {
        format.set(two, 0, value);
        return Short.toUnsignedInt(two.get(ValueLayout.JAVA_SHORT, 0));
    }
}
