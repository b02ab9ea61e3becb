package org.spin4j.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Storage;

/** Files of llama2.c; stories260K in GgufTest. */
class Llama2cCheckpointTest {
    private static final int[] SIZES = {4, 3, 2, 1, 1, 5, 6};

    @TempDir
    Path dir;

    /** Both versions of one untied model: numbers count up in the order of the file. */
    @Test
    void versionsDifferInTheOrderOfTensors() throws IOException {
        try (Checkpoint legacy = Checkpoint.open(write(legacy(true, 20 + 8 + 128 + 8 + 72 + 4 + 24 + 20)));
                Checkpoint one = Checkpoint.open(write(version1(false, 8 + 8 + 4 + 20 + 128 + 72 + 20)))) {
            assertThat(legacy.config().tiedHead()).isFalse();
            assertThat(legacy.names()).containsExactlyInAnyOrderElementsOf(one.names());
            assertThat(first(legacy, "model.embed_tokens.weight", 20)).isEqualTo(0);
            assertThat(first(legacy, "model.layers.1.input_layernorm.weight", 4)).isEqualTo(24);
            assertThat(first(legacy, "model.layers.0.mlp.down_proj.weight", 12)).isEqualTo(188);
            assertThat(first(legacy, "model.layers.0.mlp.up_proj.weight", 12)).isEqualTo(212);
            assertThat(first(legacy, "lm_head.weight", 20)).isEqualTo(264);
            assertThat(first(one, "model.layers.0.input_layernorm.weight", 4)).isEqualTo(0);
            assertThat(first(one, "model.norm.weight", 4)).isEqualTo(16);
            assertThat(first(one, "model.embed_tokens.weight", 20)).isEqualTo(20);
            assertThat(first(one, "lm_head.weight", 20)).isEqualTo(240);
            // Rows 0, 2, 1, 3 of the file: those that turn together are neighbours in it.
            Storage q = Storage.of(DType.F32, new double[16]);
            legacy.read("model.layers.0.self_attn.q_proj.weight", q);
            assertThat(List.of(q.get(0), q.get(4), q.get(8), q.get(12))).containsExactly(28.0, 36.0, 32.0, 40.0);
        }
    }

    @Test
    void whatIsLackingIsNamed() throws IOException {
        byte[] quantised = version1(true, 240);
        quantised[4] = 2;
        refused(quantised, "version 2 (Q8)");
        refused(Arrays.copyOf(legacy(false, 264), 27), "at least 28 bytes");
        refused(legacy(false, 200), "end of the file");
        refused(legacy(false, 263), "expected 1084 bytes");
        refused(legacy(false, 265), "expected 1084 bytes");
        byte[] wide = legacy(false, 264);
        wide[3] = 0x7f;
        refused(wide, "as dim");
    }

    private void refused(byte[] bytes, String told) throws IOException {
        Path file = write(bytes);
        assertThatThrownBy(() -> Checkpoint.open(file)).isInstanceOf(CheckpointException.class)
                .hasMessageContaining(told).hasMessageContaining(file.toString());
    }

    private Path write(byte[] bytes) throws IOException {
        return Files.write(Files.createTempFile(dir, "model", ".bin"), bytes);
    }

    private static double first(Checkpoint from, String name, int size) {
        Storage out = Storage.of(DType.F32, new double[size]);
        from.read(name, out);
        return out.get(0);
    }

    private static byte[] legacy(boolean untied, int floats) {
        byte[] bytes = new byte[28 + 4 * floats];
        ByteBuffer out = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < SIZES.length; i++) {
            out.putInt(i == 5 && untied ? -SIZES[i] : SIZES[i]);
        }
        numbers(out, floats);
        return bytes;
    }

    private static byte[] version1(boolean tied, int floats) {
        byte[] bytes = new byte[256 + 4 * floats];
        ByteBuffer out = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(0x616b3432).putInt(1);
        for (int size : SIZES) {
            out.putInt(size);
        }
        out.put((byte) (tied ? 1 : 0)).position(256);
        numbers(out, floats);
        return bytes;
    }

    private static void numbers(ByteBuffer out, int floats) {
        for (int i = 0; i < floats; i++) {
            out.putFloat(i);
        }
    }
}
