package org.spin4j.training;

import java.util.Arrays;
import org.spin4j.kernels.Forest;

/**
 * A batch in the form the decoder takes: the tokens of a forest in one flat row, and which rows predict which tokens.
 *
 * @param ids     tokens of the flat row
 * @param forest  how they belong together
 * @param rows    row that predicts target i: the token before it on its path
 * @param targets predicted tokens
 */
record FlatBatch(int[] ids, Forest forest, int[] rows, int[] targets) {
    /** Collects segments and targets. */
    static final class Builder {
        private final Forest.Builder forest = new Forest.Builder();
        private int[] ids = new int[256];
        private int[] rows = new int[256];
        private int[] targets = new int[256];
        private int tokens;
        private int count;

        /** Starts a tree; returns the number of its segment. */
        int root(int[] segment) {
            append(segment);
            return forest.root(segment.length);
        }

        /** Adds a segment below another of the same tree. */
        int child(int parent, int[] segment) {
            append(segment);
            return forest.child(parent, segment.length);
        }

        private void append(int[] segment) {
            if (tokens + segment.length > ids.length) {
                ids = Arrays.copyOf(ids, Math.max(2 * ids.length, tokens + segment.length));
            }
            System.arraycopy(segment, 0, ids, tokens, segment.length);
            tokens += segment.length;
        }

        /** Tokens added so far: the row number of the next. */
        int tokens() {
            return tokens;
        }

        /** Targets added so far. */
        int count() {
            return count;
        }

        /** Asks for log p(target) at a row. */
        void predict(int row, int target) {
            if (count == rows.length) {
                rows = Arrays.copyOf(rows, 2 * count);
                targets = Arrays.copyOf(targets, 2 * count);
            }
            rows[count] = row;
            targets[count++] = target;
        }

        /**
         * Adds a response below a prompt and asks for each of its tokens; its first is predicted by the prompt's last.
         *
         * @param promptEnd row of the prompt's last token
         */
        void response(int parent, int promptEnd, int[] response) {
            int start = tokens;
            child(parent, response);
            for (int i = 0; i < response.length; i++) {
                predict(i == 0 ? promptEnd : start + i - 1, response[i]);
            }
        }

        FlatBatch build() {
            return new FlatBatch(Arrays.copyOf(ids, tokens), forest.build(), Arrays.copyOf(rows, count),
                    Arrays.copyOf(targets, count));
        }
    }
}
