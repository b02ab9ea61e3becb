package org.spin4j.tokenizer;

import java.util.Map;

/** Ids of tokens that are found by a part of a text, or by two parts joined, without making strings of them. */
final class TokenIds {
    private final String[] tokens;
    private final int[] ids;

    TokenIds(Map<String, Integer> vocab) {
        int capacity = Integer.highestOneBit(Math.max(8, vocab.size())) * 4;
        tokens = new String[capacity];
        ids = new int[capacity];
        vocab.forEach((token, id) -> {
            int slot = home(token.hashCode());
            while (tokens[slot] != null) {
                slot = next(slot);
            }
            tokens[slot] = token;
            ids[slot] = id;
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
        for (int slot = home(hash); tokens[slot] != null; slot = next(slot)) {
            String token = tokens[slot];
            if (token.length() == before + after && token.hashCode() == hash
                    && token.regionMatches(0, left, leftStart, before)
                    && token.regionMatches(before, right, rightStart, after)) {
                return ids[slot];
            }
        }
        return -1;
    }

    /** {@link String#hashCode} continued. */
    private static int hash(int before, String text, int start, int end) {
        int hash = before;
        for (int i = start; i < end; i++) {
            hash = 31 * hash + text.charAt(i);
        }
        return hash;
    }

    private int home(int hash) {
        int mixed = hash * 0x9E3779B9;
        return (mixed ^ mixed >>> 15) & (tokens.length - 1);
    }

    private int next(int slot) {
        return (slot + 1) & (tokens.length - 1);
    }
}
