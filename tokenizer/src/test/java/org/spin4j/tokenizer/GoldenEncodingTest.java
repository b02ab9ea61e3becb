package org.spin4j.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Ids and texts of Hugging Face's tokenizers 0.23.2, for real tokenizers and for small ones that ask for one thing each. */
class GoldenEncodingTest {
    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "llama2", "mistral", "llama3", "qwen3",
            "../models/tinystories-instruct-3m-chat-q4/hf"})
    void realTokenizersGiveTheIdsOfHuggingFace(String name) {
        Path folder = SharedData.require("data/tokenizers/gpt2").resolveSibling(name);
        Path golden = SharedData.require("data/tokenizers/golden_encodings.jsonl");
        Tokenizer tokenizer = Tokenizer.load(folder);
        List<JsonNode> rows = Fixtures.lines(golden).stream()
                .filter(row -> row.get("tokenizer").textValue().equals(name + "/tokenizer.json")).toList();
        assertThat(rows).hasSize(29);
        for (JsonNode row : rows) {
            String text = row.get("text").textValue();
            int[] ids = Fixtures.ints(row.get("ids_no_special"));
            assertThat(tokenizer.encode(text)).as(text).isEqualTo(Fixtures.ints(row.get("ids")));
            assertThat(tokenizer.encode(text, EncodeOptions.TEMPLATED)).as(text).isEqualTo(ids);
            assertThat(tokenizer.decode(ids, false)).as(text).isEqualTo(row.get("decoded").textValue());
        }
    }

    @Test
    void storiesTokenizerGivesTheIdsOfItsCheckpoint() {
        Path folder = SharedData.require("data/models/stories260K/hf");
        Tokenizer tokenizer = Tokenizer.load(folder);
        JsonNode golden = Fixtures.json(folder.resolve("golden.json"));
        assertThat(tokenizer.encode(golden.get("text").textValue())).isEqualTo(Fixtures.ints(golden.get("ids")));
        assertThat(tokenizer.decode(Fixtures.ints(golden.get("greedy_from_bos")), true))
                .isEqualTo(golden.get("greedy_text").textValue());
        assertThat(tokenizer.special().toString())
                .isEqualTo("Special[bos=OptionalInt[1], eos=OptionalInt[2], pad=OptionalInt.empty]");
        assertThat(tokenizer.vocabSize()).isEqualTo(512);
    }

    @Test
    void tinystoriesTokenizerGivesTheIdsOfItsCheckpoint() {
        Path folder = SharedData.require("data/models/tinystories-instruct-3m-chat-q4/hf");
        Tokenizer tokenizer = Tokenizer.load(folder);
        JsonNode cases = Fixtures.json(folder.resolve("golden.json")).get("cases");
        assertThat(cases).isNotEmpty();
        for (JsonNode one : cases) {
            assertThat(tokenizer.encode(one.get("prompt").textValue())).isEqualTo(Fixtures.ints(one.get("ids")));
        }
        assertThat(tokenizer.eosId()).hasValue(14018);
        assertThat(tokenizer.specialTokens()).containsExactly(java.util.Map.entry("<|endoftext|>", 14018));
    }

    @TestFactory
    List<DynamicTest> everyFeatureGivesTheIdsOfHuggingFace() {
        return Stream.of("variants.jsonl", "models.jsonl").flatMap(file -> Fixtures.resourceLines(file).stream())
                .map(variant -> DynamicTest.dynamicTest(variant.get("name").textValue(), () -> {
                    Tokenizer tokenizer = Fixtures.tokenizer(variant.get("tokenizer"));
                    for (JsonNode row : variant.get("rows")) {
                        String text = row.get("text").textValue();
                        int[] ids = Fixtures.ints(row.get("ids"));
                        assertThat(tokenizer.encode(text)).as(text).isEqualTo(ids);
                        assertThat(tokenizer.encode(text, EncodeOptions.PLAIN)).as("plain " + text)
                                .isEqualTo(Fixtures.ints(row.get("plain")));
                        assertDecoded(tokenizer, ids, false, row.get("decoded"));
                        assertDecoded(tokenizer, ids, true, row.get("skipped"));
                    }
                    for (JsonNode row : variant.get("decode")) {
                        assertDecoded(tokenizer, Fixtures.ints(row.get("ids")), false, row.get("decoded"));
                    }
                })).toList();
    }

    /** Null stands where Hugging Face itself fails, on stripping the end of an empty text: there it is enough that we do not. */
    private static void assertDecoded(Tokenizer tokenizer, int[] ids, boolean skipSpecial, JsonNode expected) {
        String text = tokenizer.decode(ids, skipSpecial);
        if (!expected.isNull()) {
            assertThat(text).as(Arrays.toString(ids)).isEqualTo(expected.textValue());
        }
    }
}
