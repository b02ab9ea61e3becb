package org.spin4j.tokenizer;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A SentencePiece model ({@code sentencepiece_model.proto}) as a tokenizer.json. Its ids for text are SentencePiece's; two things are
 * Hugging Face's way, which a tokenizer.json has no words to avoid: after a user-defined symbol a space is put in front as at the start
 * of the text, and of several splits of one merge the order is by id.
 */
final class SentencePieceFile {
    /** SentencePiece makes pieces of 16 characters if not told otherwise. */
    static final int MAX_PIECE = 256;
    private static final int UNIGRAM = 1;
    private static final int BPE = 2;

    /** Classes that keep the order of the pieces and have no rules of their own. Others renumber them: only their tokenizer.json is safe. */
    private static final Set<String> CLASSES = Set.of("LlamaTokenizer", "CodeLlamaTokenizer", "GemmaTokenizer",
            "T5Tokenizer", "MT5Tokenizer", "MistralTokenizer", "PreTrainedTokenizer", "TokenizersBackend");

    private static final Set<String> T5 = Set.of("T5Tokenizer", "MT5Tokenizer");

    private enum Kind {
        NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE
    }

    private record Piece(String text, float score, Kind kind) {}

    private final String file;
    private final List<Piece> pieces = new ArrayList<>();
    private int modelType = UNIGRAM;
    private boolean byteFallback;
    private boolean spaceAsSuffix;
    private int unkId;
    private int bosId = 1;
    private int eosId = 2;
    private int padId = -1;
    private byte[] charsMap = {};
    private boolean dummyPrefix = true;
    private boolean removeExtraSpaces = true;
    private boolean escapeSpaces = true;

    private SentencePieceFile(byte[] bytes, String file) {
        this.file = file;
        ProtoReader reader = new ProtoReader(bytes, file);
        while (reader.next()) {
            switch (reader.field()) {
                case 1 -> piece(reader.message());
                case 2 -> trainerSpec(reader.message());
                case 3 -> normalizerSpec(reader.message());
                default -> {
                    // Tests of its own and how to undo the normalisation: neither changes an id.
                }
            }
        }
    }

    private void piece(ProtoReader reader) {
        String text = "";
        float score = 0;
        int kind = 1;
        while (reader.next()) {
            switch (reader.field()) {
                case 1 -> text = reader.string();
                case 2 -> score = reader.float32();
                case 3 -> kind = reader.int32();
                default -> throw reader.damaged("a piece with text, score and kind");
            }
        }
        if (text.isEmpty() || text.length() > MAX_PIECE || kind < 1 || kind > Kind.values().length
                || !Float.isFinite(score) || pieces.size() == Model.MAX_ID) {
            throw reader.damaged("one of at most " + Model.MAX_ID + " pieces of a known kind, of 1 to " + MAX_PIECE
                    + " characters, with a number as score");
        }
        pieces.add(new Piece(text, score, Kind.values()[kind - 1]));
    }

    private void trainerSpec(ProtoReader reader) {
        while (reader.next()) {
            switch (reader.field()) {
                case 3 -> modelType = reader.int32();
                case 24 -> spaceAsSuffix = reader.bool();
                case 35 -> byteFallback = reader.bool();
                case 40 -> unkId = reader.int32();
                case 41 -> bosId = reader.int32();
                case 42 -> eosId = reader.int32();
                case 43 -> padId = reader.int32();
                default -> {
                    // How it was trained.
                }
            }
        }
    }

    private void normalizerSpec(ProtoReader reader) {
        while (reader.next()) {
            switch (reader.field()) {
                case 2 -> charsMap = reader.bytes();
                case 3 -> dummyPrefix = reader.bool();
                case 4 -> removeExtraSpaces = reader.bool();
                case 5 -> escapeSpaces = reader.bool();
                default -> {
                    // Names and sources of the map.
                }
            }
        }
    }

    static TokenizerJson read(byte[] bytes, String file, Companions companions) {
        String type = companions.tokenizerClass(CLASSES, "LlamaTokenizer");
        SentencePieceFile model = new SentencePieceFile(bytes, file);
        TokenizerJson json = model.convert();
        json.roles(model.text(model.bosId), model.text(model.eosId), model.text(model.padId));
        companions.addTokens(json);
        // Llama's rule for BPE, T5's for T5; other unigram models have no usual one.
        companions.around(json, model.modelType == BPE, T5.contains(type));
        return json;
    }

