package org.spin4j.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.CharRange;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;

class TokenIdsTest {
    @Property(tries = 300)
    void findsWhatAMapFinds(@ForAll List<@CharRange(from = 'a', to = 'c') @StringLength(max = 4) String> tokens,
            @ForAll @CharRange(from = 'a', to = 'c') @StringLength(max = 4) String left,
            @ForAll @CharRange(from = 'a', to = 'c') @StringLength(max = 3) String right) {
        Map<String, Integer> vocab = new HashMap<>();
        tokens.forEach(token -> vocab.put(token, vocab.size()));
        TokenIds ids = new TokenIds(vocab);
        String text = "x" + left + "y";
        assertThat(ids.find(text, 1, 1 + left.length())).isEqualTo(vocab.getOrDefault(left, -1));
        assertThat(ids.findJoined(text, 1, 1 + left.length(), right, 0, right.length()))
                .isEqualTo(vocab.getOrDefault(left + right, -1));
    }

    /** Strings of the same hash code stand in each other's way. */
    @Test
    void collidingTokensAreKeptApart() {
        TokenIds ids = new TokenIds(Map.of("Aa", 1, "BB", 2, "AaAa", 3, "BBBB", 4));
        assertThat(ids.find("BB", 0, 2)).isEqualTo(2);
        assertThat(ids.find("AaBB", 0, 4)).isEqualTo(-1);
        assertThat(ids.findJoined("Aa", 0, 2, "Aa", 0, 2)).isEqualTo(3);
        assertThat(ids.findJoined("BB", 0, 2, "Aa", 0, 2)).isEqualTo(-1);
    }
}
