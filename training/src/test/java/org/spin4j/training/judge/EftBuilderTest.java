package org.spin4j.training.judge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.spin4j.training.judge.PreferencePairsTest.scores;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.spin4j.tokenizer.Message;
import org.spin4j.training.BadInputException;

class EftBuilderTest {
    private static final JudgePrompt PROMPT = JudgePrompt.of("{{ prompt }} -> {{ response }}", "a test");

    @TempDir
    private Path folder;

    private static RankedPrompt ranked(String prompt, double... ranks) {
        return new RankedPrompt(List.of(new Message("user", prompt)),
                IntStream.range(0, ranks.length).mapToObj(i -> "r" + i).toList(),
                IntStream.range(0, ranks.length).mapToObj(i -> ranks[i]).toList());
    }

    private static EftBuilder.Result build(List<RankedPrompt> ranked, List<List<Assessment>> judged) {
        return EftBuilder.build(PROMPT, ranked, judged, 1);
    }

    @Test
    void theFirstJudgementThatOrdersAsPeopleDid() {
        EftBuilder.Result result = build(List.of(ranked("p", 2, 1, 3)),
                List.of(List.of(scores(1, 3, 4), scores(5, 3, 5), scores(2, 1, 1))));
        assertThat(result.examples()).containsExactly(new EftBuilder.Example("p -> r0", "Score: 4", 4),
                new EftBuilder.Example("p -> r1", "Score: 5", 5), new EftBuilder.Example("p -> r2", "Score: 1", 1));
        assertThat(result.agreeing()).isEqualTo(1);
        assertThat(result.examples().getFirst().json())
                .hasToString("{\"messages\":[{\"role\":\"user\",\"content\":\"p -> r0\"},"
                        + "{\"role\":\"assistant\",\"content\":\"Score: 4\"}]}");
    }

    @Test
    void equalScoresDoNotAgreeAndEqualRanksAskForNothing() {
        assertThat(build(List.of(ranked("p", 1, 2)), List.of(List.of(scores(3), scores(3)))).examples()).isEmpty();
        assertThat(build(List.of(ranked("p", 1, 2)), List.of(List.of(scores(2), scores(3)))).examples()).isEmpty();
        assertThat(build(List.of(ranked("p", 1, 2, 2)), List.of(List.of(scores(3), scores(1), scores(0)))).examples())
                .hasSize(3);
        assertThat(build(List.of(ranked("p", 1, 2, 2)), List.of(List.of(scores(3), scores(1), scores(3)))).examples())
                .isEmpty();
    }

    @Test
    void judgementsWithoutAScoreAreNotCompared() {
        EftBuilder.Result result = build(List.of(ranked("p", 1, 2), ranked("q", 1, 2)),
                List.of(List.of(scores(5, 4), scores(null, 1)), List.of(scores(5, null), scores(null, 1))));
        assertThat(result.examples()).extracting(EftBuilder.Example::points).containsExactly(4.0, 1.0);
        assertThat(List.of(result.prompts(), result.agreeing(), result.unusable())).containsExactly(2, 1, 1);
    }

    @Test
    void theCommonestScoreIsThinnedToTheSecond() {
        List<RankedPrompt> ranked = IntStream.range(0, 20).mapToObj(i -> ranked("p" + i, 1, 2)).toList();
        List<List<Assessment>> judged = IntStream.range(0, 20)
                .mapToObj(i -> List.of(scores(4), scores(i < 6 ? 1 : i < 11 ? 2 : i < 15 ? 3 : 0))).toList();
        EftBuilder.Result result = build(ranked, judged);
        assertThat(result.histogram()).isEqualTo(Map.of(0.0, 5, 1.0, 6, 2.0, 5, 3.0, 4, 4.0, 6));
        assertThat(result.thinned()).isEqualTo(14);
        assertThat(build(ranked, judged)).isEqualTo(result);
        assertThat(EftBuilder.build(PROMPT, ranked, judged, 2).examples()).hasSize(26).isNotEqualTo(result.examples());
    }

    @Test
    void nothingIsHeldOutAndTrainedOnAtOnce() {
        List<RankedPrompt> ranked = IntStream.range(0, 40).mapToObj(i -> ranked("p" + i % 20, 1, 2)).toList();
        EftBuilder.Split split = EftBuilder.split(ranked, 0.25, 3);
        assertThat(split.heldOut()).hasSize(10);
        assertThat(split.train()).hasSize(30).doesNotContainAnyElementsOf(split.heldOut());
        assertThat(EftBuilder.split(ranked, 0.25, 3)).isEqualTo(split);
        assertThat(EftBuilder.split(ranked, 0.25, 4)).isNotEqualTo(split);
        assertThat(EftBuilder.split(ranked, 0, 3).heldOut()).isEmpty();
        assertThatThrownBy(() -> EftBuilder.split(ranked, 1.5, 3)).hasMessageContaining("found 1.5");
    }

    @Test
    void rankedPromptsFromAFile() throws IOException {
        assertThat(read("{'prompt':'p','responses':['r0','r1'],'ranks':[2,1.5]}")).containsExactly(ranked("p", 2, 1.5));
        assertThat(read("{'messages':[{'role':'user','content':'p'}],'responses':['r0','r1'],'ranks':[2,1]}"))
                .containsExactly(ranked("p", 2, 1));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
            "{'prompt':'p','responses':['a'],'ranks':[1]}|found 1 and 1",
            "{'prompt':'p','responses':['a','b'],'ranks':[1]}|found 2 and 1", "{'prompt':'p'}|found 0 and 0",
            "{'prompt':'p','responses':['a',2],'ranks':[1,2]}|texts in responses, found 2",
            "{'prompt':'p','responses':['a','b'],'ranks':[1,'x']}|numbers in ranks, found \"x\"",
            "{'prompt':'p','responses':['a','b'],'ranks':[1,1e999]}|numbers in ranks",
            "{'prompt_ids':[1],'responses':['a','b'],'ranks':[1,2]}|found token ids",
            "{'responses':['a','b'],'ranks':[1,2]}|expected a row with"})
    void rowsThatCannotBeUsed(String row, String message) {
        assertThatThrownBy(() -> read(row)).isInstanceOf(BadInputException.class).hasMessageStartingWith("expected ")
                .hasMessageContaining(message).hasMessageContaining("rows.jsonl:1").hasMessageNotContaining("\n");
    }

    private List<RankedPrompt> read(String row) throws IOException {
        return RankedPrompt.read(Files.writeString(folder.resolve("rows.jsonl"), row.replace('\'', '"')));
    }
}
