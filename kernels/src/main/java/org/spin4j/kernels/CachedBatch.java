package org.spin4j.kernels;

import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/**
 * New tokens of several streams, and the pages that hold the keys and values of each stream from its first token on. A stream
 * adds one token where it is being continued, many where its prompt is read. Streams may share pages that none of them writes to:
 * those of a common prompt.
 *
 * <p>A page has room for {@value #PAGE} tokens in all layers. What a layer has of it lies together, one key head behind the other: its keys
 * {@code [headDim, PAGE]}, then its values {@code [PAGE, headDim]}. Keys lie dimension by dimension so that one query
 * meets a vector of keys at a time.
 */
public final class CachedBatch {
    /** Tokens that a page holds. */
    public static final int PAGE = 64;

    private final int[] start;
    private final int[] position;
    private final Storage[][] pages;
    private final int[] positions;

    /**
     * Says which tokens of which stream lie in the flat row.
     *
     * @param length   tokens that each stream adds, at least 1; they lie stream by stream in the flat row
     * @param position position of the first of them: tokens that the stream has cached already
     * @param pages    pages of each stream, in order, enough for the new tokens too
     */
    public CachedBatch(int[] length, int[] position, List<List<Storage>> pages) {
        start = new int[length.length + 1];
        for (int s = 0; s < length.length; s++) {
            if (length[s] < 1 || position[s] < 0
                    || (long) pages.get(s).size() * PAGE < (long) position[s] + length[s]) {
                throw new IllegalArgumentException("expected pages for the tokens of stream " + s + ", found "
                        + pages.get(s).size() + " pages for " + length[s] + " tokens from position " + position[s]);
            }
            start[s + 1] = Math.addExact(start[s], length[s]);
        }
        this.position = position.clone();
        this.pages = pages.stream().map(p -> p.toArray(Storage[]::new)).toArray(Storage[][]::new);
        positions = new int[tokens()];
        for (int s = 0; s < streams(); s++) {
            for (int i = 0; i < length(s); i++) {
                positions[start[s] + i] = position[s] + i;
            }
        }
    }

    /** Number of streams. */
    public int streams() {
        return position.length;
    }

    /** Number of new tokens of all streams. */
    public int tokens() {
        return start[position.length];
    }

    /** First new token of stream {@code s} in the flat row. */
    public int start(int s) {
        return start[s];
    }

    /** Number of new tokens of stream {@code s}. */
    public int length(int s) {
        return start[s + 1] - start[s];
    }

    /** Position of the first new token of stream {@code s}. */
    public int position(int s) {
        return position[s];
    }

    /** Tokens of stream {@code s}, the new ones included. */
    public int end(int s) {
        return position[s] + length(s);
    }

    /** A copy of the positions of all new tokens, {@code [tokens]}. */
    public int[] positions() {
        return Arrays.copyOf(positions, positions.length);
    }

    /** Page {@code p} of stream {@code s}: tokens p · PAGE and on. */
    public Storage page(int s, int p) {
        return pages[s][p];
    }

    /**
     * Where a layer lies in a page: the key of a head's dimension {@code d} of the token in place {@code i} of the page.
     *
     * @param layer first number of the layer
     */
    static long key(long layer, AttentionShape shape, int kvHead, int i, int d) {
        return layer + (2L * kvHead * shape.headDim() + d) * PAGE + i;
    }

    /** The same for the value. */
    static long value(long layer, AttentionShape shape, int kvHead, int i, int d) {
        return layer + (2L * kvHead + 1) * shape.headDim() * PAGE + (long) i * shape.headDim() + d;
    }

    /** Calls back with each page that holds a token. */
    void forEachPage(Consumer<Storage> action) {
        for (int s = 0; s < streams(); s++) {
            for (int p = 0; p * PAGE < end(s); p++) {
                action.accept(pages[s][p]);
            }
        }
    }
}
