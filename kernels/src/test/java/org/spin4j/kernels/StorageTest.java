package org.spin4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class StorageTest {
    @ParameterizedTest
    @EnumSource
    void wideningAndBackGivesTheSameBytes(DType type) {
        int n = 4096;
        Storage narrow = Storage.allocate(Arena.ofAuto(), type, n);
        SplittableRandom random = new SplittableRandom(3);
        Storage numbers = Storage.allocate(Arena.ofAuto(), DType.F64, n);
        for (int i = 0; i < n; i++) {
            numbers.set(i, (float) random.nextGaussian());
        }
        narrow.convertFrom(numbers);
        for (DType wider : new DType[]{DType.F32, DType.F64}) {
            Storage wide = Storage.allocate(Arena.ofAuto(), wider, n);
            wide.convertFrom(narrow);
            for (int i = 0; i < n; i++) {
                assertThat(wide.get(i)).isEqualTo(narrow.get(i));
            }
            if (type != DType.Q8_0) { // its scale has fewer bits than the number it was made of
                Storage back = Storage.allocate(Arena.ofAuto(), type, n);
                back.convertFrom(wide);
                assertThat(back.segment().mismatch(narrow.segment())).isEqualTo(-1);
            }
        }
    }

    /** Against the bytes of GGUF's reference: scale 127/127 = 1, ties away from zero. */
    @Test
    void blocksAreQuantisedAsGgufDoes() {
        double[] x = new double[64];
        x[0] = -127;
        x[1] = 2.5;
        x[2] = -2.5;
        x[3] = 0.49;
        x[4] = 126.5;
        x[33] = 0.1;
        Storage numbers = Storage.of(DType.F32, x);
        Storage blocks = Storage.allocate(Arena.ofAuto(), DType.Q8_0, 64);
        blocks.convertFrom(numbers);
        assertThat(blocks.segment().byteSize()).isEqualTo(68);
        assertThat(blocks.segment().get(ValueLayout.JAVA_SHORT, 0)).isEqualTo((short) 0x3c00);
        byte[] q = blocks.segment().asSlice(2, 6).toArray(ValueLayout.JAVA_BYTE);
        assertThat(q).containsExactly(-127, 3, -3, 0, 127, 0);
        assertThat(blocks.segment().get(ValueLayout.JAVA_SHORT, 34))
                .isEqualTo(Float.floatToFloat16(0.1f / 127));
        assertThat(blocks.segment().get(ValueLayout.JAVA_BYTE, 37)).isEqualTo((byte) 127);
        assertThat(blocks.get(33)).isEqualTo(Float.float16ToFloat(Float.floatToFloat16(0.1f / 127)) * 127f);
        assertThat(blocks.slice(32, 32).get(1)).isEqualTo(blocks.get(33));
    }

    @Test
    void readsNumbersAtAnyAddress() {
        MemorySegment bytes = MemorySegment.ofArray(new byte[]{9, 0, 0, (byte) 0x80, 0x3f, 9});
        assertThat(Storage.wrap(bytes.asSlice(1), DType.F32, 1).get(0)).isEqualTo(1);
        assertThat(Storage.wrap(bytes.asSlice(3), DType.BF16, 1).get(0)).isEqualTo(1);
    }

    @Test
    void saysWhatIsWrong() {
        Arena arena = Arena.ofAuto();
        assertThatThrownBy(() -> Storage.allocate(arena, DType.Q8_0, 33))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("expected a multiple of 32 elements of Q8_0, found 33");
        assertThatThrownBy(() -> Storage.wrap(arena.allocate(7), DType.F32, 2))
                .hasMessage("expected the bytes of 2 elements of F32, found 7");
        Storage blocks = Storage.allocate(arena, DType.Q8_0, 64);
        assertThatThrownBy(() -> blocks.slice(16, 32)).hasMessageContaining("multiple of 32");
        assertThatThrownBy(() -> blocks.set(0, 1)).isInstanceOf(UnsupportedOperationException.class);
        assertThatThrownBy(() -> blocks.convertFrom(Storage.of(DType.F32, new double[32])))
                .hasMessage("expected 64 elements, found 32");
        double[] x = new double[64];
        x[5] = Double.NaN;
        assertThatThrownBy(() -> blocks.convertFrom(Storage.of(DType.F32, x)))
                .hasMessageStartingWith("expected finite numbers to store as Q8_0, found NaN");
        x[5] = 1e9;
        assertThatThrownBy(() -> blocks.convertFrom(Storage.of(DType.F32, x)))
                .hasMessageStartingWith("expected numbers up to");
    }

    @Test
    void aMirrorIsToldOfWhatTheHostTouches() {
        List<String> told = new ArrayList<>();
        Storage all = Storage.allocate(Arena.ofAuto(), DType.F32, 100);
        Storage part = all.slice(20, 30);
        Mirror mirror = new Mirror() {
            @Override
            public void beforeRead(long from, long count) {
                told.add("read " + from + " " + count);
            }

            @Override
            public void beforeWrite(long from, long count) {
                told.add("write " + from + " " + count);
            }

            @Override
            public void zero(long from, long count) {
                told.add("zero " + from + " " + count);
            }

            @Override
            public boolean copy(Storage from, Storage to) {
                told.add("copy " + from.offset() + " " + to.offset());
                return from.offset() == 0;
            }
        };
        assertThat(part.slice(1, 2).mirror(bytes -> mirror)).isSameAs(mirror);
        assertThat(all.mirror(bytes -> null)).isSameAs(mirror);
        part.get(0);
        part.set(0, 1);
        part.zero();
        part.segment();
        part.readOnlySegment();
        part.copyFrom(all.slice(0, 30));
        all.slice(0, 30).copyFrom(part);
        assertThat(told).containsExactly("read 20 30", "write 20 30", "zero 20 30", "read 20 30", "write 20 30",
                "read 20 30", "copy 0 20", "copy 20 0", "write 0 30", "read 20 30");
        Storage other = Storage.allocate(Arena.ofAuto(), DType.F32, 30);
        other.copyFrom(part);
        part.copyFrom(other);
        assertThat(told).hasSize(13).endsWith("copy 20 0", "read 20 30", "write 20 30");
    }
}
