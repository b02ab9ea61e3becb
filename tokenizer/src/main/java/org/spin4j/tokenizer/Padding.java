package org.spin4j.tokenizer;

import java.util.List;
import java.util.OptionalInt;

/**
 * Filling up to one length: the {@code padding} of a tokenizer.json.
 *
 * @param length the length; none for that of the longest encoding
 * @param multipleOf lengths are rounded up to a multiple of this
 * @param direction which end is filled
 * @param id the token to fill with
 * @param typeId its type id
 */
public record Padding(OptionalInt length, int multipleOf, Direction direction, int id, int typeId) {
    private static final int MAX_LENGTH = 1 << 20;

    /** Which end is filled. */
    public enum Direction {
        /** The beginning, as generation wants it. */
        LEFT,
        /** The end. */
        RIGHT
    }

    /** Checks that all numbers are possible. */
    public Padding {
        if (length.orElse(0) < 0 || length.orElse(0) > MAX_LENGTH || multipleOf < 1 || multipleOf > MAX_LENGTH || id < 0
                || typeId < 0) {
            throw new TokenizerException("expected padding to at most " + MAX_LENGTH
                    + " tokens, in multiples of at least 1, with ids of at least 0, found length " + length
                    + ", multiple " + multipleOf + ", id " + id + ", type id " + typeId + "; correct it");
        }
    }

    /** Fills the end up to the longest with one token. */
    public static Padding longest(int id) {
        return new Padding(OptionalInt.empty(), 1, Direction.RIGHT, id, 0);
    }

    static Padding parse(Json json, int vocabSize) {
        json.only("strategy", "direction", "pad_to_multiple_of", "pad_id", "pad_type_id", "pad_token");
        Json strategy = json.get("strategy");
        OptionalInt length = strategy.node().isObject()
                ? OptionalInt.of(strategy.only("Fixed").get("Fixed").integer(0, MAX_LENGTH))
                : OptionalInt.empty();
        if (length.isEmpty() && !strategy.string().equals("BatchLongest")) {
            throw strategy.expected("BatchLongest or {\"Fixed\": length}");
        }
        Direction direction = switch (json.get("direction").string()) {
            case "Left" -> Direction.LEFT;
            case "Right" -> Direction.RIGHT;
            default -> throw json.get("direction").expected("Left or Right");
        };
        return new Padding(length,
                Math.max(1, json.find("pad_to_multiple_of").map(of -> of.integer(0, MAX_LENGTH)).orElse(1)), direction,
                json.get("pad_id").integer(0, vocabSize - 1), json.get("pad_type_id").integer(0, Integer.MAX_VALUE));
    }

    /** Fills all up to one length; what is longer stays as it is. */
    List<TokenRows> apply(List<TokenRows> encodings) {
        int wanted = length.orElseGet(() -> encodings.stream().mapToInt(TokenRows::size).max().orElse(0));
        int rounded = Math.ceilDiv(wanted, multipleOf) * multipleOf;
        return encodings.stream().map(rows -> rows.pad(this, rounded)).toList();
    }
}