    private TokenizerJson convert() {
        if (modelType != UNIGRAM && modelType != BPE) {
            throw unsupported("a model of type " + modelType + ", neither unigram nor BPE,");
        }
        if (spaceAsSuffix) {
            throw unsupported("white space at the end of words (treat_whitespace_as_suffix)");
        }
        if (unkId < 0 || unkId >= pieces.size() || pieces.get(unkId).kind != Kind.UNKNOWN) {
            throw new TokenizerException("expected unk_id to be a piece of the kind unknown, found " + unkId + " of "
                    + pieces.size() + " pieces in " + file + "; the file is damaged");
        }
        TokenizerJson json = new TokenizerJson();
        for (int id = 0; id < pieces.size(); id++) {
            Piece piece = pieces.get(id);
            switch (piece.kind) {
                case UNKNOWN, CONTROL -> json.addSpecial(id, piece.text);
                case USER_DEFINED -> json.add(new AddedToken(id, piece.text, false, false, false, false, false));
                case UNUSED -> throw unsupported("the piece " + piece.text + ", which is marked unused,");
                case NORMAL, BYTE -> {
                    // Only the model makes these.
                }
            }
        }
        if (modelType == UNIGRAM) {
            unigram(json);
        } else {
            bpe(json);
        }
        json.normalizer(normalizers(charsMap, removeExtraSpaces, dummyPrefix, escapeSpaces));
        json.spacedDecoder(byteFallback, dummyPrefix);
        return json;
    }

    private String text(int id) {
        return id >= 0 && id < pieces.size() ? pieces.get(id).text : null;
    }

    private void unigram(TokenizerJson json) {
        ObjectNode model = json.model("Unigram").put("unk_id", unkId);
        ArrayNode vocab = model.putArray("vocab");
        for (Piece piece : pieces) {
            vocab.addArray().add(piece.text).add((double) piece.score);
        }
        model.put("byte_fallback", byteFallback);
    }

    private void bpe(TokenizerJson json) {
        Map<String, Integer> all = LinkedHashMap.newLinkedHashMap(pieces.size());
        Map<String, Integer> mergeable = LinkedHashMap.newLinkedHashMap(pieces.size());
        for (int id = 0; id < pieces.size(); id++) {
            Piece piece = pieces.get(id);
            if (all.putIfAbsent(piece.text, id) != null) {
                throw new TokenizerException("expected each piece once, found " + piece.text + " as " + id + " and "
                        + all.get(piece.text) + " in " + file + "; the file is damaged");
            }
            if (piece.kind == Kind.NORMAL || piece.kind == Kind.USER_DEFINED) {
                mergeable.put(piece.text, id);
            }
        }
        ObjectNode model = json.bpe(all, pieces.get(unkId).text, byteFallback, false);
        List<String> learned = mergeable.keySet().stream()
                .sorted(Comparator.comparing((String text) -> -pieces.get(mergeable.get(text)).score)
                        .thenComparing(mergeable::get))
                .toList();
        TokenizerJson.impliedMerges(model, mergeable, learned, file);
    }

    /**
     * What SentencePiece does to a text before it looks for pieces.
     *
     * @param charsMap replacements, empty for none
     */
    static List<ObjectNode> normalizers(byte[] charsMap, boolean removeExtraSpaces, boolean dummyPrefix,
            boolean escapeSpaces) {
        List<ObjectNode> steps = new ArrayList<>();
        if (charsMap.length > 0) {
            steps.add(TokenizerJson.part("Precompiled").put("precompiled_charsmap",
                    Base64.getEncoder().encodeToString(charsMap)));
        }
        if (removeExtraSpaces) {
            steps.add(TokenizerJson.replaceRegex("\\A +| +\\z", ""));
            steps.add(TokenizerJson.replaceRegex(" {2,}", " "));
        }
        String space = escapeSpaces ? TokenizerJson.SPACE : " ";
        if (dummyPrefix) {
            steps.add(TokenizerJson.part("Prepend").put("prepend", space));
        }
        if (escapeSpaces) {
            steps.add(TokenizerJson.replace(" ", space));
        }
        return steps;
    }

    private TokenizerException unsupported(String what) {
        return new TokenizerException("expected a SentencePiece model of a supported kind, found " + what + " in "
                + file + "; use a tokenizer without it, it is not supported");
    }
}
