package org.spin4j.engine;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
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
            assertThat(frozen.head().weight().data().type()).isEqualTo(DType.valueOf(dtype));
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
                for (Parameter.Part part : narrow.parts()) {
                    assertThat(narrow.data(part).type()).isEqualTo(!narrow.decays()
                            ? DType.F32
                            : narrow.cols() % matrices.block() == 0 ? matrices : DType.F16);
                    wide.parameters().data(part.name()).convertFrom(narrow.data(part));
                }
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

    /** Nothing is copied of matrices in the file's type, wherever in the file they begin, in one file or in shards. */
    @ParameterizedTest
    @CsvSource({"F32, 0", "BF16, 1", "F16, 3"})
    void matricesStayInTheFile(String dtype, int odd) throws IOException {
        Path folder = dir.resolve("mapped");
        try (Decoder model = TinyModels.of(DecoderConfig.Family.LLAMA, DType.F32)) {
            model.save(folder, dtype, null);
        }
        shift(folder.resolve("model.safetensors"), odd);
        checkMapped(folder, DType.valueOf(dtype));
    }

    @Test
    void matricesStayInTheirShards() {
        Path folder = dir.resolve("shards");
        try (Decoder model = TinyModels.of(DecoderConfig.Family.LLAMA, DType.F32)) {
            ModelFolder.write(folder, model.config(), "BF16", model.tensors(), null, 5000);
        }
        assertThat(folder.resolve("model.safetensors.index.json")).exists();
        checkMapped(folder, DType.BF16);
    }

    private static void checkMapped(Path folder, DType type) {
        Decoder frozen = Decoder.loadFrozen(folder);
        try (frozen; Decoder wide = Decoder.load(folder)) {
            for (Parameter p : frozen.parameters().list()) {
                for (Parameter.Part part : p.parts()) {
                    assertThat(p.data(part).segment().isReadOnly()).isEqualTo(p.decays());
                    assertThat(p.data(part).type()).isEqualTo(p.decays() ? type : DType.F32);
                }
            }
            same(frozen, wide);
            assertThatThrownBy(() -> frozen.restore(folder)).isInstanceOf(IllegalStateException.class);
        }
        assertThat(frozen.head().weight().data().segment().scope().isAlive()).isFalse();
    }

    /** Adds so many spaces to the header, which moves all tensors. */
    private static void shift(Path file, int spaces) throws IOException {
        byte[] old = Files.readAllBytes(file);
        int header = 8 + (int) ByteBuffer.wrap(old).order(ByteOrder.LITTLE_ENDIAN).getLong();
        ByteBuffer moved = ByteBuffer.allocate(old.length + spaces).order(ByteOrder.LITTLE_ENDIAN)
                .putLong(header - 8 + spaces).put(old, 8, header - 8).put(" ".repeat(spaces).getBytes(UTF_8))
                .put(old, header, old.length - header);
        Files.write(file, moved.array());
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
            return model.head().logits(tape, hidden).data().toFloats();
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
