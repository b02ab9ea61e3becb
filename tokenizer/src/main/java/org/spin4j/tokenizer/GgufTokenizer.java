package org.spin4j.tokenizer;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The tokenizer in the metadata of a GGUF file as a tokenizer.json: {@code tokenizer.ggml.model} {@code llama}, which is
 * SentencePiece's BPE with scores, or {@code gpt2}, byte-level BPE with merges. Source: {@code docs/gguf.md} of ggml and
 * {@code llama-vocab.cpp} of llama.cpp.
 */
final class GgufTokenizer {
    static final String MODEL = "tokenizer.ggml.model";
    static final String PRE = "tokenizer.ggml.pre";
    static final String TOKENS = "tokenizer.ggml.tokens";
    static final String SCORES = "tokenizer.ggml.scores";
    static final String TYPES = "tokenizer.ggml.token_type";
    static final String MERGES = "tokenizer.ggml.merges";
    static final String BOS = "tokenizer.ggml.bos_token_id";
    static final String EOS = "tokenizer.ggml.eos_token_id";
    static final String UNKNOWN = "tokenizer.ggml.unknown_token_id";
    static final String PAD = "tokenizer.ggml.padding_token_id";
    static final String ADD_BOS = "tokenizer.ggml.add_bos_token";
    static final String ADD_EOS = "tokenizer.ggml.add_eos_token";
    static final String SPACE_PREFIX = "tokenizer.ggml.add_space_prefix";
    static final String REMOVE_SPACES = "tokenizer.ggml.remove_extra_whitespaces";
    static final String TEMPLATE = "tokenizer.chat_template";
    static final String TOOL_TEMPLATE = "tokenizer.chat_template.tool_use";
    static final String LLAMA = "llama";
    static final String GPT2 = "gpt2";
    private static final List<String> NONE = List.of("none", "no_vocab");

    /** Kinds of token, by the numbers that files have for them. */
    enum Kind {
        UNDEFINED(0), NORMAL(1), UNKNOWN(2), CONTROL(3), USER_DEFINED(4), UNUSED(5), BYTE(6);

        private final int number;

        Kind(int number) {
            this.number = number;
        }

        int number() {
            return number;
        }
    }

    private final Map<String, Object> metadata;
    private final String file;
    private final List<String> tokens = new ArrayList<>();
    private final List<Kind> kinds = new ArrayList<>();

    private GgufTokenizer(Map<String, Object> metadata, String file) {
        this.metadata = metadata;
        this.file = file;
    }

    /** The tokenizer of a file; empty where it has none. */
    static Optional<TokenizerJson> read(Map<String, Object> metadata, String file) {
        GgufTokenizer reader = new GgufTokenizer(metadata, file);
        Optional<String> model = reader.find(MODEL, String.class);
        return model.isEmpty() || NONE.contains(model.get()) ? Optional.empty() : Optional.of(reader.read(model.get()));
    }

    /** The tokens in special roles by the names that a chat template has for them. */
    static Map<String, String> roles(Map<String, Object> metadata, String file) {
        GgufTokenizer reader = new GgufTokenizer(metadata, file);
        Map<String, String> roles = new HashMap<>();
        if (metadata.containsKey(TOKENS)) {
            reader.tokens.addAll(reader.texts(TOKENS));
            Map.of("bos_token", BOS, "eos_token", EOS, "unk_token", UNKNOWN, "pad_token", PAD).forEach((role, key) -> {
                String token = reader.token(key);
                if (token != null) {
                    roles.put(role, token);
                }
            });
        }
        return roles;
    }

    private TokenizerJson read(String model) {
        if (!model.equals(LLAMA) && !model.equals(GPT2)) {
            throw bad(LLAMA + " or " + GPT2 + " as " + MODEL, "'" + model + "', which is not supported,");
        }
        tokens.addAll(texts(TOKENS));
        if (tokens.isEmpty() || tokens.size() > Model.MAX_ID) {
            throw bad("1 to " + Model.MAX_ID + " tokens", Integer.toString(tokens.size()));
        }
        int[] types = find(TYPES, int[].class).orElse(null);
        if (types != null && types.length != tokens.size()) {
            throw bad(tokens.size() + " numbers as " + TYPES, Integer.toString(types.length));
        }
        for (int id = 0; id < tokens.size(); id++) {
            kinds.add(types == null ? Kind.NORMAL : kind(types[id]));
        }
        TokenizerJson json = new TokenizerJson();
        boolean bos;
        if (model.equals(LLAMA)) {
            sentencePiece(json);
            bos = true;
        } else {
            GgufPre pre = byteLevel(json);
            bos = pre.bos();
        }
        addedTokens(json);
        json.roles(token(BOS), token(EOS), token(PAD));
        json.around(around(ADD_BOS, bos, BOS), around(ADD_EOS, false, EOS));
        return json;
    }

    private Kind kind(int number) {
        for (Kind kind : Kind.values()) {
            if (kind.number == number) {
                return kind;
            }
        }
        throw bad("types from 0 to 6 as " + TYPES, Integer.toString(number));
    }

    private void addedTokens(TokenizerJson json) {
        for (int id = 0; id < tokens.size(); id++) {
            switch (kinds.get(id)) {
                case UNKNOWN, CONTROL -> json.addSpecial(id, tokens.get(id));
                case USER_DEFINED -> json.add(new AddedToken(id, tokens.get(id), false, false, false, false, false));
                default -> {
                    // Of the model alone, or of nobody.
                }
            }
        }
    }

