package org.spin4j.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Optional;

/**
 * What {@code tokenizer.ggml.pre} names: how text becomes words before byte-level BPE merges them. The expressions are those that
 * llama.cpp knows the names of, in Hugging Face's spelling.
 *
 * @param names        the first is written
 * @param words        cuts the text; null for GPT-2's way
 * @param digits       each digit is a word of its own, whatever stands around it
 * @param nfc          text is composed first
 * @param ignoreMerges a word that is a token is not merged from its parts
 * @param bos          a text begins with the token for that where the file does not say
 */
record GgufPre(List<String> names, WordPattern words, boolean digits, boolean nfc, boolean ignoreMerges, boolean bos) {
    private static final List<GgufPre> ALL = List.of(
            new GgufPre(List.of("gpt-2", "mpt", "olmo", "jais", "phi-2"), null, false, false, false, false),
            new GgufPre(List.of("llama-bpe", "llama3", "llama-v3", "falcon3", "pixtral"), WordPattern.LLAMA3, false,
                    false, true, true),
            new GgufPre(List.of("smaug-bpe", "dbrx"), WordPattern.LLAMA3, false, false, false, false),
            new GgufPre(List.of("qwen2", "deepseek-r1-qwen"), WordPattern.QWEN2, false, true, false, false),
            new GgufPre(List.of("gpt-4o", "llama4"), WordPattern.O200K, false, false, false, false),
            new GgufPre(List.of("smollm", "starcoder", "refact"), null, true, false, false, false));

    /** The one of that name. */
    static Optional<GgufPre> of(String name) {
        return ALL.stream().filter(pre -> pre.names.contains(name)).findFirst();
    }

    /** All names, for messages. */
    static String all() {
        return String.join(", ", ALL.stream().flatMap(pre -> pre.names.stream()).toList());
    }

    /** The one that a tokenizer.json describes; empty where there is no name for what that does. */
    static Optional<GgufPre> of(JsonNode json) {
        return ALL.stream().filter(pre -> pre.describes(json)).findFirst();
    }

    private boolean describes(JsonNode json) {
        boolean composes = "NFC".equals(json.path("normalizer").path("type").textValue());
        boolean asGiven = json.path("normalizer").isMissingNode() || json.path("normalizer").isNull();
        return (nfc ? composes : asGiven) && ignoreMerges == json.path("model").path("ignore_merges").asBoolean()
                && cuts(json.path("pre_tokenizer"));
    }

    private boolean cuts(JsonNode json) {
        if (words == null && !digits) {
            return isByteLevel(json, true);
        }
        JsonNode parts = json.path("pretokenizers");
        if (parts.size() != 2 || !isByteLevel(parts.get(1), digits)) {
            return false;
        }
        JsonNode first = parts.get(0);
        String type = first.path("type").asText();
        return digits
                ? type.equals("Digits") && first.path("individual_digits").asBoolean()
                : type.equals("Split") && first.path("behavior").asText().equals("Isolated")
                        && !first.path("invert").asBoolean()
                        && words.regex().equals(first.path("pattern").path("Regex").textValue());
    }

    private static boolean isByteLevel(JsonNode json, boolean words) {
        return json.path("type").asText().equals("ByteLevel") && !json.path("add_prefix_space").asBoolean(true)
                && json.path("use_regex").asBoolean(true) == words;
    }

    /** Describes it in a tokenizer.json that has a BPE model. */
    void describe(TokenizerJson json) {
        if (nfc) {
            json.normalizer(List.of(TokenizerJson.part("NFC")));
        }
        json.byteLevel(words == null ? null : words.regex(), false);
        if (digits) {
            ObjectNode each = TokenizerJson.part("Digits").put("individual_digits", true);
            json.beforeWords(each);
        }
    }
}
