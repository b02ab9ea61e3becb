package org.spin4j.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
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
}
