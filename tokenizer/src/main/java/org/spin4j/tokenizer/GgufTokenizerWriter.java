package org.spin4j.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.spin4j.tokenizer.GgufTokenizer.Kind;

/**
 * A tokenizer.json as metadata of a GGUF file, if GGUF has words for all that it does: byte-level BPE with a known expression, or
 * SentencePiece's BPE. What is written reads back to the same ids.
 */
final class GgufTokenizerWriter {
    /** The score of a token that is never merged. */
    private static final float UNMERGED = -1e6f;

    private final Tokenizer tokenizer;
    private final JsonNode json;
    private final Map<String, Object> out = new LinkedHashMap<>();
    private final String[] tokens;
    private final int[] kinds;

    private GgufTokenizerWriter(Tokenizer tokenizer, JsonNode json, int size) {
        this.tokenizer = tokenizer;
        this.json = json;
        if (tokenizer.vocabSize() > size) {
            throw lacking("at most " + size + " tokens, as the model has,", tokenizer.vocabSize() + "");
        }
        tokens = new String[size];
        kinds = new int[size];
    }

    /**
     * @param frame what goes around the ids of a text, those as {@link Tokenizer#TEXT}
     * @param size rows of the model's embedding; those without a token get one that is never used
     */
    static Map<String, Object> write(Tokenizer tokenizer, JsonNode json, int[] frame,
            Optional<ChatTemplate> template, int size) {
        GgufTokenizerWriter writer = new GgufTokenizerWriter(tokenizer, json, size);
        writer.write(frame);
        template.ifPresent(chat -> {
            writer.out.put(GgufTokenizer.TEMPLATE, chat.source());
            chat.toolSource().ifPresent(source -> {
                writer.out.put(GgufTokenizer.TEMPLATE + "s", List.of("tool_use"));
                writer.out.put(GgufTokenizer.TOOL_TEMPLATE, source);
            });
        });
        return writer.out;
    }

    private void write(int[] frame) {
        JsonNode model = json.path("model");
        if (!model.path("type").asText("BPE").equals("BPE")) {
            throw lacking("a BPE model", model.path("type").asText());
        }
        Optional<GgufPre> pre = GgufPre.of(json);
        boolean sentencePiece = model.path("byte_fallback").asBoolean();
        vocab(model, sentencePiece);
        if (sentencePiece) {
            out.put(GgufTokenizer.MODEL, GgufTokenizer.LLAMA);
            out.put(GgufTokenizer.PRE, "default");
        } else {
            out.put(GgufTokenizer.MODEL, GgufTokenizer.GPT2);
            out.put(GgufTokenizer.PRE, pre.orElseThrow(() -> lacking("words cut in a way that GGUF has a name for",
                    json.path("pre_tokenizer") + " after the normalizer " + json.path("normalizer"))).names()
                    .getFirst());
        }
        out.put(GgufTokenizer.TOKENS, List.of(tokens));
        if (sentencePiece) {
            out.put(GgufTokenizer.SCORES, scores(model));
        }
        out.put(GgufTokenizer.TYPES, kinds);
        if (sentencePiece) {
            out.put(GgufTokenizer.SPACE_PREFIX, spacePrefix());
        } else {
            out.put(GgufTokenizer.MERGES, merges(model));
        }
        Special special = tokenizer.special();
        special.bos().ifPresent(id -> out.put(GgufTokenizer.BOS, id));
        special.eos().ifPresent(id -> out.put(GgufTokenizer.EOS, id));
        special.pad().ifPresent(id -> out.put(GgufTokenizer.PAD, id));
        JsonNode unknown = model.path("unk_token");
        if (unknown.isTextual()) {
            tokenizer.id(unknown.textValue()).ifPresent(id -> out.put(GgufTokenizer.UNKNOWN, id));
        }
        around(frame, special);
    }

    private void vocab(JsonNode model, boolean sentencePiece) {
        model.path("vocab").properties().forEach(entry -> {
            int id = entry.getValue().intValue();
            tokens[id] = entry.getKey();
            kinds[id] = (sentencePiece && isByte(entry.getKey()) ? Kind.BYTE : Kind.NORMAL).number();
        });
        for (JsonNode token : json.path("added_tokens")) {
            int id = token.path("id").intValue();
            for (String flag : List.of("single_word", "lstrip", "rstrip")) {
                if (token.path(flag).asBoolean()) {
                    throw lacking("added tokens that are found wherever they stand", flag + " of " + token.path(
                            "content"));
                }
            }
            tokens[id] = token.path("content").textValue();
            boolean unknown = tokens[id].equals(model.path("unk_token").textValue());
            kinds[id] = (unknown ? Kind.UNKNOWN : token.path("special").asBoolean() ? Kind.CONTROL : Kind.USER_DEFINED)
                    .number();
        }
        for (int id = 0; id < tokens.length; id++) {
            if (tokens[id] == null) {
                tokens[id] = "[PAD" + id + "]";
                kinds[id] = Kind.UNUSED.number();
            }
        }
    }

