package org.spin4j.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.spin4j.kernels.Backends;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Kernels;
import org.spin4j.kernels.Storage;

/** A sample is the same bit for bit, ids and log-probabilities, whatever is computed beside it and however. */
class GeneratorTest {
    @TempDir
    private Path dir;

    /** The models, of every style and storage type. */
    private enum Style {
        LLAMA, GPT_NEO, GROUPED, GROUPED_BF16, GROUPED_Q8_0
    }

    private static final Set<Integer> STOP = Set.of(2, 3);
    private static final Sampling PURE = Sampling.pure(12, STOP, 1);
    private static final List<Sampling> SAMPLINGS = List.of(PURE, Sampling.greedy(12, STOP, 1),
            PURE.with(0.8, 20, 0.9).with(0.02, 1.3), Sampling.greedy(12, STOP, 1).with(0, 1.5));

    private Decoder model(Style style) {
        return switch (style) {
            case LLAMA -> TinyModels.of(DecoderConfig.Family.LLAMA, DType.F32);
            case GPT_NEO -> TinyModels.of(DecoderConfig.Family.GPT_NEO, DType.F32);
            case GROUPED -> grouped();
            case GROUPED_BF16 -> frozen(DType.BF16);
            case GROUPED_Q8_0 -> frozen(DType.Q8_0);
        };
    }

    private static Decoder grouped() {
        return Decoder.random(DecoderConfig.llama(96, 64, 2, 4, 2, 96, 1500, true), DType.F32, 5);
    }

    private Decoder frozen(DType matrices) {
        try (Decoder wide = grouped()) {
            wide.save(dir.resolve("model"), "F32", null);
        }
        return Decoder.loadFrozen(dir.resolve("model"), matrices);
    }

    /** Prompts of very different lengths: of one token, of several pages, longer than what one pass reads. */
    private static List<int[]> prompts(Decoder model) {
        SplittableRandom r = new SplittableRandom(3);
        int most = model.config().maxPositions() - 20;
        return Stream.of(4, 1, 600, 2, 64, 7, 130, 3, 63, 20).map(n -> Math.min(n, most))
                .map(n -> r.ints(n, 0, model.config().vocabSize()).toArray()).toList();
    }

    private static Sampling streams(Sampling s, int streams) {
        return new Sampling(s.maxNewTokens(), s.maxLength(), s.temperature(), s.topK(), s.topP(), s.minP(),
                s.repetitionPenalty(), s.stopIds(), s.candidates(), streams);
    }

    private static Sampling shorter(Sampling s) {
        return new Sampling(4, s.maxLength(), s.temperature(), s.topK(), s.topP(), s.minP(), s.repetitionPenalty(),
                s.stopIds(), s.candidates(), s.streams());
    }

    private static void same(List<Sample> found, List<Sample> expected, String what) {
        assertThat(found).hasSameSizeAs(expected);
        for (int i = 0; i < expected.size(); i++) {
            assertThat(found.get(i).ids()).as("sample %d, %s", i, what).isEqualTo(expected.get(i).ids());
            assertThat(found.get(i).logProbs()).as("sample %d, %s", i, what).isEqualTo(expected.get(i).logProbs());
            assertThat(found.get(i).finish()).isEqualTo(expected.get(i).finish());
        }
    }

    @ParameterizedTest
    @EnumSource
    void aSampleDependsOnItsPromptAlone(Style style) {
        Kernels one = Backends.choose("vector!", 1);
        try (Decoder model = model(style)) {
            List<int[]> prompts = prompts(model);
            Generator generator = new Generator(model, TestKernels.DEFAULT);
            for (Sampling sampling : SAMPLINGS) {
                List<Sample> single = generator.generate(prompts, sampling, 9, n -> {});
                for (int streams : new int[]{3, 64}) {
                    same(generator.generate(prompts, streams(sampling, streams), 9, n -> {}), single,
                            streams + " streams");
                }
                same(new Generator(model, one).generate(prompts, streams(sampling, 4), 9, n -> {}), single,
                        "one thread");
                uncached(model, prompts, single, sampling);
            }
        }
    }

