package org.spin4j.tokenizer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A tokenizer.json in the making, out of a format that says less. Its parts are those that Hugging Face's own converters would write, so
 * that one reader gives the ids of every format, and what is saved loads in Hugging Face.
 */
final class TokenizerJson {
    /** Stands for a space in the vocabularies of SentencePiece. */
    static final String SPACE = "▁";

    /** Published vocabularies have two or three merges a token; a hostile one could have as many as it has characters. */
    private static final int MERGES_PER_TOKEN = 16;

    private final ObjectNode root = Json.NODES.objectNode();
    private final Map<Integer, AddedToken> added = new TreeMap<>();
    private final ObjectNode roles = Json.NODES.objectNode();

    TokenizerJson() {
        root.put("version", "1.0").putNull("truncation").putNull("padding").putNull("added_tokens");
        root.putNull("normalizer").putNull("pre_tokenizer").putNull("post_processor").putNull("decoder");
    }

    /** Adds a token, or says more of one that is there. */
    void add(AddedToken token) {
        added.put(token.id(), token);
    }

    void addSpecial(int id, String content) {
        add(new AddedToken(id, content, false, false, false, false, true));
    }

    /** What the format says of the tokens in special roles, null for none; a tokenizer_config.json has the last word. */
    void roles(String bos, String eos, String pad) {
        roles.put("bos_token", bos).put("eos_token", eos).put("pad_token", pad);
    }

    /** The roles as a tokenizer_config.json gives them. */
    Json roles(String file) {
        return new Json(roles, file, "");
    }

    /** The id of an added token or, failing that, of one of the model; null without either. */
    Integer id(String token) {
        for (AddedToken known : added.values()) {
            if (known.content().equals(token)) {
                return known.id();
            }
        }
        JsonNode known = root.path("model").path("vocab").path(token);
        return known.isInt() ? known.intValue() : null;
    }

    void normalizer(List<ObjectNode> steps) {
        if (!steps.isEmpty()) {
            root.set("normalizer", sequence("normalizers", steps));
        }
    }

    /** Pieces are bytes, cut by an expression; null for that of GPT-2, which is built in. */
    void byteLevel(String regex, boolean prefixSpace) {
        ObjectNode bytes = byteLevelPart(prefixSpace, true, regex == null);
        root.set("pre_tokenizer", regex == null ? bytes : sequence("pretokenizers", List.of(split(regex), bytes)));
        root.set("post_processor", byteLevelPart(true, false, true));
        root.set("decoder", byteLevelPart(true, true, true));
    }

    /** Puts a pre-tokenizer before the one that is there. */
    void beforeWords(ObjectNode part) {
        root.set("pre_tokenizer", sequence("pretokenizers", List.of(part, (ObjectNode) root.get("pre_tokenizer"))));
    }

    /** Spaces are spelled {@link #SPACE}, unknown characters perhaps as bytes; a space put in front is taken off again. */
    void spacedDecoder(boolean byteFallback, boolean prefixSpace) {
        List<ObjectNode> steps = new ArrayList<>(List.of(replace(SPACE, " ")));
        if (byteFallback) {
            steps.add(part("ByteFallback"));
        }
        steps.add(part("Fuse"));
        if (prefixSpace) {
            steps.add(part("Strip").put("content", " ").put("start", 1).put("stop", 0));
        }
        root.set("decoder", sequence("decoders", steps));
    }

    /** Puts tokens around each text; null for none. */
    void around(String before, String after) {
        if (before == null && after == null) {
            return;
        }
        ObjectNode template = part("TemplateProcessing");
        for (String form : List.of("single", "pair")) {
            ArrayNode pieces = template.putArray(form);
            int type = 0;
            for (String sequence : form.equals("single") ? List.of("A") : List.of("A", "B")) {
                addPiece(pieces, "SpecialToken", before, type);
                addPiece(pieces, "Sequence", sequence, type);
                addPiece(pieces, "SpecialToken", after, type++);
            }
        }
        ObjectNode special = template.putObject("special_tokens");
        for (String token : new String[]{before, after}) {
            if (token != null) {
                ObjectNode entry = special.putObject(token).put("id", token);
                entry.putArray("ids").add(id(token));
                entry.putArray("tokens").add(token);
            }
        }
        root.set("post_processor", template);
    }

