package org.spin4j.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashMap;
import java.util.Map;

/** What makes tokens of a piece of text that is normalised and cut: the {@code model} of a tokenizer.json. */
sealed interface Model permits Bpe, WordLevel, WordPiece {
    /** No vocabulary in use has a quarter of this many tokens; the bound keeps a file from making us allocate what it likes. */
    int MAX_ID = 1 << 22;

    /** Every token of the model with its id. */
    Map<String, Integer> vocab();

    /** Appends the ids of the piece {@code text[start, end)}, which is not empty. */
    void encode(String text, int start, int end, Ints out);

    /**
     * Reads the model of a tokenizer.json.
     *
     * @param spellBytes whether pieces reach the model as bytes, in the byte alphabet
     */
    static Model parse(Json json, boolean spellBytes) {
        String type = json.find("type").map(Json::string).orElse("BPE");
        if (spellBytes && !type.equals("BPE")) {
            throw json.unsupported("the model " + type + " after a ByteLevel pre-tokenizer");
        }
        return switch (type) {
            case "BPE" -> Bpe.parse(json, spellBytes);
            case "WordLevel" -> WordLevel.parse(json);
            case "WordPiece" -> WordPiece.parse(json);
            default -> throw json.unsupported("the model " + type);
        };
    }

    /** An object of tokens with their ids, each id given once. */
    static Map<String, Integer> vocab(Json json) {
        if (!json.node().isObject()) {
            throw json.expected("an object");
        }
        Map<String, Integer> vocab = HashMap.newHashMap(json.node().size());
        boolean[] taken = new boolean[MAX_ID];
        for (Map.Entry<String, JsonNode> entry : json.node().properties()) {
            Json value = new Json(entry.getValue(), json.file(), json.path() + "." + entry.getKey());
            int id = value.integer(0, MAX_ID - 1);
            if (taken[id]) {
                throw value.expected("an id that no other token has");
            }
            taken[id] = true;
            vocab.put(entry.getKey(), id);
        }
        return vocab;
    }

    /** The id of the token that stands for unknown text. */
    static int unknown(Json json, Map<String, Integer> vocab) {
        Integer id = vocab.get(json.string());
        if (id == null) {
            throw json.expected("a token of the vocabulary");
        }
        return id;
    }
}
