package org.spin4j.training;

import java.util.List;
import org.spin4j.tokenizer.TokenStream;
import org.spin4j.tokenizer.Tokenizer;

/**
 * The text of an answer as its tokens come, up to the first stop string. Text comes out as soon as it is certain: half a character is
 * held back, and so is what may be the beginning of a stop string.
 */
public final class AnswerText {
    private final TokenStream stream;
    private final List<String> stops;
    private final StringBuilder held = new StringBuilder();
    private boolean stopped;

    /**
     * An answer without tokens.
     *
     * @param stops strings at which it ends; none of them is empty
     */
    public AnswerText(Tokenizer tokenizer, List<String> stops) {
        this.stream = tokenizer.stream(true);
        this.stops = List.copyOf(stops);
    }

    /** The text that this token makes certain; empty from a stop string on. */
    public String accept(int id) {
        if (stopped) {
            return "";
        }
        held.append(stream.accept(id));
        return release(false);
    }

    /** The text held back, at the end of the answer. */
    public String finish() {
        if (stopped) {
            return "";
        }
        held.append(stream.finish());
        return release(true);
    }

    /** Whether a stop string has come. */
    public boolean stopped() {
        return stopped;
    }

    private String release(boolean all) {
        int end = held.length();
        for (String stop : stops) {
            int at = held.indexOf(stop);
            if (at >= 0 && (!stopped || at < end)) {
                stopped = true;
                end = at;
            }
        }
        if (!stopped && !all) {
            end -= stops.stream().mapToInt(this::begun).max().orElse(0);
        }
        String text = held.substring(0, end);
        held.delete(0, stopped ? held.length() : end);
        return text;
    }

    /** How many of the last characters are the beginning of a stop string. */
    private int begun(String stop) {
        for (int n = Math.min(stop.length() - 1, held.length()); n > 0; n--) {
            if (stop.startsWith(held.substring(held.length() - n))) {
                return n;
            }
        }
        return 0;
    }
}