    /** Each token's log-probability, and the greedy choice, from a pass over the whole sequence without a cache. */
    private static void uncached(Decoder model, List<int[]> prompts, List<Sample> samples, Sampling sampling) {
        try (Workspace w = new Workspace(DType.F32)) {
            for (int i = 0; i < prompts.size(); i++) {
                int[] ids = samples.get(i).ids();
                int start = prompts.get(i).length - 1;
                int[] whole = Arrays.copyOf(prompts.get(i), start + ids.length);
                System.arraycopy(ids, 0, whole, start + 1, ids.length - 1);
                Tape tape = Tape.inference(TestKernels.DEFAULT, w);
                Tensor hidden = model.forward(tape, whole, Golden.Batch.of(whole).forest());
                Tensor logits = model.head().logits(tape, hidden);
                int vocab = logits.cols();
                double[] logProbs = new double[ids.length];
                for (int t = 0; t < ids.length; t++) {
                    Storage row = logits.data().slice((long) (start + t) * vocab, vocab);
                    logProbs[t] = row.get(ids[t]);
                    if (sampling.equals(SAMPLINGS.get(1))) {
                        assertThat(ids[t]).isEqualTo(TestKernels.argmax(row));
                    }
                }
                Storage logSumExp = tape.scratch(hidden.rows());
                TestKernels.DEFAULT.softmaxRows(hidden.rows(), vocab, 1, logits.data(), logSumExp);
                for (int t = 0; t < ids.length; t++) {
                    logProbs[t] -= logSumExp.get(start + t);
                }
                assertThat(samples.get(i).logProbs()).as("sample " + i).isEqualTo(logProbs);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void candidatesShareTheirPrompt(Style style) {
        try (Decoder model = model(style)) {
            List<int[]> prompts = prompts(model);
            Generator generator = new Generator(model, TestKernels.DEFAULT);
            List<int[]> repeated = new ArrayList<>();
            prompts.forEach(prompt -> repeated.addAll(List.of(prompt, prompt, prompt)));
            for (Sampling sampling : SAMPLINGS.subList(2, 3)) {
                List<Sample> apart = generator.generate(repeated, streams(sampling, 5), 9, n -> {});
                for (int streams : new int[]{1, 7}) {
                    same(generator.generate(prompts, streams(sampling.withCandidates(3), streams), 9, n -> {}), apart,
                            "candidates, " + streams + " streams");
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void aConversationComputesOnlyWhatIsNew(Style style) {
        try (Decoder model = model(style)) {
            int longest = Math.min(model.config().maxPositions() - 22, 600);
            int[] all = new SplittableRandom(4).ints(longest, 0, model.config().vocabSize()).toArray();
            for (Sampling twelve : SAMPLINGS.subList(1, 3)) {
                Sampling sampling = shorter(twelve);
                try (Conversation conversation = new Conversation(model, TestKernels.DEFAULT)) {
                    int[] prompt = all;
                    for (int turn = 0; turn < 3; turn++) {
                        Sample answer = conversation.answer(prompt, sampling, turn, id -> false);
                        same(List.of(answer), fresh(model, prompt, sampling, turn), "turn " + turn);
                        // The last token of the answer was never fed back.
                        assertThat(conversation.read()).isEqualTo(turn == 0 ? prompt.length : 3);
                        int end = prompt.length;
                        prompt = Arrays.copyOf(prompt, end + answer.ids().length + 2);
                        System.arraycopy(answer.ids(), 0, prompt, end, answer.ids().length);
                    }
                    conversation.answer(Arrays.copyOf(all, 8), sampling, 0, id -> false);
                    assertThat(conversation.read()).as("one token of a known prompt").isEqualTo(1);
                    int[] other = Arrays.copyOf(all, 10);
                    other[5] = (other[5] + 1) % model.config().vocabSize();
                    same(List.of(conversation.answer(other, sampling, 3, id -> false)),
                            fresh(model, other, sampling, 3), "after a change");
                    assertThat(conversation.read()).isEqualTo(5);
                }
            }
        }
    }

    private static List<Sample> fresh(Decoder model, int[] prompt, Sampling sampling, long seed) {
        return new Generator(model, TestKernels.DEFAULT).generate(List.of(prompt), sampling, seed, n -> {});
    }

    @Test
    void endsAtTheLastPositionAtTheLongestLengthAndWhereAskedTo() {
        try (Decoder model = TinyModels.of(DecoderConfig.Family.LLAMA, DType.F32)) {
            int limit = model.config().maxPositions();
            Generator generator = new Generator(model, TestKernels.DEFAULT);
            Sampling free = Sampling.pure(50, Set.of(), 1);
            Sample s = generator.generate(List.of(new int[limit - 3]), free, 1, n -> {}).getFirst();
            assertThat(s.ids()).hasSize(3);
            assertThat(s.finish()).isEqualTo(Sample.Finish.LENGTH);
            Sample shorter = generator.generate(List.of(new int[5]), free.withMaxLength(9), 1, n -> {}).getFirst();
            assertThat(shorter.ids()).hasSize(4);
            assertThat(shorter.finish()).isEqualTo(Sample.Finish.LENGTH);
            assertThatThrownBy(() -> generator.generate(List.of(new int[limit]), free, 1, n -> {}))
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("max_prompt_length");
            List<Sample> ended = new ArrayList<>();
            generator.generate(List.of(new Generator.Request(7, new int[]{1, 2})).iterator(), free, 1,
                    new Generator.Listener() {
                        @Override
                        public java.util.function.IntPredicate begins(Generator.Request request, int candidate) {
                            int[] left = {4};
                            return id -> --left[0] == 0;
                        }

                        @Override
                        public void finished(Generator.Request request, List<Sample> samples) {
                            ended.addAll(samples);
                        }
                    });
            assertThat(ended.getFirst().ids()).hasSize(4);
            assertThat(ended.getFirst().finish()).isEqualTo(Sample.Finish.STOP);
        }
    }
}
