package org.spin4j.training;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.spin4j.tokenizer.BpeTrainer;
import org.spin4j.tokenizer.Tokenizer;

class AnswerTextTest {
    /** One token per byte: characters come in pieces. */
    private static final Tokenizer BYTES = BpeTrainer.train(List.of("a"),
            new BpeTrainer.Config(257, 1, List.of("<s>")));

    private static List<String> pieces(String text, String... stops) {
        AnswerText answer = new AnswerText(BYTES, List.of(stops));
        List<String> pieces = new ArrayList<>();
        for (int id : BYTES.encode(text)) {
            pieces.add(answer.accept(id));
        }
        pieces.add(answer.finish());
        return pieces;
    }

    @Test
    void neverHalfACharacter() {
        assertThat(pieces("aé😀")).containsExactly("a", "", "é", "", "", "", "😀", "");
    }

    @ParameterizedTest
    @CsvSource({"one END two, one , END", "ENEND, EN, END", "xaab, x, aab", "aaab, a, aab", "aaa, aaa, aab",
            "one two, one , two|END", "so EN, so EN, END", "é😀ü, é, 😀", "abcd, a, bcd|bc"})
    void endsBeforeTheFirstStopString(String text, String expected, String stops) {
        List<String> pieces = pieces(text, stops.split("\\|"));
        assertThat(String.join("", pieces)).isEqualTo(text.startsWith("one") ? expected + " " : expected);
    }

    @Test
    void whatMayBecomeAStopStringIsHeldBack() {
        assertThat(pieces("aENx", "END")).containsExactly("a", "", "", "ENx", "");
        AnswerText answer = new AnswerText(BYTES, List.of("b"));
        answer.accept(BYTES.encode("a")[0]);
        assertThat(answer.stopped()).isFalse();
        answer.accept(BYTES.encode("b")[0]);
        assertThat(answer.stopped()).isTrue();
        assertThat(answer.accept(BYTES.encode("c")[0])).isEmpty();
    }
}
