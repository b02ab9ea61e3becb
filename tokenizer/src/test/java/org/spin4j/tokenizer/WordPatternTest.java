package org.spin4j.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The scanners beside their expressions, for every character; random texts are in {@link TokenizerPropertyTest}. */
class WordPatternTest {
    @ParameterizedTest
    @EnumSource(WordPattern.class)
    void everyCharacterIsOfTheRightKind(WordPattern pattern) {
        Pattern regex = Pattern.compile(pattern.regex(), Pattern.UNICODE_CHARACTER_CLASS | Pattern.UNICODE_CASE);
        // Above U+32000 there is nothing but tags and selectors of variants.
        for (int c = 0; c < 0xE0200; c = c == 0x32000 ? 0xE0000 : c + 1) {
            if (c < 0x10000 && Character.isSurrogate((char) c)) {
                continue;
            }
            String one = Character.toString(c);
            String text = "aB" + one + "Bb'" + one + "1" + one + " " + one + one + "\n";
            Matcher matcher = regex.matcher(text);
            int pos = 0;
            while (pos < text.length()) {
                int end = pattern.wordEnd(text, pos, text.length());
                if (!matcher.find() || matcher.start() != pos || matcher.end() != end) {
                    assertThat(end).as("%s, U+%04X, from %d", text, c, pos).isEqualTo(matcher.end());
                }
                pos = end;
            }
        }
    }

    @Test
    void unknownExpressionsAreNotTakenForKnownOnes() {
        for (WordPattern pattern : WordPattern.values()) {
            assertThat(WordPattern.of(pattern.regex())).hasValue(pattern);
            assertThat(WordPattern.of(pattern.regex() + "|x")).isEmpty();
        }
    }
}
