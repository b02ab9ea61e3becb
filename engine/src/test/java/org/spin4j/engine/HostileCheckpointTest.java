package org.spin4j.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.spin4j.engine.SafeTensors.NamedStorage;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Storage;

/** Broken and malicious files: each is refused with one line, nothing else is thrown, and nothing big is allocated. */
class HostileCheckpointTest {
    @TempDir
    Path dir;

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            overlap          | {"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} | 8 | where the one before it ends
            gap              | {"a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}            | 8 | where the one before it ends
            data left over   | {"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}            | 8 | expected 4 bytes of data, found 8
            out of bounds    | {"a":{"dtype":"U8","shape":[9],"data_offsets":[0,9]}}            | 8 | within the 8 bytes
            backwards        | {"a":{"dtype":"U8","shape":[4],"data_offsets":[4,0]}}            | 8 | within the 8 bytes
            negative offset  | {"a":{"dtype":"U8","shape":[8],"data_offsets":[-8,0]}}           | 8 | whole number
            negative shape   | {"a":{"dtype":"U8","shape":[-2,-4],"data_offsets":[0,8]}}        | 8 | whole number
            size mismatch    | {"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}           | 8 | found shape [3] of F32
            product overflow | {"a":{"dtype":"U8","shape":[4294967296,4294967296,1],"data_offsets":[0,0]}} | 0 | found shape
            bytes overflow   | {"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}} | 0 | found shape
            beyond long      | {"a":{"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,0]}} | 0 | whole number
            fraction         | {"a":{"dtype":"U8","shape":[8.0],"data_offsets":[0,8]}}          | 8 | whole number
            rank             | {"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]}} | 1 | at most 16
            three offsets    | {"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8,8]}}          | 8 | at most 2
            one offset       | {"a":{"dtype":"U8","shape":[0],"data_offsets":[0]}}              | 0 | two data_offsets
            no shape         | {"a":{"dtype":"U8","data_offsets":[0,8]}}                        | 8 | only some
            unknown dtype    | {"a":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}}       | 8 | found 'F8_E4M3'
            number as dtype  | {"a":{"dtype":8,"shape":[8],"data_offsets":[0,8]}}               | 8 | a text as dtype
            text as shape    | {"a":{"dtype":"U8","shape":"8","data_offsets":[0,8]}}            | 8 | a list of numbers
            nested shape     | {"a":{"dtype":"U8","shape":[[8]],"data_offsets":[0,8]}}          | 8 | whole number
            list as tensor   | {"a":[]}                                                         | 0 | an object under 'a'
            metadata number  | {"__metadata__":{"format":1}}                                    | 0 | a text under
            extra key        | {"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":1}}      | 0 | found 'x'
            same name twice  | {"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}} | 0 | Duplicate
            same key twice   | {"a":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}} | 0 | Duplicate
            not closed       | {"a":{"dtype":"U8"                                               | 0 | well-formed JSON
            list             | []                                                               | 0 | starts with '{'
            two objects      | {}{}                                                             | 0 | nothing but spaces
            """)
    void brokenHeader(String name, String header, int dataBytes, String told) throws IOException {
        Path file = Files.write(dir.resolve("bad.safetensors"), safetensors(header, dataBytes));
        assertRefused(() -> SafeTensors.open(file).close(), told);
    }

    @Test
    void emptyHeaderIsAFileWithoutTensors() throws IOException {
        try (SafeTensors in = SafeTensors.open(Files.write(dir.resolve("ok.safetensors"), safetensors("{}", 0)))) {
            assertThat(in.entries()).isEmpty();
        }
    }

    @Test
    void integersAreListedButNotRead() throws IOException {
        String header = "{\"a\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]}}";
        try (SafeTensors in = SafeTensors.open(Files.write(dir.resolve("ok.safetensors"), safetensors(header, 8)))) {
            assertThat(in.entries()).containsOnlyKeys("a");
            assertRefused(() -> in.read("a", Storage.of(DType.F32, 0)), "found I64 of tensor a");
        }
    }

    /** A length that lies, in a file of a few bytes and in one of a terabyte (sparse): nothing of that size is allocated. */
    @Test
    void headerLengthIsCheckedBeforeItIsUsed() throws IOException {
        for (long length : new long[]{0, 1, 9, 100_000_001, Long.MAX_VALUE, -1, Long.MIN_VALUE}) {
            byte[] bytes = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putLong(length)
                    .put("{}      ".getBytes(
                            StandardCharsets.UTF_8))
                    .array();
            Path file = Files.write(dir.resolve("bad.safetensors"), bytes);
            assertRefused(() -> SafeTensors.open(file).close(), "expected a header of 2 to 8 bytes");
        }
        Path sparse = dir.resolve("sparse.safetensors");
        try (RandomAccessFile out = new RandomAccessFile(sparse.toFile(), "rw")) {
            out.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(1L << 38).array());
            out.setLength(1L << 39);
        }
        assertRefused(() -> SafeTensors.open(sparse).close(), "expected a header of 2 to 100000000 bytes");
    }

    @Test
    void everyTruncationIsRefused() throws IOException {
        byte[] whole = small();
        for (int length = 0; length < whole.length; length++) {
            Path file = Files.write(dir.resolve("cut.safetensors"), Arrays.copyOf(whole, length));
            assertRefused(() -> SafeTensors.open(file).close(), "in " + (length < 8 ? file : ""));
        }
    }

    @Test
    void deepNestingIsRefusedEverywhere() throws IOException {
        String deep = "{\"a\":" + "[".repeat(1_000_000) + "]".repeat(1_000_000) + "}";
        Path tensors = Files.write(dir.resolve("deep.safetensors"), safetensors(deep, 0));
        assertRefused(() -> SafeTensors.open(tensors).close(), "an object under 'a'");
        String inside = deep.substring(0, 400_000);
        Path config = Files.writeString(dir.resolve("config.json"), inside);
        assertRefused(() -> DecoderConfig.read(config), "nesting depth");
        Files.writeString(config, deep);
        assertRefused(() -> DecoderConfig.read(config), "at most 1048576 bytes");
    }

    @Test
    void mutatedConfigsThrowNothingElse() throws IOException {
        Random random = new Random(8);
        int accepted = 0;
        for (String model : List.of("llama3-rope", "mistral", "smollm3", "qwen3", "gemma3", "gpt2", "gpt_neo")) {
            byte[] whole = Files.readAllBytes(SharedData.require("golden/models/" + model + "/config.json"));
            for (int round = 0; round < 1000; round++) {
                Path file = Files.write(dir.resolve("config.json"), mutated(whole, random, whole.length));
                try {
                    DecoderConfig c = DecoderConfig.read(file);
                    assertThat(c.ropes()).hasSize(c.layers())
                            .allSatisfy(rope -> assertThat(rope.inverseFrequencies(c.headDim())).isNotNull());
                    assertThat(c.windows()).hasSize(c.layers());
                    accepted++;
                } catch (CheckpointException e) {
                    assertOneLine(e);
                }
            }
        }
        assertThat(accepted).isBetween(1, 6999);
    }

    private static byte[] mutated(byte[] whole, Random random, int within) {
        byte[] out = whole.clone();
        for (int i = random.nextInt(3); i >= 0; i--) {
            int at = random.nextInt(Math.min(within, out.length));
            // Half of the changes put in a byte that means something in JSON.
            out[at] = random.nextBoolean()
                    ? (byte) random.nextInt(256)
                    : (byte) "0129[]{}\",:-e.\\ n".charAt(random.nextInt(17));
        }
        return out;
    }

    private byte[] small() throws IOException {
        Path file = dir.resolve("small.safetensors");
        SafeTensors.write(file, Map.of("format", "pt"), "F32",
                List.of(new NamedStorage("a", List.of(2L, 2L), Storage.of(DType.F32, 1, 2, 3, 4)),
                        new NamedStorage("b", List.of(2L), Storage.of(DType.F32, 5, 6))));
        return Files.readAllBytes(file);
    }

    static byte[] safetensors(String header, int dataBytes) {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(8 + json.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN).putLong(json.length)
                .put(json)
                .array();
    }

    private static void assertRefused(org.assertj.core.api.ThrowableAssert.ThrowingCallable call, String told) {
        assertThatThrownBy(call).isInstanceOfSatisfying(CheckpointException.class, e -> {
            assertOneLine(e);
            assertThat(e).hasMessageContaining(told);
        });
    }

    private static void assertOneLine(CheckpointException e) {
        assertThat(e.getMessage()).doesNotContain("\n").doesNotContain("\r").hasSizeLessThan(600);
    }
}