    private static boolean isByte(String token) {
        return token.length() == 6 && token.matches("<0x[0-9A-F]{2}>");
    }

    private List<String> merges(JsonNode model) {
        List<String> merges = new ArrayList<>();
        for (JsonNode merge : model.path("merges")) {
            merges.add(merge.isTextual() ? merge.textValue() : merge.path(0).asText() + " " + merge.path(1).asText());
        }
        return merges;
    }

    /**
     * Scores in the order in which tokens are first merged. SentencePiece merges whatever makes a token, so that the list of merges must be
     * the one that these scores imply.
     */
    private float[] scores(JsonNode model) {
        float[] scores = new float[tokens.length];
        Arrays.fill(scores, UNMERGED);
        int rank = 0;
        for (JsonNode merge : model.path("merges")) {
            int id = tokenizer.id(merged(merge)).orElseThrow();
            if (scores[id] == UNMERGED) {
                scores[id] = -rank++;
            }
        }
        Map<String, Integer> mergeable = new LinkedHashMap<>();
        for (int id = 0; id < tokens.length; id++) {
            if (kinds[id] == Kind.NORMAL.number() || kinds[id] == Kind.USER_DEFINED.number()) {
                mergeable.put(tokens[id], id);
            } else {
                scores[id] = 0;
            }
        }
        List<String> learned = mergeable.keySet().stream()
                .sorted(Comparator.comparing((String token) -> -scores[mergeable.get(token)])
                        .thenComparing(mergeable::get))
                .toList();
        ObjectNode implied = new TokenizerJson().bpe(Map.of(), null, true, false);
        TokenizerJson.impliedMerges(implied, mergeable, learned, "the tokenizer");
        ArrayNode wanted = (ArrayNode) implied.get("merges");
        JsonNode found = model.path("merges");
        for (int i = 0; i < Math.max(wanted.size(), found.size()); i++) {
            if (!pair(wanted.path(i)).equals(pair(found.path(i)))) {
                throw lacking("merges as SentencePiece would make them (" + pair(wanted.path(i)) + " as merge " + i
                        + ")", pair(found.path(i)));
            }
        }
        return scores;
    }

    private static String pair(JsonNode merge) {
        return merge.isArray() ? merge.path(0).asText() + " " + merge.path(1).asText() : merge.asText();
    }

    private static String merged(JsonNode merge) {
        return merge.isArray() ? merge.path(0).asText() + merge.path(1).asText() : merge.asText().replace(" ", "");
    }

    /** Whether a space goes in front of each text, where all that is done to it is what SentencePiece does. */
    private boolean spacePrefix() {
        List<JsonNode> steps = new ArrayList<>();
        JsonNode normalizer = json.path("normalizer");
        if (normalizer.path("normalizers").isArray()) {
            normalizer.path("normalizers").forEach(steps::add);
        } else {
            steps.add(normalizer);
        }
        ObjectNode prepend = TokenizerJson.part("Prepend").put("prepend", TokenizerJson.SPACE);
        ObjectNode replace = TokenizerJson.replace(" ", TokenizerJson.SPACE);
        boolean known = steps.equals(List.of(prepend, replace)) || steps.equals(List.of(replace));
        if (!known || !json.path("pre_tokenizer").isNull() && !json.path("pre_tokenizer").isMissingNode()) {
            throw lacking("spaces written as " + TokenizerJson.SPACE + " and nothing else done to a text", normalizer
                    + " and " + json.path("pre_tokenizer"));
        }
        return steps.size() == 2;
    }

    /** Tokens that go around each text: what a file can say is whether those that begin and end one do. */
    private void around(int[] frame, Special special) {
        int text = 0;
        while (frame[text] != Tokenizer.TEXT) {
            text++;
        }
        int[] before = Arrays.copyOf(frame, text);
        int[] after = Arrays.copyOfRange(frame, text + 1, frame.length);
        out.put(GgufTokenizer.ADD_BOS, one(before, GgufTokenizer.BOS, special.bos()));
        out.put(GgufTokenizer.ADD_EOS, one(after, GgufTokenizer.EOS, special.eos()));
    }

    /** Whether there is one token, which becomes that of its role if none is. */
    private boolean one(int[] ids, String key, OptionalInt role) {
        if (ids.length > 1 || ids.length == 1 && role.orElse(ids[0]) != ids[0]) {
            throw lacking("no tokens around a text but those that begin and end one", Arrays.toString(ids));
        }
        if (ids.length == 1) {
            out.put(key, ids[0]);
        }
        return ids.length == 1;
    }

    private static TokenizerException lacking(String expected, String found) {
        String shown = found.length() <= 200 ? found : found.substring(0, 200) + "…";
        return new TokenizerException("expected " + expected + " for a GGUF file, found " + shown.replace('\n', ' ')
                + "; keep the model in a folder with its tokenizer.json");
    }
}
