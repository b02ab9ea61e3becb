package org.spin4j.tokenizer;

import java.util.Map;

/**
 * Ids of tokens that are found by a part of a text, or by two parts joined, without making strings of them. A vocabulary's merges
 * look up every token several times, in no order: what a look-up reads lies in two cache lines, an entry and the token's text.
 */
final class TokenIds {
    /** Numbers of an entry: hash, where the text starts, its length, and one more than the id, 0 where there is no entry. */
    private static final int ENTRY = 4;

    private final int[] entries;
    private final char[] texts;

    TokenIds(Map<String, Integer> vocab) {
        entries = new int[Integer.highestOneBit(Math.max(8, vocab.size())) * 4 * ENTRY];
        texts = new char[vocab.keySet().stream().mapToInt(String::length).sum()];
        int[] end = {0};
        vocab.forEach((token, id) -> {
            int at = home(token.hashCode());
            while (entries[at + 3] != 0) {
                at = next(at);
            }
            entries[at] = token.hashCode();
            entries[at + 1] = end[0];
            entries[at + 2] = token.length();
            entries[at + 3] = id + 1;
            token.getChars(0, token.length(), texts, end[0]);
            end[0] += token.length();
        });
    }

    /** The id of {@code text[start, end)}, or -1. */
    int find(String text, int start, int end) {
        return find(hash(0, text, start, end), text, start, end, text, end, end);
    }

    /** The id of {@code left[leftStart, leftEnd)} and {@code right[rightStart, rightEnd)} in one, or -1. */
    int findJoined(String left, int leftStart, int leftEnd, String right, int rightStart, int rightEnd) {
        int hash = hash(hash(0, left, leftStart, leftEnd), right, rightStart, rightEnd);
        return find(hash, left, leftStart, leftEnd, right, rightStart, rightEnd);
    }

    private int find(int hash, String left, int leftStart, int leftEnd, String right, int rightStart, int rightEnd) {
        int before = leftEnd - leftStart;
        int after = rightEnd - rightStart;
        for (int at = home(hash); entries[at + 3] != 0; at = next(at)) {
            int text = entries[at + 1];
            if (entries[at] == hash && entries[at + 2] == before + after && matches(text, left, leftStart, before)
                    && matches(text + before, right, rightStart, after)) {
                return entries[at + 3] - 1;
            }
        }
        return -1;
    }

    private boolean matches(int at, String text, int start, int length) {
        for (int i = 0; i < length; i++) {
            if (texts[at + i] != text.charAt(start + i)) {
                return false;
            }
        }
        return true;
    }

    /** {@link String#hashCode} continued. */
    private static int hash(int before, String text, int start, int end) {
        int hash = before;
        for (int i = start; i < end; i++) {
            hash = 31 * hash + text.charAt(i);
        }
        return hash;
    }

    /** Where the search for a hash begins. */
    private int home(int hash) {
        int mixed = hash * 0x9E3779B9;
        return (mixed ^ mixed >>> 15) * ENTRY & (entries.length - 1);
    }

    private int next(int at) {
        return (at + ENTRY) & (entries.length - 1);
    }
}
