package org.spin4j.kernels;

/**
 * A tree of segments as the backward step of attention sees it: blocks of queries in the order of the flat row. A long tree is
 * cut into parts of about equal work, so that threads find enough to do where sequences and heads are few. Its parts
 * depend on the tree, the window and the number of heads alone: neither on the number of threads nor on other trees.
 *
 * @param forest the batch
 * @param shape  the heads
 * @param index  number of the tree
 */
record AttentionTree(Forest forest, AttentionShape shape, int index) {
    /** Tokens of a tree for which a part is worth its own gradients of keys and values. */
    private static final int PART = 512;
    /** Tasks that a tree makes where it is long enough: more would cost memory and find no thread. */
    private static final int TASKS = 16;
    /** So that memory stays a multiple of the number of tokens. */
    private static final int MOST_PARTS = 4;

    /** What is done with each block of queries. */
    @FunctionalInterface
    interface BlockAction {
        void accept(AttentionBlock block);
    }

    /** First token in the flat row. */
    int firstToken() {
        return forest.start(forest.treeStart(index));
    }

    /** Number of tokens. */
    int tokens() {
        int last = forest.treeStart(index + 1) - 1;
        return forest.start(last) + forest.length(last) - firstToken();
    }

    /** Number of parts. */
    int parts() {
        int enough = Math.ceilDiv(TASKS, shape.kvHeads());
        return Math.clamp(Math.min(tokens() / PART, enough), 1, MOST_PARTS);
    }

    /** Calls back with the blocks of a part, from 0 to before {@link #parts}. */
    void blocks(int part, BlockAction action) {
        int parts = parts();
        long total = parts == 1 ? 1 : totalWork();
        long before = 0;
        for (int s = forest.treeStart(index); s < forest.treeStart(index + 1); s++) {
            for (int from = 0; from < forest.length(s); from += AttentionBlock.QUERIES) {
                if (parts == 1 || before * parts / total == part) {
                    action.accept(new AttentionBlock(forest, shape, s, from,
                            Math.min(AttentionBlock.QUERIES, forest.length(s) - from)));
                }
                before += work(s, from);
            }
        }
    }

    /** Number of tokens up to the last query of a part: all that it sees lies among them. */
    int end(int part) {
        int[] end = {0};
        blocks(part, block -> end[0] = block.firstQuery() + block.count() - firstToken());
        return end[0];
    }

    private long totalWork() {
        long total = 0;
        for (int s = forest.treeStart(index); s < forest.treeStart(index + 1); s++) {
            for (int from = 0; from < forest.length(s); from += AttentionBlock.QUERIES) {
                total += work(s, from);
            }
        }
        return total;
    }

    /** About the number of keys that a block sees. */
    private long work(int segment, int from) {
        int keys = forest.position(forest.start(segment) + from) + AttentionBlock.QUERIES;
        return shape.window() == 0 ? keys : Math.min(keys, (long) shape.window() + AttentionBlock.QUERIES);
    }
}
