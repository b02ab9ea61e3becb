package org.spin4j.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.spin4j.engine.SafeTensors.Entry;
import org.spin4j.engine.SafeTensors.NamedStorage;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Storage;

class SafeTensorsTest {
    @TempDir
    Path dir;

    /** Hugging Face's library wrote the golden files: reading one and writing it again must give the very same bytes. */
    @Test
    void goldenFilesAreReadAndWrittenBackByteForByte() throws IOException {
        Path models = SharedData.require("golden/models");
        List<Path> files;
        try (Stream<Path> all = Files.walk(models)) {
            files = all.filter(f -> f.toString().endsWith("model.safetensors")).sorted().toList();
        }
        assertThat(files).isNotEmpty();
        for (Path file : files) {
            try (SafeTensors in = SafeTensors.open(file)) {
                String dtype = in.entries().values().iterator().next().dtype();
                SafeTensors.write(dir.resolve("copy"), in.metadata(), dtype, readAll(in, DType.F32));
                assertThat(Files.mismatch(file, dir.resolve("copy"))).as(file.toString()).isEqualTo(-1);
            }
        }
    }

    @Test
    void bfloat16WidensExactly() {
        try (SafeTensors in = SafeTensors.open(SharedData.require("golden/models/llama-bf16/model.safetensors"))) {
            for (NamedStorage t : readAll(in, DType.F32)) {
                assertThat(in.entries().get(t.name()).dtype()).isEqualTo("BF16");
                for (long i = 0; i < t.data().size(); i++) {
                    int upper = in.bytes(t.name())
                            .get(ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 2 * i);
                    assertThat(Float.floatToRawIntBits((float) t.data().get(i))).isEqualTo(upper << 16);
                }
            }
        }
    }

    @Test
    void writtenTensorsComeBackBitForBit() {
        Random random = new Random(1);
        List<NamedStorage> tensors = new ArrayList<>();
        // More than one chunk, a single number, an empty tensor, names beyond ASCII and out of order.
        tensors.add(tensor("z", List.of(3L, 100_000L), random));
        tensors.add(tensor("𝄞 \"quoted\"", List.of(), random));
        tensors.add(tensor("ｂ", List.of(5L, 0L, 7L), random));
        tensors.add(tensor("a", List.of(7L), random));
        Path file = dir.resolve("t.safetensors");
        SafeTensors.write(file, Map.of(), "F32", tensors);
        try (SafeTensors in = SafeTensors.open(file)) {
            assertThat(in.metadata()).isEmpty();
            assertThat(in.entries().keySet()).containsExactly("a", "z", "ｂ", "𝄞 \"quoted\"");
            for (NamedStorage t : tensors) {
                assertThat(in.entries().get(t.name()).shape()).isEqualTo(t.shape());
                for (DType type : new DType[]{DType.F32, DType.F64}) {
                    Storage back = Storage.allocate(Arena.ofAuto(), type, t.data().size());
                    in.read(t.name(), back);
                    assertThat(back.toFloats()).isEqualTo(t.data().toFloats());
                }
            }
        }
        assertThat(dir.toFile().list()).containsExactly("t.safetensors");
    }

    @Test
    void doublesAreKeptInF64() {
        Path file = dir.resolve("t.safetensors");
        SafeTensors.write(file, Map.of("a", "b"), "F64",
                List.of(new NamedStorage("x", List.of(2L), Storage.of(DType.F64, Math.PI, -1e300))));
        try (SafeTensors in = SafeTensors.open(file)) {
            Storage back = Storage.allocate(Arena.ofAuto(), DType.F64, 2);
            in.read("x", back);
            assertThat(back.get(0)).isEqualTo(Math.PI);
            assertThat(back.get(1)).isEqualTo(-1e300);
            assertThat(in.metadata()).containsExactly(Map.entry("a", "b"));
        }
    }

    @Test
    void wrongUseIsToldInOneLine() {
        Path file = dir.resolve("t.safetensors");
        NamedStorage x = new NamedStorage("x", List.of(2L), Storage.of(DType.F32, 1, 2));
        SafeTensors.write(file, Map.of(), "F32", List.of(x));
        try (SafeTensors in = SafeTensors.open(file)) {
            assertThatThrownBy(() -> in.read("y", x.data())).isInstanceOf(CheckpointException.class)
                    .hasMessageContaining("expected tensor y").hasMessageContaining(file.toString());
            assertThatThrownBy(() -> in.read("x", Storage.of(DType.F32, 1, 2, 3)))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining("expected 3 elements, found shape [2] of tensor x");
        }
        assertThatThrownBy(() -> SafeTensors.open(dir.resolve("absent"))).isInstanceOf(CheckpointException.class)
                .hasMessageContaining("found none at");
        assertThatThrownBy(() -> SafeTensors.open(dir)).isInstanceOf(CheckpointException.class)
                .hasMessageContaining(dir.toString());
        assertThatThrownBy(() -> SafeTensors.write(dir.resolve("no/such/f"), Map.of(), "F32", List.of(x)))
                .isInstanceOf(CheckpointException.class).hasMessageContaining("cannot write");
        assertThatThrownBy(() -> SafeTensors.write(file, Map.of(), "F32", List.of(x, x)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> SafeTensors.write(file, Map.of(), "I8", List.of(x)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new NamedStorage("x", List.of(3L), x.data()))
                .isInstanceOf(IllegalArgumentException.class);
    }

    static List<NamedStorage> readAll(SafeTensors in, DType type) {
        List<NamedStorage> out = new ArrayList<>();
        for (Entry e : in.entries().values()) {
            Storage data = Storage.allocate(Arena.ofAuto(), type, e.elements());
            in.read(e.name(), data);
            out.add(new NamedStorage(e.name(), e.shape(), data));
        }
        return out;
    }

    private static NamedStorage tensor(String name, List<Long> shape, Random random) {
        long elements = 1;
        for (long d : shape) {
            elements *= d;
        }
        Storage data = Storage.allocate(Arena.ofAuto(), DType.F32, elements);
        for (long i = 0; i < elements; i++) {
            data.set(i, random.nextGaussian());
        }
        return new NamedStorage(name, shape, data);
    }
}
