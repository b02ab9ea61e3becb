package org.spin4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VectorTransposeTest {
    private static final int LANES = VectorMemory.LANES;

    @Test
    void aSquareKeepsEveryBit() {
        int fromRow = LANES + 3;
        int toRow = LANES + 5;
        MemorySegment from = ints(LANES * fromRow);
        MemorySegment to = ints(LANES * toRow);
        VectorTranspose.square(from.address(), fromRow * 4L, to.address(), toRow * 4L);
        VectorTranspose.square(from.address(), fromRow * 4L, from.address(), fromRow * 4L);
        for (int i = 0; i < LANES; i++) {
            for (int j = 0; j < LANES; j++) {
                // Numbers from 0x7f800001 on are signalling NaNs, which arithmetic would change.
                int expected = 0x7f800001 + j * fromRow + i;
                assertThat(to.getAtIndex(ValueLayout.JAVA_INT, i * toRow + j)).isEqualTo(expected);
                assertThat(from.getAtIndex(ValueLayout.JAVA_INT, i * fromRow + j)).isEqualTo(expected);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"1,1", "2,5", "16,16", "17,20", "32,48", "31,64", "5,33"})
    void columnsAndBackAgain(int rows, int n) {
        int vectors = Math.ceilDiv(rows, LANES);
        int width = vectors * LANES;
        MemorySegment from = ints(rows * n);
        MemorySegment columns = ints(VectorMemory.roundUp(n, LANES) * width);
        MemorySegment again = ints(rows * n);
        again.fill((byte) 0);
        long square = ints(VectorTranspose.SQUARE).address();
        VectorTranspose.toColumns(rows, n, from.address(), n * 4L, vectors, columns.address(), width * 4L, square);
        for (int i = 0; i < width; i++) {
            for (int j = 0; j < n; j++) {
                assertThat(columns.getAtIndex(ValueLayout.JAVA_INT, j * width + i))
                        .isEqualTo(i < rows ? 0x7f800001 + i * n + j : 0);
            }
        }
        VectorTranspose.toRows(rows, n, columns.address(), width * 4L, vectors, again.address(), n * 4L, square);
        assertThat(again.mismatch(from)).isEqualTo(-1);
    }

    private static MemorySegment ints(int count) {
        MemorySegment s = Arena.ofAuto().allocate(count * 4L, 64);
        for (int i = 0; i < count; i++) {
            s.setAtIndex(ValueLayout.JAVA_INT, i, 0x7f800001 + i);
        }
        return s;
    }
}