    /** Tokens by their texts, those that only fill the table left out. */
    private Map<String, Integer> vocab(boolean withAdded) {
        Map<String, Integer> vocab = LinkedHashMap.newLinkedHashMap(tokens.size());
        for (int id = 0; id < tokens.size(); id++) {
            Kind kind = kinds.get(id);
            boolean added = kind == Kind.CONTROL || kind == Kind.USER_DEFINED || kind == Kind.UNKNOWN;
            if (kind == Kind.UNUSED || kind == Kind.UNDEFINED || added && !withAdded) {
                continue;
            }
            Integer other = vocab.putIfAbsent(tokens.get(id), id);
            if (other != null) {
                throw bad("each token once", "'" + shown(tokens.get(id)) + "' as " + other + " and " + id);
            }
        }
        return vocab;
    }

    private GgufPre byteLevel(TokenizerJson json) {
        String name = find(PRE, String.class).orElse("default");
        GgufPre pre = GgufPre.of(name).orElseThrow(() -> bad("one of " + GgufPre.all() + " as " + PRE, "'" + shown(name)
                + "', whose words are not known,"));
        if (find(SPACE_PREFIX, Boolean.class).orElse(false)) {
            throw bad("no " + SPACE_PREFIX + " with " + GPT2, "true");
        }
        ObjectNode model = json.bpe(vocab(false), null, false, pre.ignoreMerges());
        ArrayNode merges = model.putArray("merges");
        texts(MERGES).forEach(merges::add);
        pre.describe(json);
        return pre;
    }

    private void sentencePiece(TokenizerJson json) {
        float[] scores = find(SCORES, float[].class)
                .orElseThrow(() -> bad("the key " + SCORES, "none"));
        if (scores.length != tokens.size()) {
            throw bad(tokens.size() + " numbers as " + SCORES, Integer.toString(scores.length));
        }
        Map<String, Integer> mergeable = LinkedHashMap.newLinkedHashMap(tokens.size());
        boolean bytes = false;
        int longest = 0;
        for (int id = 0; id < tokens.size(); id++) {
            if (kinds.get(id) == Kind.NORMAL || kinds.get(id) == Kind.USER_DEFINED) {
                mergeable.put(tokens.get(id), id);
                longest = Math.max(longest, tokens.get(id).length());
            }
            bytes |= kinds.get(id) == Kind.BYTE;
        }
        if (longest > SentencePieceFile.MAX_PIECE || mergeable.containsKey("")) {
            throw bad("tokens of 1 to " + SentencePieceFile.MAX_PIECE + " characters", "one of " + longest);
        }
        int unknown = role(UNKNOWN, kinds.indexOf(Kind.UNKNOWN));
        ObjectNode model = json.bpe(vocab(true), unknown < 0 ? null : tokens.get(unknown), bytes, false);
        List<String> learned = mergeable.keySet().stream()
                .sorted(Comparator.comparing((String token) -> -scores[mergeable.get(token)])
                        .thenComparing(mergeable::get))
                .toList();
        TokenizerJson.impliedMerges(model, mergeable, learned, file);
        boolean prefix = find(SPACE_PREFIX, Boolean.class).orElse(true);
        json.normalizer(SentencePieceFile.normalizers(new byte[0],
                find(REMOVE_SPACES, Boolean.class).orElse(false), prefix, true));
        json.spacedDecoder(bytes, prefix);
    }

    // ---- single values -----------------------------------------------------------------------------------------------

    private <T> Optional<T> find(String key, Class<T> type) {
        Object value = metadata.get(key);
        if (value == null) {
            return Optional.empty();
        }
        if (!type.isInstance(value)) {
            throw bad("a " + type.getSimpleName() + " as " + key, "a " + value.getClass().getSimpleName());
        }
        return Optional.of(type.cast(value));
    }

    private List<String> texts(String key) {
        List<?> values = find(key, List.class).orElseThrow(() -> bad("the key " + key, "none"));
        List<String> texts = new ArrayList<>(values.size());
        for (Object value : values) {
            if (!(value instanceof String text) || !text.equals(Tokenizer.wellFormed(text))) {
                throw bad("texts as " + key, shown(String.valueOf(value)));
            }
            texts.add(text);
        }
        return texts;
    }

    private int role(String key, int orElse) {
        Object value = metadata.get(key);
        // Programs differ in what they write for none: -1, in 32 bits without a sign.
        if (value == null || value instanceof Number n && (n.longValue() == -1 || n.longValue() == 0xFFFFFFFFL)) {
            return orElse;
        }
        if (!(value instanceof Integer id) || id < 0 || id >= tokens.size()) {
            throw bad("a token id below " + tokens.size() + " as " + key, shown(String.valueOf(value)));
        }
        return id;
    }

    private String token(String key) {
        int id = role(key, -1);
        return id < 0 ? null : tokens.get(id);
    }

    /** The token that goes around each text, null for none. */
    private String around(String key, boolean usual, String role) {
        if (!find(key, Boolean.class).orElse(usual && role(role, -1) >= 0)) {
            return null;
        }
        int id = role(role, -1);
        Kind kind = id < 0 ? Kind.UNUSED : kinds.get(id);
        if (kind == Kind.UNUSED || kind == Kind.UNDEFINED) {
            throw bad("a token for " + key, "none as " + role);
        }
        return tokens.get(id);
    }

    private static String shown(String text) {
        return text.length() <= 60 ? text : text.substring(0, 60) + "…";
    }

    private TokenizerException bad(String expected, String found) {
        return new TokenizerException("expected " + expected + ", found " + found.replace('\n', ' ') + " in " + file
                + "; use a file whose tokenizer is supported, or a tokenizer.json");
    }
}
