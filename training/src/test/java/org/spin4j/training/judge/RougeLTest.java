package org.spin4j.training.judge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RougeLTest {
    /**
     * Values of torchmetrics 1.9.0, which follows rouge_score: {@code _rouge_l_score(tokens(b), tokens(a))["fmeasure"]} of
     * torchmetrics/functional/text/rouge.py with {@code tokens = _normalize_and_tokenize_text}, no stemmer, in double precision.
     */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
            "the cat sat on the mat|the cat is on the mat|0.8333333333333334",
            "The quick brown fox jumps over the lazy dog|The quick brown dog jumps on the log.|0.5882352941176471",
            "Write a poem about autumn leaves.|Write a short poem about the leaves of autumn!|0.6666666666666667",
            "What's 3.5% of 1,200?|whats 3 5 of 1200|0.5", "a b c d e f g|g f e d c b a|0.14285714285714285",
            "one two|three four|0", "``|nothing here|0", "...|!!!|0", "same words here|Same WORDS, here|1",
            "a a a b|a b a a a a|0.6", "naïve café|naive cafe|0",
            "İstanbul and Kelvin \u212A|istanbul and kelvin k|0.6666666666666665",
            "snake_case word2vec|snake case word2vec|1", "你好 hello|hello 世界|1"})
    void valuesOfTheReferenceImplementation(String a, String b, double expected) {
        assertThat(RougeL.of(a, b)).isCloseTo(expected, within(1e-12));
        assertThat(RougeL.of(b, a)).isCloseTo(expected, within(1e-12));
    }

    /** The same on texts of more words than a block of bits holds; words w0, w1 … from a linear congruential generator. */
    @ParameterizedTest
    @CsvSource({"63,64,7,0.5039370078740157", "64,64,7,0.515625", "65,130,7,0.4717948717948719",
            "200,150,30,0.3028571428571428", "300,300,3,0.7"})
    void valuesOfTheReferenceImplementationForLongTexts(int n, int m, int different, double expected) {
        assertThat(RougeL.of(words(n, 1, different), words(m, 2, different))).isCloseTo(expected, within(1e-12));
    }

    private static String words(int count, long seed, int different) {
        long[] x = {seed};
        return IntStream.range(0, count).mapToObj(i -> {
            x[0] = (x[0] * 1103515245 + 12345) & 0x7fffffff;
            return "w" + (x[0] >> 16) % different;
        }).collect(Collectors.joining(" "));
    }

    /** Against the textbook's table. */
    @Property(tries = 200)
    void theBitsGiveTheTextbooksLength(@ForAll @Size(max = 200) List<@IntRange(max = 5) Integer> a,
            @ForAll @Size(max = 200) List<@IntRange(max = 5) Integer> b) {
        int[][] table = new int[a.size() + 1][b.size() + 1];
        for (int i = 1; i <= a.size(); i++) {
            for (int j = 1; j <= b.size(); j++) {
                table[i][j] = a.get(i - 1).equals(b.get(j - 1))
                        ? table[i - 1][j - 1] + 1
                        : Math.max(table[i - 1][j], table[i][j - 1]);
            }
        }
        int words = a.size() + b.size();
        assertThat(RougeL.of(text(a), text(b)))
                .isCloseTo(words == 0 ? 0 : 2.0 * table[a.size()][b.size()] / words, within(1e-12));
    }

    /** Both words are common, but not in this order; between them lie whole blocks of bits that the carry must pass. */
    @Test
    void theCarryPassesBlocksWithoutAMatch() {
        String far = "a " + "x ".repeat(150) + "b";
        assertThat(RougeL.of("b a", far)).isCloseTo(2.0 / 154, within(1e-12));
        assertThat(RougeL.of("a b", far)).isCloseTo(4.0 / 154, within(1e-12));
    }

    private static String text(List<Integer> words) {
        return words.stream().map(w -> "w" + w).collect(Collectors.joining(" "));
    }

    @Test
    void theGreatestOfMany() {
        RougeL known = new RougeL();
        assertThat(known.greatest("a b")).isZero();
        List<String> texts = List.of("a b c d", "a x y z", "b c", "q");
        texts.forEach(known::add);
        for (String text : List.of("a b", "c", "x y z q", "b c", "none of them")) {
            assertThat(known.greatest(text))
                    .isEqualTo(texts.stream().mapToDouble(t -> RougeL.of(t, text)).max().orElseThrow());
        }
    }

    /** Two million pairs of prompts; the limit is far above what it takes, and far below what tables would. */
    @Test
    void thousandsAgainstThousands() {
        Random random = new Random(1);
        RougeL known = new RougeL();
        long begin = System.nanoTime();
        for (int i = 0; i < 2_000; i++) {
            String text = random.ints(20, 0, 500).mapToObj(w -> "w" + w).collect(Collectors.joining(" "));
            assertThat(known.greatest(text)).isBetween(0.0, 1.0);
            known.add(text);
        }
        assertThat((System.nanoTime() - begin) / 1e9).isLessThan(20);
    }
}
