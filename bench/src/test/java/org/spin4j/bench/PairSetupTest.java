package org.spin4j.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.spin4j.bench.PairSetup.Pair;
import org.spin4j.bench.PairSetup.Rectangle;
import org.spin4j.bench.PairSetup.Trees;

class PairSetupTest {
    private static final PairSetup TINY = new PairSetup(new TrainSetup(16, 2, 2, 20, 32, 1, 1), 3, 5, 2, 6);

    @Test
    void responsesHaveLengthsWithinTheLimits() {
        for (int i = 0; i < TINY.pairs(); i++) {
            Pair pair = TINY.pair(i);
            assertThat(pair.prompt()).hasSize(5);
            assertThat(pair.chosen().length).isBetween(2, 6);
            assertThat(pair.rejected().length).isBetween(2, 6);
        }
        assertThat(TINY.pair(1).prompt()).isEqualTo(TINY.pair(1).prompt()).isNotEqualTo(TINY.pair(2).prompt());
    }

    @Test
    void targetsOfTreesFollowTheRowsThatPredictThem() {
        Trees trees = TINY.trees();
        assertThat(trees.forest().trees()).isEqualTo(3);
        assertThat(trees.ids()).hasSize(trees.forest().tokens());
        int at = 0;
        for (int s = 0; s < trees.forest().segments(); s++) {
            if (s % 3 != 0) {
                int promptEnd = trees.forest().start(trees.forest().parent(s)) + TINY.prompt() - 1;
                for (int i = 0; i < trees.forest().length(s); i++) {
                    int token = trees.forest().start(s) + i;
                    assertThat(trees.targets()[at]).isEqualTo(trees.ids()[token]);
                    assertThat(trees.rows()[at++]).isEqualTo(i == 0 ? promptEnd : token - 1);
                }
            }
        }
        assertThat(at).isEqualTo(trees.targets().length).isEqualTo(trees.rows().length);
    }

    @Test
    void rectangleHoldsTheSameResponsesAndOnlyThose() {
        Rectangle rectangle = TINY.rectangle();
        int marked = 0;
        for (int row = 0; row < rectangle.rows(); row++) {
            Pair pair = TINY.pair(row % TINY.pairs());
            int[] response = row < TINY.pairs() ? pair.chosen() : pair.rejected();
            assertThat(rectangle.used()[row]).isEqualTo(TINY.prompt() + response.length - 1);
            for (int i = 0; i < rectangle.length(); i++) {
                int at = row * rectangle.length() + i;
                int inResponse = i - (TINY.prompt() - 1);
                boolean responds = inResponse >= 0 && inResponse < response.length;
                assertThat(rectangle.responses()[at]).isEqualTo(responds ? 1 : 0);
                if (responds) {
                    assertThat(rectangle.targets()[at]).isEqualTo(response[inResponse]);
                    marked++;
                }
            }
        }
        assertThat(marked).isEqualTo(TINY.trees().targets().length);
    }
}
