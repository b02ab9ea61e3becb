package org.spin4j.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Storage;

/**
 * Ten thousand damaged GGUF files and two thousand of llama2.c, the same in each run: each is a model or one line that says what is wrong,
 * within a second and without more memory than the file warrants.
 */
class MutatedModelFilesTest {
    private static final int GGUF_FILES = 10_000;
    private static final int LLAMA2C_FILES = 2_000;
    private static final long MAX_NANOS = 1_000_000_000L;
    /** What a good small file takes on the heap: the objects of its header and of a decoder. */
    private static final long MAX_BYTES = 2L << 20;

    /** Numbers that mean something where they stand, and those that no file has room for. */
    private static final List<Long> NUMBERS = List.of(0L, 1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L, 10L, 12L, 13L, 14L, 16L,
            30L, 32L, 64L, 255L, 256L, 1000L, 65536L, 1L << 30, Integer.MAX_VALUE + 0L, 1L << 31, 0xFFFFFFFFL, 1L << 40,
            Long.MAX_VALUE, Long.MIN_VALUE, -1L, -2L, 0x7fc00000L, 0x7f800000L);

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private final AtomicInteger loaded = new AtomicInteger();
    private final AtomicInteger refused = new AtomicInteger();

    @Test
    void ggufFilesAreModelsOrOneLine(@TempDir Path dir) throws IOException {
        Map<String, Object> tokenizer = Map.of("tokenizer.ggml.model", "llama", "tokenizer.ggml.tokens",
                List.of("<unk>", "<s>", "</s>", "a"), "tokenizer.ggml.scores", new float[]{0, 0, 0, 1},
                "tokenizer.ggml.token_type", new int[]{2, 3, 3, 1}, "tokenizer.ggml.add_bos_token", true, "a.long", 1L,
                "a.double", 1.5);
        List<byte[]> originals = List.of(gguf(dir, 32, DType.F32, tokenizer), gguf(dir, 32, DType.Q8_0, tokenizer),
                gguf(dir, 32, DType.BF16, Map.of()), gguf(dir, 256, DType.F16, tokenizer));
        mutate(dir.resolve("mutated.gguf"), originals, GGUF_FILES, 4000);
    }

    @Test
    void llama2cFilesAreModelsOrOneLine(@TempDir Path dir) throws IOException {
        byte[] legacy = floats(new int[]{8, 12, 2, 2, 1, 16, 16}, 28, 16 * 8 + 2 * (8 + 64 + 32 + 32 + 64 + 8 + 288) + 8
                + 16 * 4);
        byte[] one = floats(new int[]{0x616b3432, 1, 8, 12, 2, 2, 1, 16, 16, 1}, 256,
                16 * 8 + 2 * (8 + 64 + 32 + 32 + 64 + 8 + 288) + 8);
        mutate(dir.resolve("mutated.bin"), List.of(legacy, one), LLAMA2C_FILES, 44);
    }

    /** @param header where most of the changes are made */
    private void mutate(Path path, List<byte[]> originals, int files, int header) {
        IntStream.range(0, 2).parallel().forEach(half -> {
            Path file = path.resolveSibling(half + "-" + path.getFileName());
            for (int i = half; i < files; i += 2) {
                SplittableRandom random = new SplittableRandom(i);
                try {
                    Files.write(file, mutated(originals.get(random.nextInt(originals.size())), random, header));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
                check(file, "mutation " + i + " of " + path.getFileName(), random.nextBoolean());
            }
        });
        assertThat(loaded.get() + refused.get()).isEqualTo(files);
        assertThat(List.of(loaded.get(), refused.get())).allMatch(count -> count > files / 20);
    }

    private void check(Path file, String name, boolean frozen) {
        long thread = Thread.currentThread().threadId();
        long time = threads.getCurrentThreadCpuTime();
        long memory = threads.getThreadAllocatedBytes(thread);
        try (Decoder decoder = frozen ? Decoder.loadFrozen(file) : Decoder.load(file)) {
            long bytes = 0;
            for (String part : decoder.parameters().names()) {
                Storage data = decoder.parameters().data(part);
                data.get(data.size() - 1);
                bytes += data.segment().byteSize();
            }
            // Four bytes for what may take half a one in the file.
            assertThat(bytes).as(name).isLessThanOrEqualTo(8 * file.toFile().length());
            loaded.incrementAndGet();
        } catch (CheckpointException e) {
            refused.incrementAndGet();
            assertThat(e.getMessage()).as(name).startsWith("expected ").contains(", found ", file.toString())
                    .doesNotContain("\n").hasSizeLessThan(700);
        } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
            throw new AssertionError(name, e);
        }
        assertThat(threads.getThreadAllocatedBytes(thread) - memory).as("bytes allocated, " + name)
                .isLessThan(MAX_BYTES);
        assertThat(threads.getCurrentThreadCpuTime() - time).as("nanoseconds, " + name).isLessThan(MAX_NANOS);
    }

    private static byte[] mutated(byte[] whole, SplittableRandom random, int header) {
        byte[] bytes = whole.clone();
        int at = random.nextInt(random.nextInt(8) == 0 ? bytes.length : Math.min(header, bytes.length));
        switch (random.nextInt(7)) {
            case 0 -> {
                return Arrays.copyOf(bytes, random.nextInt(bytes.length));
            }
            case 1 -> {
                for (int n = random.nextInt(1, 4); n > 0; n--) {
                    bytes[Math.min(bytes.length - 1, at + random.nextInt(64))] ^= (byte) (1 << random.nextInt(8));
                }
            }
            case 2, 3 -> number(bytes, at, random, 4);
            case 4 -> number(bytes, at, random, 8);
            case 5 -> {
                int to = Math.min(bytes.length, at + random.nextInt(1, 64));
                return joined(bytes, random.nextBoolean() ? at : to, random.nextBoolean() ? at : to);
            }
            default -> {
                String text = new String(bytes, StandardCharsets.ISO_8859_1);
                String[] words = {"llama.", "tokenizer.", "blk.0", "attn_q", "weight", "general.", "ffn_", "norm"};
                int word = text.indexOf(words[random.nextInt(words.length)], at);
                bytes[Math.max(0, word) + random.nextInt(4)] = (byte) random.nextInt(256);
            }
        }
        return bytes;
    }

    private static void number(byte[] bytes, int at, SplittableRandom random, int width) {
        // Fields follow texts of any length, so that no alignment tells where they are.
        long value = NUMBERS.get(random.nextInt(NUMBERS.size()));
        for (int i = 0; i < width && at + i < bytes.length; i++) {
            bytes[at + i] = (byte) (value >> 8 * i);
        }
    }

    private static byte[] joined(byte[] whole, int end, int start) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(whole, 0, end);
        out.write(whole, start, whole.length - start);
        return out.toByteArray();
    }

    private static byte[] gguf(Path dir, int intermediate, DType type, Map<String, Object> tokenizer)
            throws IOException {
        Path file = dir.resolve("original.gguf");
        try (Decoder d = Decoder.random(DecoderConfig.llama(16, 32, 1, 2, 1, intermediate, 32, false), DType.F32, 3)) {
            d.saveGguf(file, type, tokenizer);
        }
        return Files.readAllBytes(file);
    }

    private static byte[] floats(int[] sizes, int header, int numbers) {
        byte[] bytes = new byte[header + 4 * numbers];
        ByteBuffer out = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        for (int size : sizes) {
            out.putInt(size);
        }
        for (int i = 0; i < numbers; i++) {
            out.putFloat(header + 4 * i, 0.01f * i);
        }
        return bytes;
    }
}
