package org.spin4j.training.judge;

import java.util.Locale;
import java.util.OptionalDouble;

/** What a judgement comes to: a number of points, or the reason why there is none. */
public sealed interface Score {
    /** Points on the judge's scale. */
    record Points(double value) implements Score {}

    /** Why a judgement cannot be used. Such judgements are counted and left out; no score is put in their place. */
    enum Unusable implements Score {
        /** No score stands in the text. */
        MISSING,
        /** The judgement was cut off by its length before its score was certain: {@code Score: 4} may have become 4.5. */
        CUT,
        /** The score lies outside the scale, or is of another scale, as 8/10 is where five is the most. */
        OUT_OF_RANGE,
        /** The judge could not read prompt and response: together they are too long for it. */
        TOO_LONG,
        /** A verifier has no right answer to this prompt. */
        NO_REFERENCE;

        /** The name in files and tables: {@code out of range}. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', ' ');
        }
    }

    /** The points, if there are any. */
    default OptionalDouble points() {
        return this instanceof Points points ? OptionalDouble.of(points.value()) : OptionalDouble.empty();
    }
}
