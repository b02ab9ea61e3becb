package org.spin4j.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RandomStreamTest {
    /** Pinned, so that a change of the numbers, which would change every run, is noticed. */
    @Test
    void isTheSameOnEveryMachine() {
        RandomStream stream = RandomStream.of(42, "shuffle", 0);
        assertThat(new long[]{stream.nextLong(), stream.nextLong()}).containsExactly(8827576864856709152L,
                8291467834567863034L);
    }

    @Test
    void differsBySeedPurposeAndIndex() {
        long[] first = {RandomStream.of(1, "a", 0).nextLong(), RandomStream.of(2, "a", 0).nextLong(),
                RandomStream.of(1, "b", 0).nextLong(), RandomStream.of(1, "a", 1).nextLong(),
                RandomStream.of(1, "", 0).nextLong(), RandomStream.of(1, "aa", 0).nextLong()};
        assertThat(Arrays.stream(first).distinct().count()).isEqualTo(first.length);
    }

    @Test
    void isUniform() {
        RandomStream stream = RandomStream.of(7, "uniform", 3);
        int[] counts = new int[16];
        for (int i = 0; i < 160_000; i++) {
            counts[stream.nextInt(16)]++;
        }
        // Each count has mean 10,000 and standard deviation 97; six of them never happen by chance.
        assertThat(Arrays.stream(counts).boxed()).allSatisfy(c -> assertThat(c).isBetween(9_400, 10_600));
    }

    @Test
    void permutationHoldsEveryNumberOnce() {
        int[] order = RandomStream.of(7, "permutation", 0).permutation(100);
        assertThat(order).isNotEqualTo(IntStream.range(0, 100).toArray());
        assertThat(Arrays.stream(order).sorted().toArray()).isEqualTo(IntStream.range(0, 100).toArray());
    }
}
