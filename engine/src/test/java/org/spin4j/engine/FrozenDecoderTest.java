package org.spin4j.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.spin4j.kernels.DType;

/** A frozen model, its matrices in types of fewer bits, computes bit for bit what its weights widened to F32 compute. */
final class FrozenDecoderTest {
    @TempDir
    private Path dir;

    @ParameterizedTest
    @CsvSource({"LLAMA, BF16", "LLAMA, F16", "GPT_NEO, BF16", "GPT_NEO, F16"})
    void keepsTheTypeOfTheFile(DecoderConfig.Family family, String dtype) {
        Path folder = dir.resolve("narrow");
        try (Decoder model = TinyModels.of(family, DType.F32)) {
            model.save(folder, dtype, null);
        }
        try (Decoder frozen = Decoder.loadFrozen(folder); Decoder wide = Decoder.load(folder)) {
            assertThat(frozen.head().data().type()).isEqualTo(DType.valueOf(dtype));
            assertThat(frozen.parameters().type()).isEqualTo(DType.F32);
            same(frozen, wide);
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "F64")
    void roundsMatricesWhenAskedTo(DType matrices) {
        Path folder = dir.resolve("single");
        try (Decoder model = TinyModels.of(DecoderConfig.Family.LLAMA, DType.F32)) {
            model.save(folder, "F32", null);
        }
        try (Decoder frozen = Decoder.loadFrozen(folder, matrices); Decoder wide = Decoder.load(folder)) {
            for (int i = 0; i < wide.parameters().list().size(); i++) {
                Parameter narrow = frozen.parameters().list().get(i);
                assertThat(narrow.data().type()).isEqualTo(!narrow.decays()
                        ? DType.F32
                        : narrow.cols() % matrices.block() == 0 ? matrices : DType.F16);
                wide.parameters().list().get(i).data().convertFrom(narrow.data());
            }
            same(frozen, wide);
        }
    }

    @Test
    void isNotTrained() {
        Path folder = dir.resolve("m");
        try (Decoder model = TinyModels.of(DecoderConfig.Family.LLAMA, DType.F32)) {
            model.save(folder, "BF16", null);
        }
        try (Decoder frozen = Decoder.loadFrozen(folder)) {
            assertThatThrownBy(() -> frozen.parameters().requireGradients()).isInstanceOf(IllegalStateException.class)
                    .hasMessage("expected weights in one type, found a frozen model; load it for training");
        }
    }

    private static void same(Decoder frozen, Decoder wide) {
        int[] ids = {1, 5, 9, 4, 7, 3, 8};
        assertThat(logits(frozen, ids)).isEqualTo(logits(wide, ids));
        assertThat(logProbs(frozen, ids)).isEqualTo(logProbs(wide, ids));
        List<int[]> prompts = List.of(ids, Arrays.copyOf(ids, 3), Arrays.copyOf(ids, 1));
        Sampling sampling = Sampling.pure(9, Set.of(), 2);
        List<Sample> found = new Generator(frozen, TestKernels.DEFAULT).generate(prompts, sampling, 5, n -> {});
        List<Sample> expected = new Generator(wide, TestKernels.DEFAULT).generate(prompts, sampling, 5, n -> {});
        for (int i = 0; i < prompts.size(); i++) {
            assertThat(found.get(i).ids()).isEqualTo(expected.get(i).ids());
            assertThat(found.get(i).logProbs()).isEqualTo(expected.get(i).logProbs());
        }
    }

    private static float[] logits(Decoder model, int[] ids) {
        try (Workspace w = new Workspace(DType.F32)) {
            Tape tape = Tape.inference(TestKernels.DEFAULT, w);
            Tensor hidden = model.forward(tape, ids, Golden.Batch.of(ids).forest());
            return Linear.apply(tape, hidden, model.head(), null, null).data().toFloats();
        }
    }

    private static float[] logProbs(Decoder model, int[] ids) {
        try (Workspace w = new Workspace(DType.F32)) {
            Tape tape = Tape.inference(TestKernels.DEFAULT, w);
            Golden.Batch batch = Golden.Batch.of(ids);
            Tensor hidden = model.forward(tape, ids, batch.forest());
            return TokenLogProbs.apply(tape, SelectRows.apply(tape, hidden, batch.rows()), model.head(),
                    batch.targets()).logProbs().data().toFloats();
        }
    }
}
