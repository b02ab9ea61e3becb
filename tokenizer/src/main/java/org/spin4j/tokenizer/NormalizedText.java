package org.spin4j.tokenizer;

import java.util.Arrays;

/**
 * A text on its way to the model: what has become of it and, if offsets are wanted, which part of the original each of its characters
 * stands for. Without them nothing is kept but the text. The rules by which a character put in inherits its place are Hugging Face's
 * ({@code NormalizedString}).
 */
final class NormalizedText {
    private final String text;
    /** Per char of the text, the first code point of the original it stands for; null where nobody asks. */
    private final int[] starts;
    /** Per char of the text, one past the last code point of the original it stands for. */
    private final int[] ends;
    private final boolean first;

    private NormalizedText(String text, int[] starts, int[] ends, boolean first) {
        this.text = text;
        this.starts = starts;
        this.ends = ends;
        this.first = first;
    }

    /** An original text. */
    static NormalizedText of(String text, boolean tracked) {
        if (!tracked) {
            return new NormalizedText(text, null, null, true);
        }
        int[] starts = new int[text.length()];
        int[] ends = new int[text.length()];
        int place = 0;
        for (int i = 0; i < text.length(); place++) {
            int next = i + Character.charCount(text.codePointAt(i));
            Arrays.fill(starts, i, next, place);
            Arrays.fill(ends, i, next, place + 1);
            i = next;
        }
        return new NormalizedText(text, starts, ends, true);
    }

    String text() {
        return text;
    }

    boolean tracked() {
        return starts != null;
    }

    /** The first code point of the original that the char at an index stands for. */
    int start(int index) {
        return starts[index];
    }

    /** One past the last code point of the original that the char at an index stands for. */
    int end(int index) {
        return ends[index];
    }

    /** Whether the char at an index stands for the beginning of the original. Untracked, only texts as long as the original know it. */
    boolean beginsOriginal(int index) {
        return tracked() ? starts[index] == 0 : first && index == 0;
    }

    NormalizedText slice(int start, int end) {
        if (start == 0 && end == text.length()) {
            return this;
        }
        return new NormalizedText(text.substring(start, end), tracked() ? Arrays.copyOfRange(starts, start, end) : null,
                tracked() ? Arrays.copyOfRange(ends, start, end) : null, first && start == 0);
    }

    /** The text with something before it, which stands for what the first character stands for; an empty text stays empty. */
    NormalizedText prepend(String prefix) {
        if (text.isEmpty()) {
            return this;
        }
        String longer = prefix + text;
        if (!tracked()) {
            return new NormalizedText(longer, null, null, first);
        }
        int[] newStarts = new int[longer.length()];
        int[] newEnds = new int[longer.length()];
        Arrays.fill(newStarts, 0, prefix.length(), starts[0]);
        Arrays.fill(newEnds, 0, prefix.length(), ends[0]);
        System.arraycopy(starts, 0, newStarts, prefix.length(), starts.length);
        System.arraycopy(ends, 0, newEnds, prefix.length(), ends.length);
        return new NormalizedText(longer, newStarts, newEnds, first);
    }

    /** The text with content in place of the ranges found, as start and end in turn. */
    NormalizedText replace(Ints found, String content) {
        if (found.size() == 0) {
            return this;
        }
        Rewrite rewrite = new Rewrite(this);
        for (int i = 0; i < found.size(); i += 2) {
            rewrite.keep(found.get(i));
            rewrite.skip(found.get(i + 1));
            rewrite.insert(content);
        }
        return rewrite.rest();
    }

    /** Another text made of this one, from left to right. */
    static final class Rewrite {
        private final NormalizedText source;
        private final StringBuilder out;
        private final Ints starts = new Ints();
        private final Ints ends = new Ints();
        private int position;

        Rewrite(NormalizedText source) {
            this.source = source;
            out = new StringBuilder(source.text.length() + 16);
        }

        /** Takes the source over up to an index. */
        void keep(int end) {
            out.append(source.text, position, end);
            if (source.tracked()) {
                for (int i = position; i < end; i++) {
                    starts.add(source.starts[i]);
                    ends.add(source.ends[i]);
                }
            }
            position = end;
        }

        /** Leaves out the source up to an index. */
        void skip(int end) {
            position = end;
        }

        /** Puts one character in place of the next one. */
        void replace(int codePoint) {
            add(Character.toString(codePoint), Math.min(position, source.text.length() - 1));
            skipCharacters(1);
        }

        /** Puts text in, which stands for what the character before it in the source stands for. */
        void insert(String content) {
            add(content, position - 1);
        }

        void insert(int codePoint) {
            insert(Character.toString(codePoint));
        }

        /** Leaves out so many characters of the source. */
        void skipCharacters(int count) {
            for (int i = 0; i < count && position < source.text.length(); i++) {
                position += Character.charCount(source.text.codePointAt(position));
            }
        }

        private void add(String content, int like) {
            out.append(content);
            if (source.tracked()) {
                for (int i = 0; i < content.length(); i++) {
                    starts.add(like < 0 ? 0 : source.starts[like]);
                    ends.add(like < 0 ? 0 : source.ends[like]);
                }
            }
        }

        /** The result when the rest of the source is taken over. */
        NormalizedText rest() {
            if (position == 0 && out.isEmpty()) {
                return source;
            }
            keep(source.text.length());
            return result();
        }

        NormalizedText result() {
            return new NormalizedText(out.toString(), source.tracked() ? starts.toArray() : null,
                    source.tracked() ? ends.toArray() : null, source.first);
        }
    }
}
