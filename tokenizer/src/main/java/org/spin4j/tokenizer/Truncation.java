package org.spin4j.tokenizer;

import java.util.List;

/**
 * A limit on the number of tokens: the {@code truncation} of a tokenizer.json, as Hugging Face's tokenizers up to 0.22 keep it. Version
 * 0.23 stops encoding a text at the limit, so that it loses what overflows and sometimes mistakes which of two texts is longer.
 *
 * @param maxLength the most tokens, with those put around the text
 * @param stride how many tokens two stretches next to each other share
 * @param strategy which of two texts is cut
 * @param direction which end is cut off
 */
public record Truncation(int maxLength, int stride, Strategy strategy, Direction direction) {
    /** Which of two texts is cut. */
    public enum Strategy {
        /** The longer one, and both when half the limit is not enough for it. */
        LONGEST_FIRST,
        /** The first. */
        ONLY_FIRST,
        /** The second. */
        ONLY_SECOND
    }

    /** Which end of a text is cut off. */
    public enum Direction {
        /** Its beginning. */
        LEFT,
        /** Its end. */
        RIGHT
    }

    /** Checks that both numbers are possible. */
    public Truncation {
        if (maxLength < 0 || stride < 0) {
            throw new TokenizerException("expected a length and a stride of at least 0, found length " + maxLength
                    + " and stride " + stride + "; correct them");
        }
    }

    /** The usual limit: cuts off the end, of the longer text first. */
    public static Truncation to(int maxLength) {
        return new Truncation(maxLength, 0, Strategy.LONGEST_FIRST, Direction.RIGHT);
    }

    static Truncation parse(Json json) {
        json.only("direction", "max_length", "strategy", "stride");
        Strategy strategy = switch (json.get("strategy").string()) {
            case "LongestFirst" -> Strategy.LONGEST_FIRST;
            case "OnlyFirst" -> Strategy.ONLY_FIRST;
            case "OnlySecond" -> Strategy.ONLY_SECOND;
            default -> throw json.get("strategy").expected("LongestFirst, OnlyFirst or OnlySecond");
        };
        Direction direction = json.find("direction").map(side -> switch (side.string()) {
            case "Left" -> Direction.LEFT;
            case "Right" -> Direction.RIGHT;
            default -> throw side.expected("Left or Right");
        }).orElse(Direction.RIGHT);
        return new Truncation(json.get("max_length").integer(0, Integer.MAX_VALUE),
                json.get("stride").integer(0, Integer.MAX_VALUE), strategy, direction);
    }

    /** Cuts one text or two so that {@code added} more tokens fit in. */
    List<TokenRows> apply(List<TokenRows> texts, int added) {
        int limit = maxLength - added;
        if (limit < 0) {
            throw new TokenizerException("expected a limit of at least the " + added
                    + " tokens put around the text, found " + maxLength + "; raise it");
        }
        if (limit == 0) {
            return texts.stream().map(text -> text.truncate(this, 0)).toList();
        }
        int excess = texts.stream().mapToInt(TokenRows::size).sum() - limit;
        if (excess <= 0) {
            return texts;
        }
        if (strategy == Strategy.LONGEST_FIRST) {
            return texts.size() == 1
                    ? List.of(texts.getFirst().truncate(this, limit))
                    : longestFirst(texts.getFirst(), texts.getLast(), limit);
        }
        int which = strategy == Strategy.ONLY_FIRST ? 0 : 1;
        if (which == texts.size()) {
            throw new TokenizerException(
                    "expected two texts to cut the second, found one; use another strategy of truncation");
        }
        int length = texts.get(which).size() - excess;
        if (length <= 0) {
            throw new TokenizerException("expected a text that can be cut to " + limit + " tokens in all, found one of "
                    + texts.get(which).size() + " of which " + excess + " would have to go; raise the limit");
        }
        TokenRows cut = texts.get(which).truncate(this, length);
        return texts.size() == 1
                ? List.of(cut)
                : which == 0 ? List.of(cut, texts.getLast()) : List.of(texts.getFirst(), cut);
    }

    private List<TokenRows> longestFirst(TokenRows first, TokenRows second, int limit) {
        int shorter = Math.min(first.size(), second.size());
        int longer = shorter > limit ? shorter : Math.max(shorter, limit - shorter);
        if (shorter + longer > limit) {
            shorter = limit / 2;
            longer = shorter + limit % 2;
        }
        boolean swapped = first.size() > second.size();
        return List.of(first.truncate(this, swapped ? longer : shorter),
                second.truncate(this, swapped ? shorter : longer));
    }
}
