package org.spin4j.tokenizer;

import java.util.ArrayList;
import java.util.List;

/**
 * An encoding while it is put together: a row per token, and the stretches of text that a limit cut off, each rows of its own. Offsets
 * are in code points. Cutting and joining follow Hugging Face's {@code Encoding}.
 */
final class TokenRows {
    /** In the place of the sequence of a token that stands for no text. */
    static final int NO_SEQUENCE = -1;

    private final Ints ids = new Ints();
    private final Ints typeIds = new Ints();
    private final Ints starts = new Ints();
    private final Ints ends = new Ints();
    /** Which of the texts a token is of. */
    private final Ints sequences = new Ints();
    private final Ints attention = new Ints();
    /** How many characters of white space a token's spelling begins and ends with. */
    private final Ints leading = new Ints();
    private final Ints trailing = new Ints();
    private List<TokenRows> overflow = new ArrayList<>();

    /** A token of a text. */
    void addText(int id, String spelling, int start, int end, int sequence) {
        add(id, sequence, start, end, sequence, 1);
        int from = 0;
        while (from < spelling.length() && isSpace(spelling.charAt(from))) {
            from++;
        }
        int to = spelling.length();
        while (to > 0 && isSpace(spelling.charAt(to - 1))) {
            to--;
        }
        leading.add(from);
        trailing.add(spelling.length() - to);
    }

    /** A token that the file puts in. */
    void addSpecial(int id, int typeId) {
        add(id, typeId, 0, 0, NO_SEQUENCE, 1);
        leading.add(0);
        trailing.add(0);
    }

    private void add(int id, int typeId, int start, int end, int sequence, int attended) {
        ids.add(id);
        typeIds.add(typeId);
        starts.add(start);
        ends.add(end);
        sequences.add(sequence);
        attention.add(attended);
    }

    private static boolean isSpace(char c) {
        return c == 'Ġ' || WordPattern.isSpace(c);
    }

    int size() {
        return ids.size();
    }

    /** The type of these tokens, not of those in the overflow. */
    void setTypeIds(int typeId) {
        for (int i = 0; i < size(); i++) {
            typeIds.set(i, typeId);
        }
    }

    /** The type of these tokens and of those in the overflow. */
    void setAllTypeIds(int typeId) {
        setTypeIds(typeId);
        overflow.forEach(part -> part.setTypeIds(typeId));
    }

    /** Leaves white space out of the offsets here and in the overflow, but for a space that may have been put in before the text. */
    void trimOffsets(boolean addPrefixSpace) {
        for (int i = 0; i < size(); i++) {
            int before = leading.get(i);
            if (before > 0) {
                boolean first = i == 0 || starts.get(i) == 0;
                starts.set(i, Math.min(starts.get(i) + (first && addPrefixSpace && before == 1 ? 0 : before),
                        ends.get(i)));
            }
            int after = trailing.get(i);
            if (after > 0 && ends.get(i) >= after) {
                ends.set(i, Math.max(ends.get(i) - after, starts.get(i)));
            }
        }
        overflow.forEach(part -> part.trimOffsets(addPrefixSpace));
    }

    /** Keeps so many tokens; the others become overflow, in stretches as long that share {@code stride} tokens with the one before. */
    TokenRows truncate(Truncation truncation, int length) {
        if (length >= size()) {
            return this;
        }
        if (length == 0) {
            TokenRows none = new TokenRows();
            none.overflow.add(this);
            return none;
        }
        if (truncation.stride() >= length) {
            throw new TokenizerException("expected a stride below the length of a stretch, found stride "
                    + truncation.stride() + " with " + length + " tokens besides special ones; lower it");
        }
        List<TokenRows> parts = new ArrayList<>();
        boolean left = truncation.direction() == Truncation.Direction.LEFT;
        int step = length - truncation.stride();
        for (int i = 0;; i += step) {
            int start = left ? Math.max(0, size() - i - length) : i;
            int end = left ? size() - i : Math.min(size(), i + length);
            parts.add(slice(start, end));
            if (left ? start == 0 : end == size()) {
                break;
            }
        }
        TokenRows kept = parts.getFirst();
        kept.overflow.addAll(parts.subList(1, parts.size()));
        return kept;
    }

