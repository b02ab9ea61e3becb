package org.spin4j.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Every part that a tokenizer.json may name, on small vocabularies made for this: ids, offsets, types, overflow and decoded text of Hugging
 * Face's tokenizers 0.23.2. The overflow is that of texts encoded in full, as versions up to 0.22 do.
 */
class PartsGoldenTest {
    @TestFactory
    List<DynamicTest> everyPartGivesWhatHuggingFaceGives() {
        Map<String, JsonNode> models = new HashMap<>();
        List<DynamicTest> tests = new ArrayList<>();
        for (JsonNode line : Fixtures.resourceLines("parts.jsonl")) {
            if (line.has("id")) {
                models.put(line.get("id").textValue(), line.get("model"));
                continue;
            }
            ObjectNode json = line.get("parts").deepCopy();
            json.set("model", models.get(line.get("model").textValue()));
            tests.add(DynamicTest.dynamicTest(line.get("name").textValue(), () -> {
                Tokenizer tokenizer = Fixtures.tokenizer(json);
                for (JsonNode row : line.get("rows")) {
                    if (row.has("decode")) {
                        int[] ids = Fixtures.ints(row.get("decode"));
                        assertThat(tokenizer.decode(ids, true)).isEqualTo(row.get("text").textValue());
                        assertThat(Fixtures.streamed(tokenizer, ids, true)).isEqualTo(row.get("text").textValue());
                    } else {
                        assertEncoded(tokenizer, row);
                    }
                }
            }));
        }
        assertThat(tests).hasSizeGreaterThanOrEqualTo(150);
        return tests;
    }

    private static void assertEncoded(Tokenizer tokenizer, JsonNode row) {
        String text = row.get("text").textValue();
        EncodeOptions options = new EncodeOptions(!row.has("plain"), true);
        List<String> texts = new ArrayList<>(List.of(text));
        Encoding encoding;
        if (row.has("pair")) {
            texts.add(row.get("pair").textValue());
            encoding = tokenizer.encoding(text, texts.getLast(), options);
        } else {
            encoding = tokenizer.encoding(text, options);
            assertThat(tokenizer.encode(text, options)).as("ids alone of " + text).isEqualTo(encoding.ids());
        }
        String name = String.join(" | ", texts);
        assertRows(encoding, texts, row.get("ids"), row.get("offsets"), name);
        int[] types = row.has("types") ? Fixtures.ints(row.get("types")) : new int[encoding.ids().length];
        assertThat(encoding.typeIds()).as("types of " + name).isEqualTo(types);
        if (row.has("attention")) {
            assertThat(encoding.attentionMask()).as(name).isEqualTo(Fixtures.ints(row.get("attention")));
        } else {
            assertThat(encoding.attentionMask()).as(name).containsOnly(1);
        }
        assertThat(encoding.overflowing()).as("overflow of " + name)
                .hasSize(row.has("overflow") ? row.get("overflow").size() : 0);
        for (int i = 0; i < encoding.overflowing().size(); i++) {
            JsonNode part = row.get("overflow").get(i);
            assertRows(encoding.overflowing().get(i), texts, part.get(0), part.get(1), name + " overflow " + i);
        }
    }

    /** Hugging Face counts offsets in code points. */
    private static void assertRows(Encoding encoding, List<String> texts, JsonNode ids, JsonNode offsets, String name) {
        assertThat(encoding.ids()).as(name).isEqualTo(Fixtures.ints(ids));
        for (int i = 0; i < ids.size(); i++) {
            int start = offsets.get(2 * i).intValue();
            int end = offsets.get(2 * i + 1).intValue();
            if (encoding.sequences()[i] >= 0) {
                String text = texts.get(encoding.sequences()[i]);
                start = text.offsetByCodePoints(0, start);
                end = text.offsetByCodePoints(0, end);
            }
            assertThat(List.of(encoding.starts()[i], encoding.ends()[i])).as("offsets of token " + i + " of " + name)
                    .isEqualTo(List.of(start, end));
        }
    }
}
