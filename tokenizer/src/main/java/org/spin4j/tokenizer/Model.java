package org.spin4j.tokenizer;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.function.IntPredicate;

/** What makes tokens of a piece of text that is normalised and cut: the {@code model} of a tokenizer.json. */
sealed interface Model permits Bpe, Unigram, WordLevel, WordPiece {
    /** No vocabulary in use has a quarter of this many tokens; the bound keeps a file from making us allocate what it likes. */
    int MAX_ID = 1 << 22;

    HexFormat HEX = HexFormat.of().withUpperCase();

    /** Every token of the model with its id. */
    Map<String, Integer> vocab();

    /** Appends the ids of the piece {@code text[start, end)}, which is not empty. */
    void encode(String text, int start, int end, Ints out);

    /**
     * Appends the same ids, and for each where in the piece its text starts and ends, in bytes of UTF-8; where the model spells bytes, in
     * bytes of that spelling.
     */
    void encode(String text, int start, int end, Ints out, Ints spans);

    /** The model for text of strangers, in which some tokens are never found. BPE makes no token but by its merges, so it stays. */
    default Model without(IntPredicate special) {
        return this;
    }

    static Map<String, Integer> without(Map<String, Integer> vocab, IntPredicate special) {
        Map<String, Integer> others = HashMap.newHashMap(vocab.size());
        vocab.forEach((token, id) -> {
            if (!special.test(id)) {
                others.put(token, id);
            }
        });
        return others;
    }

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
            case "Unigram" -> Unigram.parse(json);
            case "WordLevel" -> WordLevel.parse(json);
            case "WordPiece" -> WordPiece.parse(json);
            default -> throw json.unsupported("the model " + type);
        };
    }

    /** An object of tokens with their ids, each id given once. */
    static Map<String, Integer> vocab(Json json) {
        Map<String, Integer> vocab = new HashMap<>();
        BitSet taken = new BitSet();
        json.entries((token, in) -> {
            int id = in.currentToken() == JsonToken.VALUE_NUMBER_INT && in.getNumberType() == JsonParser.NumberType.INT
                    ? in.getIntValue()
                    : -1;
            if (id < 0 || id >= MAX_ID) {
                throw json.expected("a whole number from 0 to " + (MAX_ID - 1), "." + token, in);
            }
            if (taken.get(id)) {
                throw json.expected("an id that no other token has", "." + token, in);
            }
            taken.set(id);
            if (!token.equals(Tokenizer.wellFormed(token))) {
                throw json.expected("a token of whole characters", "." + token, in);
            }
            if (vocab.put(token, id) != null) {
                throw json.expected("each token once", "." + token, in);
            }
        });
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

    /** A token as a string: not empty, and without half a surrogate pair, which would match half a character. */
    static String token(Json json) {
        String token = json.string();
        if (token.isEmpty() || !token.equals(Tokenizer.wellFormed(token))) {
            throw json.expected("a token of one or more whole characters");
        }
        return token;
    }

    /** The ids of {@code <0x00>} to {@code <0xFF>}, -1 where the vocabulary has none. */
    static int[] byteTokens(Map<String, Integer> vocab) {
        int[] ids = new int[256];
        Arrays.setAll(ids, b -> vocab.getOrDefault("<0x" + HEX.toHexDigits((byte) b) + ">", -1));
        return ids;
    }

    /** Appends the ids of the UTF-8 bytes of a text, if each byte has one. */
    static boolean addBytes(String text, int[] byteTokens, Ints out) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        for (byte b : bytes) {
            if (byteTokens[b & 0xFF] < 0) {
                return false;
            }
        }
        for (byte b : bytes) {
            out.add(byteTokens[b & 0xFF]);
        }
        return true;
    }
}
