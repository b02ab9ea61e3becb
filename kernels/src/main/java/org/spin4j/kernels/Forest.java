package org.spin4j.kernels;

import java.util.Arrays;

/**
 * A batch as a forest of segments. All tokens of the batch lie in one flat row. A segment is a run of that row with an
 * optional parent segment, whose tokens, and those of its ancestors, its own tokens may attend to; positions count along
 * the path from the root. A plain sequence is a root; a preference pair is a prompt with two children; N samples of one
 * prompt are a prompt with N children. Nothing is padded, and a shared prompt is computed once.
 *
 * <p>The segments of one tree are neighbours, each parent before its children.
 */
public final class Forest {
    /** Parent of a root. */
    public static final int ROOT = -1;

    private final int[] start;
    private final int[] length;
    private final int[] parent;
    private final int[] position;
    private final int[] treeStart;

    private Forest(int[] start, int[] length, int[] parent, int[] position, int[] treeStart) {
        this.start = start;
        this.length = length;
        this.parent = parent;
        this.position = position;
        this.treeStart = treeStart;
    }

    /** A forest of plain sequences. */
    public static Forest ofSequences(int... lengths) {
        Builder b = new Builder();
        for (int n : lengths) {
            b.root(n);
        }
        return b.build();
    }

    /** Number of tokens in the flat row. */
    public int tokens() {
        return position.length;
    }

    /** Number of segments. */
    public int segments() {
        return start.length;
    }

    /** Number of trees. */
    public int trees() {
        return treeStart.length - 1;
    }

    /** First segment of tree {@code t}; {@code t} may equal {@link #trees()}, which gives the number of segments. */
    public int treeStart(int t) {
        return treeStart[t];
    }

    /** First token of segment {@code s} in the flat row. */
    public int start(int s) {
        return start[s];
    }

    /** Number of tokens of segment {@code s}. */
    public int length(int s) {
        return length[s];
    }

    /** Parent of segment {@code s}, or {@link #ROOT}. */
    public int parent(int s) {
        return parent[s];
    }

    /** Position along its path of token {@code i} of the flat row. */
    public int position(int i) {
        return position[i];
    }

    /** Position of the first token of segment {@code s}: the number of tokens before it on its path. */
    public int depth(int s) {
        return parent[s] == ROOT ? 0 : depth(parent[s]) + length[parent[s]];
    }

    /** A copy of all positions, {@code [tokens]}. */
    public int[] positions() {
        return position.clone();
    }

    /** Builds a forest segment by segment, in the order of the flat row. */
    public static final class Builder {
        private int[] start = new int[16];
        private int[] length = new int[16];
        private int[] parent = new int[16];
        private int[] end = new int[16];
        private int[] treeStart = new int[16];
        private int segments;
        private int trees;
        private int tokens;

        /**
         * Starts a new tree.
         *
         * @param length tokens of the segment, at least 1
         * @return the segment's number
         */
        public int root(int length) {
            treeStart = grown(treeStart, trees + 1);
            treeStart[trees++] = segments;
            return append(ROOT, 0, length);
        }

        /**
         * Adds a segment under a segment of the tree begun last.
         *
         * @param parent a segment number that this builder returned since the last {@link #root}
         * @param length tokens of the segment, at least 1
         * @return the segment's number
         */
        public int child(int parent, int length) {
            if (trees == 0 || parent < treeStart[trees - 1] || parent >= segments) {
                throw new IllegalArgumentException("expected a parent in the tree begun last, found segment " + parent);
            }
            return append(parent, end[parent], length);
        }

        private int append(int parentSegment, int depth, int count) {
            if (count < 1) {
                throw new IllegalArgumentException("expected a segment of at least 1 token, found " + count);
            }
            start = grown(start, segments);
            length = grown(length, segments);
            parent = grown(parent, segments);
            end = grown(end, segments);
            start[segments] = tokens;
            length[segments] = count;
            parent[segments] = parentSegment;
            end[segments] = depth + count;
            tokens = Math.addExact(tokens, count);
            return segments++;
        }

        /** The forest. */
        public Forest build() {
            int[] position = new int[tokens];
            for (int s = 0; s < segments; s++) {
                for (int i = 0; i < length[s]; i++) {
                    position[start[s] + i] = end[s] - length[s] + i;
                }
            }
            treeStart = grown(treeStart, trees + 1);
            treeStart[trees] = segments;
            return new Forest(Arrays.copyOf(start, segments), Arrays.copyOf(length, segments),
                    Arrays.copyOf(parent, segments), position, Arrays.copyOf(treeStart, trees + 1));
        }

        private static int[] grown(int[] a, int index) {
            return index < a.length ? a : Arrays.copyOf(a, 2 * a.length);
        }
    }
}
