package org.spin4j.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Storage;

class GeneratorTest {
    private static List<int[]> prompts(int n, int vocab) {
        SplittableRandom r = new SplittableRandom(3);
        List<int[]> prompts = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            prompts.add(r.ints(1 + i % 9, 0, vocab).toArray());
        }
        return prompts;
    }

    private static final Sampling SAMPLING = Sampling.pure(12, Set.of(2, 3), 1);

    private static Sampling streams(int n) {
        return Sampling.pure(12, Set.of(2, 3), n);
    }

    @ParameterizedTest
    @EnumSource(DecoderConfig.Family.class)
    void aSampleDoesNotDependOnTheNumberOfStreams(DecoderConfig.Family family) {
        try (Decoder model = TinyModels.of(family, DType.F32)) {
            List<int[]> prompts = prompts(17, model.config().vocabSize());
            Generator g = new Generator(model, TestKernels.DEFAULT);
            List<Sample> single = g.generate(prompts, SAMPLING, 9, n -> {});
            for (int streams : new int[]{2, 5, 17, 64}) {
                List<Sample> batch = g.generate(prompts, streams(streams), 9, n -> {});
                for (int i = 0; i < prompts.size(); i++) {
                    assertThat(batch.get(i).ids()).as("sample " + i + " of " + streams)
                            .containsExactly(single.get(i).ids());
                    assertThat(batch.get(i).logProbs()).containsExactly(single.get(i).logProbs());
                }
            }
            assertThat(single.stream().map(Sample::finish).distinct()).as("some end, some are cut").hasSize(2);
        }
    }

    @ParameterizedTest
    @EnumSource(DecoderConfig.Family.class)
    void cachedLogProbsEqualUncachedOnes(DecoderConfig.Family family) {
        try (Decoder model = TinyModels.of(family, DType.F32); Workspace w = new Workspace(DType.F32)) {
            List<int[]> prompts = prompts(6, model.config().vocabSize());
            List<Sample> samples = new Generator(model, TestKernels.DEFAULT).generate(prompts, streams(4), 1, n -> {});
            for (int i = 0; i < prompts.size(); i++) {
                int[] prompt = prompts.get(i);
                int[] ids = samples.get(i).ids();
                int[] whole = Arrays.copyOf(prompt, prompt.length + ids.length);
                System.arraycopy(ids, 0, whole, prompt.length, ids.length);
                Golden.Batch batch = Golden.Batch.of(whole);
                Tape tape = Tape.inference(TestKernels.DEFAULT, w);
                Tensor hidden = model.forward(tape, batch.ids(), batch.forest());
                Storage logProbs = TokenLogProbs.apply(tape, SelectRows.apply(tape, hidden, batch.rows()), model.head(),
                        batch.targets()).logProbs().data();
                for (int t = 0; t < ids.length; t++) {
                    assertThat(samples.get(i).logProbs()[t]).isCloseTo(logProbs.get(prompt.length - 1 + t),
                            within(1e-4));
                }
            }
        }
    }

    @Test
    void endsAtTheLastPosition() {
        try (Decoder model = TinyModels.of(DecoderConfig.Family.LLAMA, DType.F32)) {
            int limit = model.config().maxPositions();
            Sample s = new Generator(model, TestKernels.DEFAULT)
                    .generate(List.of(new int[limit - 3]), Sampling.pure(50, Set.of(), 1), 1, n -> {}).getFirst();
            assertThat(s.ids()).hasSize(3);
            assertThat(s.finish()).isEqualTo(Sample.Finish.LENGTH);
            assertThatThrownBy(() -> new Generator(model, TestKernels.DEFAULT).generate(List.of(new int[limit]),
                    Sampling.pure(1, Set.of(), 1), 1, n -> {})).isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("max_prompt_length");
        }
    }
}
