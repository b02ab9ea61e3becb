package org.spin4j.tokenizer;

import java.util.Arrays;
import java.util.Map;

/**
 * Strings with a number each, found character by character. Nodes lie level by level, the children of one side by side in the order of
 * their characters: ten bytes a node, and no string can make it larger than the characters it brings.
 */
final class Trie {
    /** The node that stands for the empty string. */
    static final int ROOT = 0;

    private final char[] labels;
    /** Where the children of a node begin; they end where those of the next node begin. */
    private final int[] children;
    private final int[] values;

    Trie(Map<String, Integer> entries) {
        String[] keys = entries.keySet().toArray(String[]::new);
        Arrays.sort(keys);
        int nodes = 1;
        for (int k = 0; k < keys.length; k++) {
            nodes += keys[k].length() - (k == 0 ? 0 : commonPrefix(keys[k - 1], keys[k]));
        }
        labels = new char[nodes];
        children = new int[nodes + 1];
        values = new int[nodes];
        Arrays.fill(values, -1);
        // The keys below a node.
        int[] from = new int[nodes];
        int[] to = new int[nodes];
        to[ROOT] = keys.length;
        int made = 1;
        int levelEnd = 1;
        for (int node = 0, depth = 0; node < nodes; node++) {
            if (node == levelEnd) {
                depth++;
                levelEnd = made;
            }
            children[node] = made;
            int key = from[node];
            if (key < to[node] && keys[key].length() == depth) {
                values[node] = entries.get(keys[key++]);
            }
            while (key < to[node]) {
                char label = keys[key].charAt(depth);
                labels[made] = label;
                from[made] = key;
                while (key < to[node] && keys[key].charAt(depth) == label) {
                    key++;
                }
                to[made++] = key;
            }
        }
        children[nodes] = made;
    }

    /** The node one character on, or -1. */
    int child(int node, char c) {
        int found = Arrays.binarySearch(labels, children[node], children[node + 1], c);
        return Math.max(found, -1);
    }

    /** The number of the string that ends at a node, or -1. */
    int value(int node) {
        return values[node];
    }

    private static int commonPrefix(String a, String b) {
        int mismatch = Arrays.mismatch(a.toCharArray(), b.toCharArray());
        return mismatch < 0 ? a.length() : mismatch;
    }
}
