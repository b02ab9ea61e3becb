package org.spin4j.kernels.tornado;

import java.util.Arrays;
import org.spin4j.kernels.Forest;

/**
 * A forest as the attention kernels read it: blocks of {@value #BLOCK} tokens of a segment, and for each the runs of tokens that they
 * attend to (or, backwards, that attend to them). Positions tell the rest: in a run, what sees what is a matter of position alone.
 *
 * <p>Integers: for each block its first token, its number of tokens, the position of the first, the number of its runs and where
 * these begin; a run is its first token, its number of tokens and the position of the first.
 */
final class AttentionBlocks {
    /** Tokens of a block: queries and keys of a work-group's tile. */
    static final int BLOCK = 32;
    /** Integers of a block. */
    static final int FIELDS = 5;

    private int[] ints;
    private int size;
    private final int count;

    private AttentionBlocks(Forest forest, int header) {
        int blocks = 0;
        for (int s = 0; s < forest.segments(); s++) {
            blocks += (forest.length(s) + BLOCK - 1) / BLOCK;
        }
        count = blocks;
        size = header + FIELDS * blocks;
        ints = new int[size];
    }

    /** Blocks of queries with the keys that they see: those of ancestors, root first, then of the segment itself. */
    static AttentionBlocks queries(Forest forest, int... header) {
        AttentionBlocks blocks = new AttentionBlocks(forest, header.length);
        int at = header.length;
        for (int s = 0; s < forest.segments(); s++) {
            int runs = blocks.size;
            int ancestors = blocks.ancestors(forest, forest.parent(s));
            int own = blocks.run(forest.start(s), forest.length(s), forest.depth(s));
            assert own == runs + 3 * ancestors;
            at = blocks.blocks(forest, s, at, runs, ancestors + 1);
        }
        return blocks.with(header);
    }

    /** Blocks of keys with the queries that see them: those of the segment itself, then of its descendants. */
    static AttentionBlocks keys(Forest forest, int... header) {
        AttentionBlocks blocks = new AttentionBlocks(forest, header.length);
        int at = header.length;
        for (int t = 0; t < forest.trees(); t++) {
            for (int s = forest.treeStart(t); s < forest.treeStart(t + 1); s++) {
                int runs = blocks.run(forest.start(s), forest.length(s), forest.depth(s));
                int count = 1;
                boolean[] below = new boolean[forest.treeStart(t + 1) - s];
                below[0] = true;
                for (int d = s + 1; d < forest.treeStart(t + 1); d++) {
                    if (forest.parent(d) >= s && below[forest.parent(d) - s]) {
                        below[d - s] = true;
                        blocks.run(forest.start(d), forest.length(d), forest.depth(d));
                        count++;
                    }
                }
                at = blocks.blocks(forest, s, at, runs, count);
            }
        }
        return blocks.with(header);
    }

    private int ancestors(Forest forest, int s) {
        if (s == Forest.ROOT) {
            return 0;
        }
        int above = ancestors(forest, forest.parent(s));
        run(forest.start(s), forest.length(s), forest.depth(s));
        return above + 1;
    }

    private int run(int start, int length, int position) {
        if (size + 3 > ints.length) {
            ints = Arrays.copyOf(ints, 2 * ints.length + 3);
        }
        ints[size] = start;
        ints[size + 1] = length;
        ints[size + 2] = position;
        size += 3;
        return size - 3;
    }

    private int blocks(Forest forest, int s, int at, int runs, int runCount) {
        int place = at;
        for (int first = 0; first < forest.length(s); first += BLOCK) {
            ints[place] = forest.start(s) + first;
            ints[place + 1] = Math.min(BLOCK, forest.length(s) - first);
            ints[place + 2] = forest.depth(s) + first;
            ints[place + 3] = runCount;
            ints[place + 4] = runs;
            place += FIELDS;
        }
        return place;
    }

    private AttentionBlocks with(int[] header) {
        System.arraycopy(header, 0, ints, 0, header.length);
        return this;
    }

    /** Number of blocks. */
    int count() {
        return count;
    }

    /** The header, the blocks and the runs; a run's place counts from the header's first. */
    int[] ints() {
        return Arrays.copyOf(ints, size);
    }
}
