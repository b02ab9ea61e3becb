package org.spin4j.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tokenizers as metadata of GGUF files: written and read again they give the ids of Hugging Face. */
class GgufTokenizerTest {
    private static final String FILE = "model.gguf";
    private static final List<String> TEXTS = List.of("", "Hello world", " 12345 don't  stop\n\n", "日本語 🙂 é\u0301",
            "<s>a</s>", "<|im_start|>user\nhi<|im_end|>", "<unk> <tool_call>");

    @ParameterizedTest
    @CsvSource({"gpt2,gpt2,gpt-2,50257", "llama2,llama,default,32000", "mistral,llama,default,32064",
            "llama3,gpt2,llama-bpe,128256", "qwen3,gpt2,qwen2,151936"})
    void idsAreThoseOfHuggingFace(String name, String model, String pre, int size) {
        Path folder = SharedData.require("data/tokenizers/" + name);
        Path golden = SharedData.require("data/tokenizers/golden_encodings.jsonl");
        Tokenizer original = Tokenizer.load(folder);
        Optional<ChatTemplate> template = ChatTemplate.find(folder);
        Map<String, Object> metadata = original.toGguf(template, size);
        assertThat(metadata).containsEntry("tokenizer.ggml.model", model).containsEntry("tokenizer.ggml.pre", pre);
        assertThat((List<?>) metadata.get("tokenizer.ggml.tokens")).hasSize(size);
        Tokenizer back = Tokenizer.ofGguf(metadata, FILE).orElseThrow();
        List<JsonNode> rows = Fixtures.lines(golden).stream()
                .filter(row -> row.get("tokenizer").textValue().equals(name + "/tokenizer.json")).toList();
        assertThat(rows).hasSize(29);
        for (JsonNode row : rows) {
            String text = row.get("text").textValue();
            int[] ids = Fixtures.ints(row.get("ids_no_special"));
            assertThat(back.encode(text)).as(text).isEqualTo(Fixtures.ints(row.get("ids")));
            assertThat(back.encode(text, EncodeOptions.TEMPLATED)).as(text).isEqualTo(ids);
            assertThat(back.decode(ids, false)).as(text).isEqualTo(row.get("decoded").textValue());
        }
        assertSame(original, back);
        assertThat(back.specialTokens()).isEqualTo(original.specialTokens());
        List<Message> turns = List.of(new Message("user", "hi"));
        assertThat(ChatTemplate.ofGguf(metadata, FILE).map(t -> t.render(turns, true)))
                .isEqualTo(template.map(t -> t.render(turns, true)));
    }

    @Test
    void storiesComeBack() {
        Path folder = SharedData.require("data/models/stories260K/hf");
        Tokenizer original = Tokenizer.load(folder);
        assertSame(original, Tokenizer.ofGguf(original.toGguf(Optional.empty(), 512), FILE).orElseThrow());
    }

    private static void assertSame(Tokenizer original, Tokenizer back) {
        assertThat(back.special()).isEqualTo(original.special());
        for (String text : TEXTS) {
            for (EncodeOptions options : List.of(EncodeOptions.DEFAULT, EncodeOptions.TEMPLATED,
                    EncodeOptions.PLAIN)) {
                assertThat(back.encode(text, options)).as(text).isEqualTo(original.encode(text, options));
            }
            int[] ids = original.encode(text);
            assertThat(back.decode(ids, false)).as(text).isEqualTo(original.decode(ids, false));
        }
    }

    /** What a byte-level tokenizer that was trained here needs. */
    @Test
    void trainedTokenizersComeBack() {
        Tokenizer trained = Tokenizer.parse(trained(), "trained").withSpecial("<s>", "</s>", null);
        Map<String, Object> metadata = trained.toGguf(Optional.of(ChatTemplate.builtIn("chatml", Map.of())), 300);
        assertSame(trained, Tokenizer.ofGguf(metadata, FILE).orElseThrow());
        assertThat(ChatTemplate.ofGguf(metadata, FILE)).isPresent();
    }

    private static byte[] trained() {
        TokenizerJson json = new TokenizerJson();
        Map<String, Integer> vocab = new LinkedHashMap<>();
        for (int b = 0; b < 256; b++) {
            vocab.put(ByteAlphabet.spell(new byte[]{(byte) b}), b);
        }
        vocab.put("he", 256);
        vocab.put("hel", 257);
        json.bpe(vocab, null, false, false).putArray("merges").add("h e").add("he l");
        json.byteLevel(null, false);
        json.addSpecial(258, "<s>");
        json.addSpecial(260, "</s>");
        json.add(new AddedToken(261, "<tool>", false, false, false, false, false));
        json.around("<s>", "</s>");
        return json.bytes();
    }