    private TokenRows slice(int start, int end) {
        TokenRows part = new TokenRows();
        for (int i = start; i < end; i++) {
            part.addRow(this, i);
        }
        return part;
    }

    private void addRow(TokenRows from, int i) {
        add(from.ids.get(i), from.typeIds.get(i), from.starts.get(i), from.ends.get(i), from.sequences.get(i),
                from.attention.get(i));
        leading.add(from.leading.get(i));
        trailing.add(from.trailing.get(i));
    }

    /** All rows in order; the overflow of each is joined with every way to go on. */
    static TokenRows joined(List<TokenRows> parts) {
        TokenRows all = new TokenRows();
        for (TokenRows part : parts) {
            all.append(part);
        }
        return all;
    }

    private void append(TokenRows other) {
        List<TokenRows> overflows = new ArrayList<>();
        for (TokenRows mine : overflow) {
            overflows.add(mine.followedBy(other));
            for (TokenRows theirs : other.overflow) {
                overflows.add(mine.followedBy(theirs));
            }
        }
        for (TokenRows theirs : other.overflow) {
            overflows.add(followedBy(theirs));
        }
        for (int i = 0; i < other.size(); i++) {
            addRow(other, i);
        }
        overflow = overflows;
    }

    /** These rows and then those, both without their overflow. */
    private TokenRows followedBy(TokenRows other) {
        TokenRows both = slice(0, size());
        for (int i = 0; i < other.size(); i++) {
            both.addRow(other, i);
        }
        return both;
    }

    /** These rows between others, the overflow as well. */
    TokenRows between(TokenRows before, TokenRows after) {
        TokenRows framed = before.followedBy(this).followedBy(after);
        overflow.forEach(part -> framed.overflow.add(before.followedBy(part).followedBy(after)));
        return framed;
    }

    /** The rows, those of the overflow too, filled up to a length. */
    TokenRows pad(Padding padding, int length) {
        TokenRows padded = new TokenRows();
        boolean left = padding.direction() == Padding.Direction.LEFT;
        if (left) {
            padded.fill(padding, length - size());
        }
        for (int i = 0; i < size(); i++) {
            padded.addRow(this, i);
        }
        if (!left) {
            padded.fill(padding, length - size());
        }
        overflow.forEach(part -> padded.overflow.add(part.pad(padding, length)));
        return padded;
    }

    private void fill(Padding padding, int count) {
        for (int i = 0; i < count; i++) {
            add(padding.id(), padding.typeId(), 0, 0, NO_SEQUENCE, 0);
            leading.add(0);
            trailing.add(0);
        }
    }

    int[] ids() {
        return ids.toArray();
    }

    /** The finished encoding of these texts. */
    Encoding finish(List<String> texts) {
        List<int[]> places = texts.stream().map(TokenRows::charsOfCodePoints).toList();
        return finishWith(places);
    }

    private Encoding finishWith(List<int[]> places) {
        int[] special = new int[size()];
        int[] from = starts.toArray();
        int[] to = ends.toArray();
        for (int i = 0; i < size(); i++) {
            special[i] = sequences.get(i) == NO_SEQUENCE ? 1 : 0;
            int[] chars = special[i] == 1 ? new int[0] : places.get(sequences.get(i));
            if (chars.length > 0) {
                from[i] = chars[Math.min(from[i], chars.length - 1)];
                to[i] = chars[Math.min(to[i], chars.length - 1)];
            }
        }
        return new Encoding(ids(), typeIds.toArray(), from, to, sequences.toArray(), special, attention.toArray(),
                overflow.stream().map(part -> part.finishWith(places)).toList());
    }

    /** Where each code point of a text begins, and where the last one ends; empty where each is one char. */
    private static int[] charsOfCodePoints(String text) {
        int count = text.codePointCount(0, text.length());
        if (count == text.length()) {
            return new int[0];
        }
        int[] chars = new int[count + 1];
        for (int i = 1; i <= count; i++) {
            chars[i] = text.offsetByCodePoints(chars[i - 1], 1);
        }
        return chars;
    }
}
