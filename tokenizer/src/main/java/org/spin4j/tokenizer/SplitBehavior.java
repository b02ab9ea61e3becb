package org.spin4j.tokenizer;

import java.util.Arrays;

/** What becomes of the delimiters when text is cut at them. */
enum SplitBehavior {
    /** They are left out. */
    REMOVED("Removed"),
    /** Each is a piece. */
    ISOLATED("Isolated"),
    /** Each ends the piece before it; the second of two in a row is a piece. */
    MERGED_WITH_PREVIOUS("MergedWithPrevious"),
    /** Each begins the piece after it; the first of two in a row is a piece. */
    MERGED_WITH_NEXT("MergedWithNext"),
    /** Those that touch are one piece. */
    CONTIGUOUS("Contiguous");

    private final String spelling;

    SplitBehavior(String spelling) {
        this.spelling = spelling;
    }

    static SplitBehavior parse(Json json) {
        return Arrays.stream(values()).filter(one -> one.spelling.equals(json.string())).findFirst()
                .orElseThrow(
                        () -> json.expected("Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous"));
    }

    /**
     * Cuts {@code text[start, end)}.
     *
     * @param found the matches as start and end in turn
     * @param invert take what lies between matches for the delimiters
     */
    void split(NormalizedText text, int start, int end, Ints found, boolean invert, PreTokenizer.Sink sink) {
        Parts parts = new Parts();
        int done = start;
        for (int i = 0; i < found.size(); i += 2) {
            if (done < found.get(i)) {
                parts.add(done, found.get(i), invert);
            }
            done = found.get(i + 1);
            parts.add(found.get(i), done, !invert);
        }
        if (done < end) {
            parts.add(done, end, invert);
        }
        switch (this) {
            case REMOVED, ISOLATED -> {
                for (int i = 0; i < parts.count(); i++) {
                    if (this == ISOLATED || !parts.delimits(i)) {
                        parts.pass(text, i, i, sink);
                    }
                }
            }
            case CONTIGUOUS -> parts.passRuns(text, sink, (i, previous) -> parts.delimits(i) == previous);
            case MERGED_WITH_PREVIOUS -> parts.passRuns(text, sink, (i, previous) -> parts.delimits(i) && !previous);
            case MERGED_WITH_NEXT -> passToNext(text, parts, sink);
        }
    }

    private static void passToNext(NormalizedText text, Parts parts, PreTokenizer.Sink sink) {
        int first = 0;
        for (int i = 0; i < parts.count(); i++) {
            // A delimiter goes with the part after it unless that is a delimiter too.
            if (!parts.delimits(i) || i + 1 == parts.count() || parts.delimits(i + 1)) {
                parts.pass(text, first, i, sink);
                first = i + 1;
            }
        }
    }

    /** Text cut into delimiters and what lies between them. */
    private static final class Parts {
        private interface Joins {
            /** Whether part i goes on the piece before it; {@code previous}: whether the part before it delimits. */
            boolean test(int i, boolean previous);
        }

        private final Ints rows = new Ints();

        void add(int start, int end, boolean delimits) {
            rows.add(start);
            rows.add(end);
            rows.add(delimits ? 1 : 0);
        }

        int count() {
            return rows.size() / 3;
        }

        boolean delimits(int i) {
            return rows.get(3 * i + 2) == 1;
        }

        void pass(NormalizedText text, int first, int last, PreTokenizer.Sink sink) {
            if (rows.get(3 * first) < rows.get(3 * last + 1)) {
                sink.piece(text, rows.get(3 * first), rows.get(3 * last + 1));
            }
        }

        void passRuns(NormalizedText text, PreTokenizer.Sink sink, Joins joins) {
            int first = 0;
            for (int i = 1; i < count(); i++) {
                if (!joins.test(i, delimits(i - 1))) {
                    pass(text, first, i - 1, sink);
                    first = i;
                }
            }
            if (count() > 0) {
                pass(text, first, count() - 1, sink);
            }
        }
    }
}
