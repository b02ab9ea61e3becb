package org.spin4j.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.spin4j.training.DemoTasks.Example;
import org.spin4j.training.DemoTasks.Family;
import org.spin4j.training.DemoTasks.Splits;

class DemoTasksTest {
    private static final Splits SPLITS = DemoTasks.splits(42);

    @Test
    void sizesAndShares() {
        assertThat(SPLITS.train()).hasSize(10_500);
        assertThat(SPLITS.validation()).hasSize(500);
        assertThat(SPLITS.test()).hasSize(500);
        for (List<Example> split : List.of(SPLITS.train(), SPLITS.validation(), SPLITS.test())) {
            Map<Family, Long> shares = split.stream()
                    .collect(Collectors.groupingBy(Example::family, Collectors.counting()));
            assertThat(shares.values()).containsOnly(split.size() / 5L);
        }
    }

    @Test
    void noPromptTwiceAndNoWordOrNumberInTwoSplits() {
        List<Example> all = all().toList();
        assertThat(all.stream().map(Example::prompt).distinct().count()).isEqualTo(all.size());
        Set<String> train = subjects(SPLITS.train());
        Set<String> validation = subjects(SPLITS.validation());
        Set<String> test = subjects(SPLITS.test());
        assertThat(train).doesNotContainAnyElementsOf(validation).doesNotContainAnyElementsOf(test);
        assertThat(validation).doesNotContainAnyElementsOf(test);
        assertThat(train.stream().filter(s -> s.startsWith("SPELL"))).hasSize(800);
    }

    @Test
    void answersAreRightAndWrongOnesWrong() {
        Map<Family, Function<String, String>> rules = Map.of(Family.REVERSE,
                w -> new StringBuilder(w).reverse().toString(),
                Family.UPPER, w -> w.toUpperCase(Locale.ROOT), Family.SORT,
                w -> w.chars().sorted().mapToObj(Character::toString).collect(Collectors.joining()), Family.VOWELS,
                w -> Integer.toString(w.replaceAll("[^aeiou]", "").length()), Family.SPELL,
                n -> DemoTasks.spell(Integer.parseInt(n)));
        assertThat(all()).allSatisfy(e -> {
            String subject = e.prompt().substring(e.prompt().indexOf(' ') + 1);
            assertThat(e.answer()).isEqualTo(rules.get(e.family()).apply(subject));
            assertThat(e.wrongRuleAnswer()).isNotEqualTo(e.answer());
            assertThat(DemoTasks.correct(e, " " + e.answer() + "\n")).isTrue();
            assertThat(DemoTasks.correct(e, e.wrongRuleAnswer())).isFalse();
            assertThat(DemoTasks.correct(e, e.answer() + "x")).isFalse();
            int length = subject.length();
            assertThat(length).isBetween(e.family() == Family.SPELL ? 1 : e.family() == Family.VOWELS ? 4 : 3,
                    e.family() == Family.VOWELS ? 7 : 6);
        });
        assertThat(all().mapToInt(e -> e.answer().length()).average().orElseThrow()).isBetween(7.0, 9.0);
    }

    @Test
    void spelling() {
        assertThat(Stream.of(0, 7, 13, 20, 45, 100, 101, 342, 999).map(DemoTasks::spell)).containsExactly("zero",
                "seven",
                "thirteen", "twenty", "forty-five", "one hundred", "one hundred and one", "three hundred and forty-two",
                "nine hundred and ninety-nine");
        assertThat(new HashSet<>(IntStream.range(0, 1000).mapToObj(DemoTasks::spell).toList())).hasSize(1000);
    }

    @Test
    void theSeedDecides() {
        assertThat(DemoTasks.splits(42)).isEqualTo(SPLITS);
        assertThat(DemoTasks.splits(43).test()).isNotEqualTo(SPLITS.test());
        // Pinned: another machine must make the same data.
        assertThat(Fingerprint.of(all().map(Example::toString).collect(Collectors.joining("\n")))).isEqualTo(
                "fc15c826ba4201a39f9f64ae6a41b9746f0d6a428fcd03cee466d3c4c12a7d13");
    }

    @Test
    void halfOfTheAnswersAreWrong() {
        Example example = SPLITS.train().getFirst();
        long wrong = LongStream.range(0, 10_000)
                .filter(i -> DemoTasks.halfWrongAnswer(example, 42, i).equals(example.wrongRuleAnswer())).count();
        // Mean 5000, standard deviation 50.
        assertThat(wrong).isBetween(4_700L, 5_300L);
    }

    @Property(tries = 30)
    void otherSizes(@ForAll @IntRange(min = 0, max = 400) int train,
            @ForAll @IntRange(min = 0, max = 100) int validation,
            @ForAll @IntRange(min = 0, max = 100) int test) {
        Splits splits = DemoTasks.splits(1, 5 * train, 5 * validation, 5 * test);
        assertThat(List.of(splits.train().size(), splits.validation().size(), splits.test().size())).containsExactly(
                5 * train,
                5 * validation, 5 * test);
    }

    @Test
    void refusesSizesThatDoNotWork() {
        assertThatThrownBy(() -> DemoTasks.splits(1, 12, 5, 5)).hasMessageContaining("multiples of 5, found 12");
        assertThatThrownBy(() -> DemoTasks.splits(1, 15_000, 5, 5)).hasMessageContaining("1000 numbers");
    }

    private static Stream<Example> all() {
        return Stream.of(SPLITS.train(), SPLITS.validation(), SPLITS.test()).flatMap(List::stream);
    }

    private static Set<String> subjects(List<Example> examples) {
        return examples.stream().map(e -> e.family() + " " + e.prompt().substring(e.prompt().indexOf(' ') + 1))
                .collect(Collectors.toSet());
    }
}
