package org.spin4j.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.OptionalInt;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tokenizers in other formats than tokenizer.json, against the library that each format belongs to: sentencepiece 0.2.2, tiktoken 0.14.0,
 * Hugging Face's tokenizers 0.23.2.
 */
class OtherFormatsTest {
    @TempDir
    Path dir;

    /** Writes the files of one of our own small tokenizers into a folder; each is stored as Base64 of gzip. */
    static Path write(JsonNode tokenizer, Path folder) {
        try {
            Files.createDirectories(folder);
            for (var file : tokenizer.get("files").properties()) {
                try (GZIPInputStream in = new GZIPInputStream(
                        new ByteArrayInputStream(Base64.getDecoder().decode(file.getValue().textValue())))) {
                    Files.write(folder.resolve(file.getKey()), in.readAllBytes());
                }
            }
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static JsonNode own(String name) {
        return Fixtures.resourceLines("formats.jsonl").stream().filter(row -> row.get("name").textValue().equals(name))
                .findFirst().orElseThrow();
    }

    @TestFactory
    List<DynamicTest> smallTokenizersGiveTheIdsOfTheirOwnLibraries() {
        return Fixtures.resourceLines("formats.jsonl").stream()
                .map(row -> DynamicTest.dynamicTest(row.get("name").textValue(), () -> {
                    Path folder = write(row, dir.resolve(row.get("name").textValue()));
                    Tokenizer loaded = Tokenizer.load(folder);
                    assertThat(List.of(loaded.bosId(), loaded.eosId(), loaded.padId()))
                            .isEqualTo(List.of(role(row, "bos"), role(row, "eos"), role(row, "pad")));
                    assertRows(loaded, row);
                    // What is saved gives the same.
                    Path saved = folder.resolve("saved.json");
                    loaded.save(saved);
                    assertRows(Tokenizer.load(saved), row);
                })).toList();
    }

    private static OptionalInt role(JsonNode row, String role) {
        return row.get(role).intValue() < 0 ? OptionalInt.empty() : OptionalInt.of(row.get(role).intValue());
    }

    private static void assertRows(Tokenizer tokenizer, JsonNode rows) {
        for (JsonNode row : rows.get("rows")) {
            String text = row.get(0).textValue();
            int[] ids = Fixtures.ints(row.get(1));
            assertThat(tokenizer.encode(text, EncodeOptions.PLAIN)).as(text).isEqualTo(ids);
            // Null stands where libraries decode in their own way: an unknown id, or spaces spelled as their sign in front.
            if (!row.path(2).isNull()) {
                assertThat(tokenizer.decode(ids, false)).as(text)
                        .isEqualTo(row.has(2) ? row.get(2).textValue() : text);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama2/tokenizer.model", "mistral/tokenizer.model.v1",
            "mistral/mistral_instruct_tokenizer_240323.model.v3", "llama3/tokenizer.model"})
    void publishedVocabulariesGiveTheIdsOfTheirOwnLibraries(String name) {
        Path file = SharedData.require("data/tokenizers/" + name);
        Path golden = SharedData.require("data/tokenizers/golden_encodings.jsonl");
        Tokenizer tokenizer = Tokenizer.load(file);
        List<JsonNode> rows = Fixtures.lines(golden).stream()
                .filter(row -> row.get("tokenizer").textValue().equals(name)).toList();
        assertThat(rows).hasSize(29);
        for (JsonNode row : rows) {
            String text = row.get("text").textValue();
            int[] ids = Fixtures.ints(row.get("ids_no_special"));
            assertThat(tokenizer.encode(text, EncodeOptions.PLAIN)).as(text).isEqualTo(ids);
            assertThat(tokenizer.decode(ids, false)).as(text).isEqualTo(row.get("decoded").textValue());
        }
    }

    /** The same vocabulary in two formats, special tokens included. */
    @ParameterizedTest
    @CsvSource({"llama2/tokenizer.model, llama2/tokenizer.json", "llama2/tokenizer.bin, llama2/tokenizer.json",
            "gpt2/vocab.json, gpt2/tokenizer.json",
            "../models/stories260K/tok512.bin, ../models/stories260K/hf/tokenizer.json"})
    void oneVocabularyInTwoFormats(String other, String json) {
        Tokenizer one = Tokenizer.load(SharedData.require("data/tokenizers/" + other));
        Tokenizer two = Tokenizer.load(SharedData.require("data/tokenizers/" + json));
        for (JsonNode row : Fixtures.lines(SharedData.require("data/tokenizers/golden_encodings.jsonl"))) {
            String text = row.get("text").textValue();
            assertThat(one.encode(text)).as(text).isEqualTo(two.encode(text));
            assertThat(one.decode(one.encode(text), true)).isEqualTo(two.decode(one.encode(text), true));
        }
        assertThat(one.special()).isEqualTo(two.special());
    }

    /** A folder is read by the first format it holds. */
    @Test
    void aFolderIsReadByItsFirstFormat() throws IOException {
        assertThatThrownBy(() -> Tokenizer.load(dir)).isInstanceOf(TokenizerException.class)
                .hasMessageContaining(
                        "tokenizer.json, tokenizer.model, vocab.json with merges.txt, *.tiktoken or tok*.bin")
                .hasMessageContaining(dir.toString());
        assertThat(Tokenizer.find(dir)).isEmpty();
        write(own("llama2.c"), dir);
        assertThat(Tokenizer.find(dir)).isPresent();
        Files.copy(dir.resolve("tok440.bin"), dir.resolve("tok2.bin"));
        assertThatThrownBy(() -> Tokenizer.load(dir)).isInstanceOf(TokenizerException.class)
                .hasMessageContaining("tok2.bin and tok440.bin");
        assertThat(Tokenizer.load(dir.resolve("tok440.bin")).vocabSize()).isEqualTo(440);
        write(own("vocab.json and merges.txt"), dir);
        assertThat(Tokenizer.load(dir).vocabSize()).isEqualTo(420);
        assertThat(Tokenizer.load(dir.resolve("merges.txt")).vocabSize()).isEqualTo(420);
        write(own("unigram"), dir);
        assertThat(Tokenizer.load(dir).vocabSize()).isEqualTo(150);
        Files.writeString(dir.resolve("tokenizer.json"), "{}");
        assertThatThrownBy(() -> Tokenizer.load(dir)).isInstanceOf(TokenizerException.class)
                .hasMessageContaining("tokenizer.json");
    }

    @Test
    void theConfigSaysWhatGoesAroundAText() throws IOException {
        write(own("BPE with bytes"), dir);
        int[] text = Tokenizer.load(dir).encode("the", EncodeOptions.PLAIN);
        assertThat(Tokenizer.load(dir).encode("the")).startsWith(1).endsWith(text).hasSize(text.length + 1);
        Path config = dir.resolve("tokenizer_config.json");
        Files.writeString(config, "{\"add_bos_token\": false, \"add_eos_token\": true, \"eos_token\": \"</s>\"}");
        assertThat(Tokenizer.load(dir).encode("the")).startsWith(text).endsWith(2).hasSize(text.length + 1);
        Files.writeString(config, "{\"tokenizer_class\": \"XLMRobertaTokenizer\"}");
        assertThatThrownBy(() -> Tokenizer.load(dir)).isInstanceOf(TokenizerException.class)
                .hasMessageContaining("XLMRobertaTokenizer").hasMessageContaining(config.toString());
    }

    /** Each row damages a good file and names what the message must speak of. */
    @ParameterizedTest
    @CsvSource(delimiter = '~', value = {"tokenizer.model ~ 0 ~ 5 ~ AAAA ~ SentencePiece",
            "tokenizer.model ~ 0 ~ 2 ~ '' ~ damaged", "tok440.bin ~ 0 ~ 4 ~ AAAA ~ the longest token",
            "tok440.bin ~ 8 ~ 12 ~ AAAA ~ 1094795585 at byte 4", "tok440.bin ~ 50 ~ 7276 ~ '' ~ damaged",
            "own.tiktoken ~ 0 ~ 4 ~ IQ=! ~ damaged", "own.tiktoken ~ 5 ~ 6 ~ 1 ~ that no other has",
            "own.tiktoken ~ 300 ~ 9000 ~ '' ~ own.tiktoken", "merges.txt ~ 14 ~ 15 ~ ' a b ' ~ merges.txt:2",
            "merges.txt ~ 14 ~ 15 ~ zzz ~ in the vocabulary", "vocab.json ~ 0 ~ 1 ~ [ ~ vocab.json"})
    void damageIsNamed(String file, int start, int end, String content, String named) throws IOException {
        for (JsonNode row : Fixtures.resourceLines("formats.jsonl")) {
            if (!row.get("files").has(file)) {
                continue;
            }
            Path bad = write(row, dir.resolve(row.get("name").textValue())).resolve(file);
            byte[] whole = Files.readAllBytes(bad);
            ByteArrayOutputStream damaged = new ByteArrayOutputStream();
            damaged.write(whole, 0, start);
            damaged.writeBytes(content.getBytes(StandardCharsets.UTF_8));
            damaged.write(whole, Math.min(end, whole.length), Math.max(0, whole.length - end));
            Files.write(bad, damaged.toByteArray());
            assertThatThrownBy(() -> Tokenizer.load(bad)).isInstanceOf(TokenizerException.class)
                    .hasMessageContaining(named).hasMessageContaining(file).message().startsWith("expected ")
                    .contains(", found ", "; ").doesNotContain("\n");
        }
    }

    @Test
    void anUnknownRankFileIsRefused() throws IOException {
        write(own("tiktoken"), dir);
        Files.delete(dir.resolve("tokenizer_config.json"));
        assertThatThrownBy(() -> Tokenizer.load(dir)).isInstanceOf(TokenizerException.class)
                .hasMessageContaining("cl100k_base (100256)").hasMessageContaining("419 ranks")
                .hasMessageContaining("pat_str");
    }

    /** What Hugging Face makes of texts with a map that sentencepiece compiled. */
    @Test
    void replacementsAreThoseOfHuggingFace() {
        Json file = new Json(Fixtures.resource("charsmap.json"), "charsmap.json", "");
        Normalizer normalizer = new Normalizer.Precompiled(PrecompiledCharsMap.parse(file.get("precompiled_charsmap")));
        for (JsonNode row : file.node().get("rows")) {
            for (boolean tracked : new boolean[]{false, true}) {
                assertThat(normalizer.apply(NormalizedText.of(row.get(0).textValue(), tracked)).text())
                        .isEqualTo(row.get(1).textValue());
            }
        }
    }
}