    @Test
    void whatGgufHasNoWordsForIsNamed() {
        Tokenizer trained = Tokenizer.parse(trained(), "trained");
        assertThatThrownBy(() -> trained.toGguf(Optional.empty(), 261)).isInstanceOf(TokenizerException.class)
                .hasMessageContaining("at most 261 tokens").hasMessageContaining("found 262");
        TokenizerJson words = new TokenizerJson();
        words.bpe(Map.of("a", 0), null, false, false).putArray("merges");
        assertThatThrownBy(() -> Tokenizer.parse(words.bytes(), "no bytes").toGguf(Optional.empty(), 1))
                .hasMessageContaining("words cut in a way");
    }

    @Test
    void filesWithoutATokenizerHaveNone() {
        assertThat(Tokenizer.ofGguf(Map.of("general.architecture", "llama"), FILE)).isEmpty();
        assertThat(Tokenizer.ofGguf(Map.of("tokenizer.ggml.model", "none"), FILE)).isEmpty();
        assertThat(ChatTemplate.ofGguf(Map.of(), FILE)).isEmpty();
    }

    @Test
    void whatIsLackingIsNamed() {
        refused("tokenizer.ggml.model", "t5", "'t5'");
        refused("tokenizer.ggml.pre", "tekken", "'tekken'");
        refused("tokenizer.ggml.tokens", 5, "tokenizer.ggml.tokens");
        refused("tokenizer.ggml.token_type", new int[]{1}, "300 numbers");
        refused("tokenizer.ggml.bos_token_id", 300, "tokenizer.ggml.bos_token_id");
        refused("tokenizer.ggml.merges", List.of("h q"), "merges");
        refused("tokenizer.ggml.add_space_prefix", true, "add_space_prefix");
    }

    private static void refused(String key, Object value, String told) {
        Map<String, Object> metadata = new HashMap<>(
                Tokenizer.parse(trained(), "trained").toGguf(Optional.empty(), 300));
        metadata.put(key, value);
        assertThatThrownBy(() -> Tokenizer.ofGguf(metadata, FILE)).isInstanceOf(TokenizerException.class)
                .hasMessageContaining(told).hasMessageContaining(FILE);
    }

    /** Two thousand damaged ones, the same in each run: each is a tokenizer that encodes, or one line. */
    @Test
    void damagedMetadataIsATokenizerOrOneLine() {
        Map<String, Object> bytes = Tokenizer.parse(trained(), "trained").toGguf(Optional.empty(), 300);
        Map<String, Object> pieces = new LinkedHashMap<>(bytes);
        pieces.put("tokenizer.ggml.model", "llama");
        pieces.put("tokenizer.ggml.scores", new float[300]);
        List<Object> values = List.of(-1, 0, 7, 1 << 30, 1L << 40, 1.5f, true, "", "a", "llama", "gpt2", List.of(),
                List.of("a", "a"), List.of("<unk>"), new int[0], new int[300], new float[300], new float[]{1},
                Float.NaN, "x".repeat(100_000), List.of("ab ".repeat(1000)));
        int loaded = 0;
        for (int i = 0; i < 2000; i++) {
            SplittableRandom random = new SplittableRandom(i);
            Map<String, Object> damaged = new LinkedHashMap<>(i % 2 == 0 ? bytes : pieces);
            List<String> keys = new ArrayList<>(damaged.keySet());
            for (int n = random.nextInt(1, 3); n > 0; n--) {
                String key = keys.get(random.nextInt(keys.size()));
                Object old = damaged.get(key);
                if (old instanceof List<?> list && !list.isEmpty() && random.nextBoolean()) {
                    List<Object> changed = new ArrayList<>(list);
                    changed.set(random.nextInt(changed.size()),
                            random.nextBoolean() ? list.getFirst() : values.get(random.nextInt(values.size())));
                    damaged.put(key, changed);
                } else if (old instanceof int[] types && types.length > 0 && random.nextBoolean()) {
                    int[] changed = types.clone();
                    changed[random.nextInt(changed.length)] = random.nextInt(-1, 8);
                    damaged.put(key, changed);
                } else if (random.nextInt(5) == 0) {
                    damaged.remove(key);
                } else {
                    damaged.put(key, values.get(random.nextInt(values.size())));
                }
            }
            try {
                Optional<Tokenizer> tokenizer = Tokenizer.ofGguf(damaged, FILE);
                tokenizer.ifPresent(t -> t.decode(t.encode("hello <tool>"), false));
                ChatTemplate.ofGguf(damaged, FILE);
                loaded++;
            } catch (TokenizerException e) {
                assertThat(e.getMessage()).as("mutation " + i).startsWith("expected ").contains(", found ")
                        .doesNotContain("\n").hasSizeLessThan(700);
            }
        }
        assertThat(loaded).isBetween(100, 1900);
    }
}
