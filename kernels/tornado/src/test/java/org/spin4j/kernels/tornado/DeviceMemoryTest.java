package org.spin4j.kernels.tornado;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Storage;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** Numbers on both sides, with kernels that only move them. */
class DeviceMemoryTest {
    private static final DeviceMemory MEMORY = TestDevice.MEMORY;

    private static Storage storage(int n, float first) {
        Storage s = Storage.allocate(Arena.ofAuto(), DType.F32, n);
        for (int i = 0; i < n; i++) {
            s.set(i, first + i);
        }
        return s;
    }

    /** to = from, on the device. */
    private static void copy(Storage from, Storage to) {
        MEMORY.add(Moves.copy(MEMORY.read(from, from.size(), "from"), MEMORY.write(to, to.size(), "to"), to.size()));
    }

    @Test
    void numbersGoUpWhenAKernelReadsThemAndComeBackWhenTheHostDoes() {
        Storage a = storage(1000, 5);
        Storage b = storage(1000, 0);
        copy(a, b);
        assertThat(b.get(0)).isEqualTo(5);
        assertThat(b.get(999)).isEqualTo(1004);
        long uploaded = MEMORY.uploaded();
        Storage c = storage(1000, 0);
        copy(b, c);
        copy(a, b);
        assertThat(c.toFloats()).isEqualTo(a.toFloats());
        assertThat(MEMORY.uploaded()).as("nothing new").isEqualTo(uploaded);
    }

    @Test
    void callsSeeTheNumbersOfTheirTime() {
        Storage a = storage(10, 1);
        Storage b = storage(10, 0);
        Storage c = storage(10, 0);
        copy(a, b);
        a.set(3, 100);
        copy(a, c);
        a.set(3, 200);
        assertThat(b.get(3)).isEqualTo(4);
        assertThat(c.get(3)).isEqualTo(100);
        assertThat(a.get(3)).isEqualTo(200);
    }

    @Test
    void manyNumbersChangedBetweenCallsStayInOrder() {
        int n = 10_000;
        Storage a = storage(n, 1);
        Storage b = storage(n, 0);
        copy(a, b);
        a.segment().fill((byte) 0);
        Storage c = storage(n, 0);
        copy(a, c);
        assertThat(b.get(n - 1)).isEqualTo(n);
        assertThat(c.get(n - 1)).isEqualTo(0);
    }

    @Test
    void partsOfAnAllocationAreKeptApart() {
        Storage all = storage(3000, 0);
        Storage b = storage(1000, 0);
        copy(all.slice(1000, 1000), b);
        copy(b, all.slice(2000, 1000));
        all.set(2500, -1);
        Storage back = storage(3000, 0);
        copy(all, back);
        assertThat(back.get(999)).isEqualTo(999);
        assertThat(back.get(2499)).isEqualTo(1499);
        assertThat(back.get(2500)).isEqualTo(-1);
        assertThat(back.get(2501)).isEqualTo(1501);
    }

    @Test
    void zeroAndCopyRunOnTheDevice() {
        for (int n : new int[]{100, 200_000}) {
            Storage a = storage(n, 1);
            Storage b = storage(n, 0);
            copy(a, b);
            long uploaded = MEMORY.uploaded();
            Storage never = Storage.allocate(Arena.ofAuto(), DType.F32, n);
            never.copyFrom(b);
            b.zero();
            Storage c = Storage.allocate(Arena.ofAuto(), DType.F32, n);
            copy(b, c);
            assertThat(MEMORY.uploaded()).isEqualTo(uploaded);
            assertThat(never.get(n - 1)).isEqualTo(n);
            assertThat(b.get(n - 1)).isZero();
            assertThat(c.get(n - 1)).isZero();
        }
    }

    @Test
    void weightsOfFewerBitsAreWidened() {
        Storage numbers = storage(64, 1);
        for (DType type : List.of(DType.BF16, DType.F16, DType.Q8_0)) {
            Storage narrow = Storage.allocate(Arena.ofAuto(), type, 64);
            narrow.convertFrom(numbers);
            Storage wide = storage(64, 0);
            copy(narrow, wide);
            for (int i = 0; i < 64; i++) {
                assertThat(wide.get(i)).isEqualTo(narrow.get(i));
            }
        }
    }

    @Test
    void freedMemoryGivesItsPlaceBack() {
        int n = MEMORY.size() / 3;
        Storage b = storage(64, 0);
        for (int round = 0; round < 6; round++) {
            try (Arena arena = Arena.ofConfined()) {
                Storage a = Storage.allocate(arena, DType.F32, n);
                a.set(n - 64, round);
                copy(a.slice(n - 64, 64), b);
            }
            assertThat(b.get(0)).isEqualTo(round);
        }
    }

    @Test
    void wantingMoreThanThereIsSaysSo() {
        try (Arena arena = Arena.ofConfined()) {
            Storage a = Storage.allocate(arena, DType.F32, MEMORY.size());
            assertThatThrownBy(() -> MEMORY.write(a, 1, "a")).isInstanceOf(UnsupportedOperationException.class)
                    .hasMessageContaining("MiB more of device memory").hasMessageContaining("smaller batch");
        }
    }

    @Test
    void moreCallsThanAGraphTakes() {
        Storage a = storage(8, 1);
        Storage b = storage(8, 0);
        for (int i = 0; i < 80; i++) {
            copy(i % 2 == 0 ? a : b, i % 2 == 0 ? b : a);
        }
        assertThat(b.get(7)).isEqualTo(8);
    }

    /** TornadoVM has no way to throw on a device. */
    static void throwing(KernelContext context, FloatArray mem, IntArray ints, FloatArray reals, int i, int r) {
        if (ints.get(i) > context.globalIdx) {
            throw new IllegalStateException();
        }
        mem.set(context.globalIdx, 1);
    }

    @Test
    void aKernelThatDoesNotCompileIsAnError() {
        DeviceMemory memory = new DeviceMemory(TornadoDevices.find().getFirst().device(), 1 << 16, false);
        memory.add(DeviceCall.flat("throwing", DeviceMemoryTest::throwing, 10, new int[]{0}));
        assertThatThrownBy(() -> memory.fetch(0, 1)).isInstanceOf(UnsupportedOperationException.class)
                .hasMessageContaining("the kernels [throwing], found");
    }
}
