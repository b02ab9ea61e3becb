package org.spin4j.training;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is learnt of a prompt with its response: the response, its end included, and nothing of the prompt. */
class ResponseLossTest {
    private static final String QUESTION = "rate upper abc=ABC";

    @TempDir
    private Path dir;

    private DemoModel made() {
        return DemoModel.make(dir.resolve("tokenizer"), List.of(QUESTION, "Score: 5"),
                new DemoModel.Shape(16, 1, 2, 32, 96), 64);
    }

    @Test
    void ofJudgeDataTheJudgement() {
        DemoModel made = made();
        Examples.Response row = made.example(QUESTION, "Score: 5");
        FlatBatch batch = SftObjective.batch(List.of(made.sequence(QUESTION, "Score: 5")));

        assertThat(batch.targets()).containsExactly(row.response());
        assertThat(made.text().text(batch.targets())).isEqualTo("Score: 5");
        assertThat(made.text().endIds()).contains(batch.targets()[batch.targets().length - 1]);
        // The first token is predicted at the last of the prompt, each other at the one before it.
        assertThat(batch.rows()).containsExactly(
                IntStream.range(0, row.response().length).map(i -> row.prompt().length - 1 + i).toArray());
    }

    @Test
    void ofAPairBothResponses() {
        DemoModel made = made();
        Examples.Response good = made.example("upper abc", "ABC");
        Examples.Response bad = made.example("upper abc", "Abc");
        FlatBatch batch = PairLogProbs
                .batch(List.of(new Examples.Pair(good.prompt(), good.response(), bad.response())));

        assertThat(made.text().text(batch.targets())).isEqualTo("ABCAbc");
        assertThat(batch.targets()).hasSize(good.response().length + bad.response().length);
    }
}
