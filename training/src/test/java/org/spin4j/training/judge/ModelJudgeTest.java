package org.spin4j.training.judge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.spin4j.engine.Decoder;
import org.spin4j.engine.DecoderConfig;
import org.spin4j.engine.Generator;
import org.spin4j.engine.Sample;
import org.spin4j.engine.Sampling;
import org.spin4j.kernels.Backends;
import org.spin4j.kernels.DType;
import org.spin4j.tokenizer.BpeTrainer;
import org.spin4j.tokenizer.Message;
import org.spin4j.tokenizer.Tokenizer;
import org.spin4j.training.Interrupt;
import org.spin4j.training.ModelText;
import org.spin4j.training.Row;
import org.spin4j.training.TextData;

/** A model with random weights as judge: what it says means nothing, how it is asked does. */
class ModelJudgeTest {
    private static final JudgeQuestions QUESTIONS = new JudgeQuestions(
            JudgePrompt.of("judge {{ prompt }} {{ response }}", "a test"), ScorePattern.ADDITIVE,
            PairPrompt.of("{{ prompt }} {{ response_a }} {{ response_b }}", "a test"));

    @TempDir
    private Path dir;
    private Decoder model;
    private TextData text;
    private Sampling sampling;

    @BeforeEach
    void makeModel() {
        Tokenizer tokenizer = BpeTrainer.train(List.of("judge one two three four", "user assistant Score: 0 1 2 3 4 5"),
                new BpeTrainer.Config(290, 1, List.of("<|im_start|>", "<|im_end|>")))
                .withSpecial(null, "<|im_end|>", "<|im_end|>");
        tokenizer.saveFolder(dir, Optional.empty());
        DecoderConfig config = DecoderConfig.llama(tokenizer.vocabSize(), 16, 2, 2, 1, 32, 64, true)
                .withTokens(OptionalInt.empty(), List.of(tokenizer.eosId().orElseThrow()), OptionalInt.empty());
        model = Decoder.random(config, DType.F32, 3);
        text = TextData.open(ModelText.of(dir, Optional.empty(), Optional.of("chatml")), config, Integer.MAX_VALUE,
                Integer.MAX_VALUE);
        sampling = Sampling.pure(8, Set.copyOf(text.endIds()), 16);
    }

    @AfterEach
    void letGo() {
        model.close();
    }

    private static Judge.Answer answer(long number, String prompt, String response) {
        return new Judge.Answer(number, List.of(new Message("user", prompt)), response);
    }

    private ModelJudge judge(int threads, int streams) {
        Sampling other = new Sampling(8, 0, 1, 0, 1, 0, 1, sampling.stopIds(), 1, streams);
        return new ModelJudge(model, Backends.choose("auto", threads), text, other, QUESTIONS);
    }

    @Test
    void isAskedThroughTheTemplateWithOneStreamForEachJudgement() {
        List<Assessment> found = judge(1, 16).judge(List.of(answer(5, "one", "two"), answer(3, "three", "four")), 3, 11,
                n -> {});
        assertThat(found).hasSize(2).allSatisfy(a -> assertThat(a.judgements()).hasSize(3));
        int[] prompt = text.prompt(new Row.Chat(List.of(new Message("user", "judge one two"))));
        List<Sample> expected = new ArrayList<>();
        new Generator(model, Backends.choose("auto", 1)).generate(
                List.of(new Generator.Request(5, prompt)).iterator(), sampling.withCandidates(3), 11,
                (request, samples) -> expected.addAll(samples));
        assertThat(found.getFirst().judgements()).extracting(Assessment.Judgement::text)
                .isEqualTo(expected.stream().map(s -> text.text(s.ids()).stripLeading()).toList());
        assertThat(found.getFirst().judgements()).extracting(Assessment.Judgement::score)
                .isEqualTo(expected.stream().map(s -> s.finish() == Sample.Finish.LENGTH
                        ? Score.Unusable.CUT
                        : Score.Unusable.MISSING).toList());
    }

    @Test
    void theSameForAnyNumberOfThreadsStreamsAndBatches() {
        List<Judge.Answer> answers = new ArrayList<>();
        for (int i = 0; i < 9; i++) {
            answers.add(answer(i, "one two".repeat(i % 3 + 1), "three " + i));
        }
        List<Assessment> found = judge(1, 16).judge(answers, 2, 7, n -> {});
        assertThat(judge(2, 3).judge(answers, 2, 7, n -> {})).isEqualTo(found);
        List<Assessment> parts = new ArrayList<>(judge(2, 4).judge(answers.subList(0, 4), 2, 7, n -> {}));
        parts.addAll(judge(2, 4).judge(answers.subList(4, 9), 2, 7, n -> {}));
        assertThat(parts).isEqualTo(found);
        assertThat(judge(1, 16).judge(answers, 2, 8, n -> {})).isNotEqualTo(found);
    }

    @Test
    void whatItCannotReadIsNotJudged() {
        List<Integer> done = new ArrayList<>();
        List<Assessment> found = judge(1, 16).judge(
                List.of(answer(0, "one", "two"), answer(1, "one", "four ".repeat(80)), answer(2, "two", "one")), 2, 1,
                done::add);
        assertThat(found.get(1).judgements()).hasSize(2)
                .containsOnly(new Assessment.Judgement("", Score.Unusable.TOO_LONG));
        assertThat(found.get(0))
                .isEqualTo(judge(1, 16).judge(List.of(answer(0, "one", "two")), 2, 1, n -> {}).getFirst());
        assertThat(done.getLast()).isEqualTo(3);
        assertThat(judge(1, 16).judge(List.of(answer(1, "one", "four ".repeat(80))), 2, 1, n -> {})).hasSize(1);
        assertThat(judge(1, 16).judge(List.of(), 2, 1, n -> {})).isEmpty();
    }

    @Test
    void canBeStopped() {
        assertThatThrownBy(
                () -> judge(1, 2).judge(List.of(answer(0, "one", "two"), answer(1, "one", "two")), 2, 1, n -> {
                    throw new Interrupt.Stopped("enough");
                })).isInstanceOf(Interrupt.Stopped.class);
    }

    @Test
    void comparesPairs() {
        PairJudge.Duel duel = new PairJudge.Duel(0, List.of(new Message("user", "one")), "two", "three");
        assertThat(judge(1, 4).compare(List.of(duel), 1, n -> {})).hasSize(1)
                .isEqualTo(judge(2, 2).compare(List.of(duel), 1, n -> {}));
    }
}
