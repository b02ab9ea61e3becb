package org.spin4j.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The small files beside a vocabulary that name its added and special tokens: tokenizer_config.json, added_tokens.json and
 * special_tokens_map.json. Each may be absent.
 *
 * @param dir where they lie
 * @param settings the tokenizer_config.json
 */
record Companions(Path dir, Optional<Json> settings) {
    private static final List<String> ROLES = List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token",
            "cls_token", "mask_token");

    static Companions of(Path dir) {
        return new Companions(dir, optional(dir.resolve("tokenizer_config.json")));
    }

    /**
     * The class of Hugging Face's transformers that the vocabulary is for.
     *
     * @param known those whose rules are those of the vocabulary alone
     * @param usual the one where none is named
     */
    String tokenizerClass(Set<String> known, String usual) {
        Optional<Json> named = settings.flatMap(json -> json.find("tokenizer_class"));
        if (named.isEmpty()) {
            return usual;
        }
        String type = named.get().string().replaceFirst("Fast$", "");
        if (!known.contains(type)) {
            throw named.get().unsupported("the class " + type
                    + ", whose rules no vocabulary file tells (its tokenizer.json would do),");
        }
        return type;
    }

    /** Adds the tokens that the files name. */
    void addTokens(TokenizerJson json) {
        Optional<Json> added = optional(dir.resolve("added_tokens.json"));
        if (added.isPresent()) {
            for (String content : keys(added.get())) {
                int id = added.get().get(content).integer(0, Model.MAX_ID - 1);
                json.add(new AddedToken(id, content, false, false, false, true, false));
            }
        }
        Optional<Json> decoder = settings.flatMap(config -> config.find("added_tokens_decoder"));
        if (decoder.isPresent()) {
            for (String key : keys(decoder.get())) {
                Json entry = decoder.get().get(key);
                if (!key.matches("[0-9]{1,7}")) {
                    throw entry.expected("an id as key");
                }
                json.add(token(Integer.parseInt(key), entry, entry.bool("special", false)));
            }
        }
        settings.ifPresent(config -> addRoles(json, config));
        optional(dir.resolve("special_tokens_map.json")).ifPresent(map -> addRoles(json, map));
    }

    private static void addRoles(TokenizerJson json, Json map) {
        for (String role : ROLES) {
            map.find(role).ifPresent(value -> addRole(json, value));
        }
        map.find("additional_special_tokens").ifPresent(list -> list.items().forEach(value -> addRole(json, value)));
    }

    private static void addRole(TokenizerJson json, Json value) {
        Integer id = json.id(ChatTemplate.tokenText(value));
        if (id == null) {
            throw value.expected("a token of the vocabulary");
        }
        json.add(token(id, value, true));
    }

    private static AddedToken token(int id, Json value, boolean special) {
        if (!value.node().isObject()) {
            return new AddedToken(id, value.string(), false, false, false, !special, special);
        }
        return new AddedToken(id, value.get("content").string(), value.bool("single_word", false),
                value.bool("lstrip", false), value.bool("rstrip", false), value.bool("normalized", !special), special);
    }

    /** Puts the tokens that begin and end a text around it, if tokenizer_config.json says so, or where it is silent, as is usual. */
    void around(TokenizerJson json, boolean usuallyBos, boolean usuallyEos) {
        Json roles = settings.orElse(json.roles("the vocabulary"));
        json.around(token(json, roles, "bos_token", usuallyBos), token(json, roles, "eos_token", usuallyEos));
    }

    private String token(TokenizerJson json, Json roles, String role, boolean usual) {
        if (!settings.map(config -> config.bool("add_" + role, usual)).orElse(usual)) {
            return null;
        }
        Optional<Json> named = roles.find(role).or(() -> json.roles("the vocabulary").find(role));
        if (named.isEmpty()) {
            return null;
        }
        String token = ChatTemplate.tokenText(named.get());
        if (json.id(token) == null) {
            throw named.get().expected("a token of the vocabulary");
        }
        return token;
    }

    private static List<String> keys(Json json) {
        if (!json.node().isObject()) {
            throw json.expected("an object");
        }
        return json.node().properties().stream().map(Map.Entry<String, JsonNode>::getKey).toList();
    }

    private static Optional<Json> optional(Path file) {
        return Files.exists(file) ? Optional.of(Json.parse(Json.readFile(file), file.toString())) : Optional.empty();
    }
}
