package org.spin4j.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tokenizers in other formats than tokenizer.json. */
class OtherFormatsTest {
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
}
