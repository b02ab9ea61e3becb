package org.spin4j.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class WordCacheTest {
    /** Words that are easily taken for each other: few characters, NUL and the last of Latin-1 among them, of all lengths. */
    @Provide
    Arbitrary<List<String>> words() {
        return Arbitraries.strings().withChars('\0', 'a', 'ÿ', 'Ā', '界').ofMinLength(1).ofMaxLength(50).list()
                .ofMaxSize(200);
    }

    @Property(tries = 50)
    void aWordHasItsOwnIdsOrNone(@ForAll("words") List<String> words) {
        WordCache cache = new WordCache();
        for (String word : words) {
            String text = "-" + word + "-";
            int end = 1 + word.length();
            int[] found = cache.find(text, 1, end);
            if (found != null) {
                assertThat(found).isEqualTo(ids(word));
            }
            cache.add(text, 1, end, ids(word));
            assertThat(cache.find(word, 0, word.length())).isEqualTo(word.length() <= 48 ? ids(word) : null);
        }
    }

    @Test
    void threadsFindNoOthersIds() {
        WordCache cache = new WordCache();
        long wrong = IntStream.range(0, 400_000).parallel().filter(i -> {
            String word = "w" + i * 31 % 100_000;
            int[] found = cache.find(word, 0, word.length());
            if (found == null) {
                cache.add(word, 0, word.length(), ids(word));
                return false;
            }
            return found[0] != word.hashCode();
        }).count();
        assertThat(wrong).isZero();
    }

    private static int[] ids(String word) {
        return new int[]{word.hashCode(), word.length()};
    }
}
