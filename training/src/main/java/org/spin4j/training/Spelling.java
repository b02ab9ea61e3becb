package org.spin4j.training;

import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;

/** Finds what somebody who mistyped a word may have meant. */
public final class Spelling {
    private Spelling() {}

    /** The known word that takes the fewest corrections, the first of several; none if none is known. */
    public static Optional<String> nearest(String word, Collection<String> known) {
        return known.stream().min(Comparator.comparingInt(name -> editDistance(word, name)));
    }

    /** Insertions, deletions, replacements and swaps of neighbours that turn one word into the other. */
    public static int editDistance(String from, String to) {
        // A long word is far from every key; cutting it keeps the table small.
        String a = from.substring(0, Math.min(from.length(), 200));
        int[][] d = new int[a.length() + 1][to.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            for (int j = 0; j <= to.length(); j++) {
                if (i == 0 || j == 0) {
                    d[i][j] = i + j;
                    continue;
                }
                int replace = d[i - 1][j - 1] + (a.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1);
                d[i][j] = Math.min(replace, Math.min(d[i - 1][j], d[i][j - 1]) + 1);
                if (i > 1 && j > 1 && a.charAt(i - 1) == to.charAt(j - 2) && a.charAt(i - 2) == to.charAt(j - 1)) {
                    d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
                }
            }
        }
        return d[a.length()][to.length()];
    }
}
