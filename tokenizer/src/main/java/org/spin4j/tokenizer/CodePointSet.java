package org.spin4j.tokenizer;

import java.util.HexFormat;

/** A set of code points, as sorted ranges. */
final class CodePointSet {
    /** First and last code point of each range, in order. */
    private final int[] bounds;

    private CodePointSet(int[] bounds) {
        this.bounds = bounds;
    }

    /** The set written as ranges in hexadecimal, in order: {@code "7FD 897-8D3"}. */
    static CodePointSet of(String ranges) {
        String[] parts = ranges.split(" ");
        int[] bounds = new int[2 * parts.length];
        for (int i = 0; i < parts.length; i++) {
            int dash = parts[i].indexOf('-');
            bounds[2 * i] = HexFormat.fromHexDigits(dash < 0 ? parts[i] : parts[i].substring(0, dash));
            bounds[2 * i + 1] = HexFormat.fromHexDigits(parts[i].substring(dash + 1));
        }
        return new CodePointSet(bounds);
    }

    boolean contains(int c) {
        int low = 0;
        int high = bounds.length / 2;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (bounds[2 * middle + 1] < c) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return 2 * low < bounds.length && bounds[2 * low] <= c;
    }
}
