package org.spin4j.kernels.tornado;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.BitSet;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** Against a set of bits. */
class RangesTest {
    @Property(tries = 200)
    void isTheSetThatItStandsFor(@ForAll long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        Ranges ranges = new Ranges();
        BitSet bits = new BitSet();
        for (int step = 0; step < 60; step++) {
            int from = random.nextInt(100);
            int count = random.nextInt(30);
            if (random.nextBoolean()) {
                ranges.add(from, count);
                bits.set(from, from + count);
            } else {
                ranges.remove(from, count);
                bits.clear(from, from + count);
            }
            int at = random.nextInt(100);
            int n = 1 + random.nextInt(40);
            BitSet expected = bits.get(at, at + n);
            BitSet found = new BitSet();
            long last = -1;
            for (Ranges.Range r : ranges.intersection(at, n)) {
                assertThat(r.from()).isGreaterThan(last);
                last = r.from() + r.count();
                found.set((int) r.from() - at, (int) last - at);
            }
            assertThat(found).isEqualTo(expected);
            assertThat(ranges.intersects(at, n)).isEqualTo(!expected.isEmpty());
        }
    }
}
