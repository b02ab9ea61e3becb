package org.spin4j.kernels.tornado;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

class PlacesTest {
    private record Taken(int at, int count) {}

    @Property(tries = 100)
    void placesNeverOverlapAndAllComesBack(@ForAll long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        Places places = new Places(5000);
        List<Taken> all = new ArrayList<>();
        for (int step = 0; step < 100; step++) {
            int count = 1 + random.nextInt(700);
            boolean used = places.hasUsed(count);
            int at = places.take(count);
            if (at == Places.NONE) {
                assertThat(used).isFalse();
                Taken some = all.remove(random.nextInt(all.size()));
                places.give(some.at, some.count);
                continue;
            }
            assertThat(at % 64).isZero();
            assertThat(at).isBetween(64, 5000 - count);
            for (Taken other : all) {
                assertThat(at + count <= other.at || other.at + other.count <= at).isTrue();
            }
            all.add(new Taken(at, count));
        }
        all.forEach(t -> places.give(t.at, t.count));
        assertThat(places.taken()).isZero();
        assertThat(places.take(5000 - 64 - 8)).isEqualTo(64);
    }
}