    private static void addPiece(ArrayNode pieces, String kind, String id, int type) {
        if (id != null) {
            pieces.addObject().putObject(kind).put("id", id).put("type_id", type);
        }
    }

    /** A BPE model that has no merges yet. */
    ObjectNode bpe(Map<String, Integer> vocab, String unk, boolean byteFallback, boolean ignoreMerges) {
        ObjectNode model = part("BPE").putNull("dropout").put("unk_token", unk);
        model.putNull("continuing_subword_prefix").putNull("end_of_word_suffix");
        model.put("fuse_unk", unk != null).put("byte_fallback", byteFallback).put("ignore_merges", ignoreMerges);
        ObjectNode tokens = model.putObject("vocab");
        vocab.forEach(tokens::put);
        root.set("model", model);
        return model;
    }

    /**
     * The merges of a vocabulary that does not list them: a token arises from any two others that spell it.
     *
     * @param model what they are for
     * @param ids the tokens that take part, with their ids
     * @param learned those tokens in the order in which they were learned
     * @param file what to call the vocabulary in a message
     */
    static void impliedMerges(ObjectNode model, Map<String, Integer> ids, List<String> learned, String file) {
        ArrayNode merges = model.putArray("merges");
        // Pairs as "a b" take half the time to read, where no token has a space.
        boolean spaced = learned.stream().anyMatch(token -> token.indexOf(' ') >= 0);
        long most = 4096L + (long) MERGES_PER_TOKEN * ids.size();
        for (String token : learned) {
            List<Integer> cuts = new ArrayList<>();
            for (int cut = token.offsetByCodePoints(0, 1); cut < token.length(); cut = token.offsetByCodePoints(cut,
                    1)) {
                if (ids.containsKey(token.substring(0, cut)) && ids.containsKey(token.substring(cut))) {
                    cuts.add(cut);
                }
            }
            cuts.sort(Comparator.comparing((Integer cut) -> ids.get(token.substring(0, cut)))
                    .thenComparing(cut -> ids.get(token.substring(cut))));
            for (int cut : cuts) {
                if (spaced) {
                    merges.addArray().add(token.substring(0, cut)).add(token.substring(cut));
                } else {
                    merges.add(token.substring(0, cut) + " " + token.substring(cut));
                }
            }
            if (merges.size() > most) {
                throw new TokenizerException("expected at most " + most + " ways to merge " + ids.size()
                        + " tokens, found more in " + file + "; the file is damaged");
            }
        }
    }

    ObjectNode model(String type) {
        ObjectNode model = part(type);
        root.set("model", model);
        return model;
    }

    byte[] bytes() {
        ArrayNode list = root.putArray("added_tokens");
        for (AddedToken token : added.values()) {
            list.addObject().put("id", token.id()).put("content", token.content())
                    .put("single_word", token.singleWord()).put("lstrip", token.lstrip()).put("rstrip", token.rstrip())
                    .put("normalized", token.normalized()).put("special", token.special());
        }
        try {
            return Json.Mapping.MAPPER.writeValueAsBytes(root);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree of our own making can be written", e);
        }
    }

    static ObjectNode part(String type) {
        return Json.NODES.objectNode().put("type", type);
    }

    static ObjectNode replace(String text, String content) {
        ObjectNode part = part("Replace");
        part.putObject("pattern").put("String", text);
        return part.put("content", content);
    }

    static ObjectNode replaceRegex(String regex, String content) {
        ObjectNode part = part("Replace");
        part.putObject("pattern").put("Regex", regex);
        return part.put("content", content);
    }

    private static ObjectNode split(String regex) {
        ObjectNode part = part("Split");
        part.putObject("pattern").put("Regex", regex);
        return part.put("behavior", "Isolated").put("invert", false);
    }

    private static ObjectNode sequence(String key, List<ObjectNode> steps) {
        ObjectNode part = part("Sequence");
        part.putArray(key).addAll(steps);
        return part;
    }

    private static ObjectNode byteLevelPart(boolean prefixSpace, boolean trimOffsets, boolean useRegex) {
        return part("ByteLevel").put("add_prefix_space", prefixSpace).put("trim_offsets", trimOffsets).put("use_regex",
                useRegex);
    }
}
