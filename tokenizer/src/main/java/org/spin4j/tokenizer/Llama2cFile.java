package org.spin4j.tokenizer;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The {@code tokenizer.bin} and {@code tok*.bin} of Karpathy's llama2.c: the length of the longest token, then for each token its score
 * (float), its length and its bytes, all little-endian, to the end of the file. Tokens 0 to 2 are unknown, begin and end of text, 3 to 258
 * the bytes; the others are merged by score, as SentencePiece does it.
 */
final class Llama2cFile {
    private static final int MAX_TOKEN = 256;
    private static final List<String> NAMED = List.of("<unk>", "<s>", "</s>");
    private static final int FIRST_PIECE = NAMED.size() + 256;

    private Llama2cFile() {}

    static TokenizerJson read(byte[] bytes, String file, Companions companions) {
        ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int longest = in.remaining() < 4 ? 0 : in.getInt();
        if (longest < 1 || longest > MAX_TOKEN) {
            throw damaged("the length of the longest token, 1 to " + MAX_TOKEN, longest, 0, file);
        }
        Map<String, Integer> all = new LinkedHashMap<>();
        Map<String, Integer> mergeable = new LinkedHashMap<>();
        List<Float> scores = new ArrayList<>();
        while (in.hasRemaining()) {
            int at = in.position();
            int id = scores.size();
            float score = in.remaining() < 8 ? Float.NaN : in.getFloat();
            int length = Float.isFinite(score) ? in.getInt() : -1;
            if (length < 1 || length > longest || length > in.remaining() || id == Model.MAX_ID) {
                throw damaged("a score and a token of 1 to " + longest + " bytes", length, at, file);
            }
            String token = text(in.slice(in.position(), length), at, file);
            in.position(in.position() + length);
            scores.add(score);
            if (id >= FIRST_PIECE) {
                mergeable.put(token, id);
            } else {
                token = id < NAMED.size() ? NAMED.get(id) : String.format("<0x%02X>", id - NAMED.size());
            }
            Integer other = all.putIfAbsent(token, id);
            if (other != null) {
                throw damaged("a token that is not token " + other + " too", token, at, file);
            }
        }
        if (scores.size() < FIRST_PIECE) {
            throw damaged("tokens for " + NAMED + " and the 256 bytes", scores.size() + " tokens", in.position(), file);
        }
        List<String> learned = mergeable.keySet().stream()
                .sorted(Comparator.comparing((String token) -> -scores.get(mergeable.get(token)))
                        .thenComparing(mergeable::get))
                .toList();
        TokenizerJson json = new TokenizerJson();
        TokenizerJson.impliedMerges(json.bpe(all, NAMED.getFirst(), true, false), mergeable, learned, file);
        for (int id = 0; id < NAMED.size(); id++) {
            json.addSpecial(id, NAMED.get(id));
        }
        json.roles(NAMED.get(1), NAMED.get(2), null);
        json.normalizer(List.of(TokenizerJson.part("Prepend").put("prepend", TokenizerJson.SPACE),
                TokenizerJson.replace(" ", TokenizerJson.SPACE)));
        json.spacedDecoder(true, true);
        companions.addTokens(json);
        companions.around(json, true, false);
        return json;
    }

    private static String text(ByteBuffer bytes, int at, String file) {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString().replace(" ", TokenizerJson.SPACE);
        } catch (CharacterCodingException e) {
            throw new TokenizerException(damaged("a token in UTF-8", "other bytes", at, file).getMessage(), e);
        }
    }

    private static TokenizerException damaged(String expected, Object found, int at, String file) {
        return new TokenizerException("expected " + expected + ", found " + found + " at byte " + at + " of " + file
                + "; the file is damaged, cut short or not llama2.c's");
    }
}
