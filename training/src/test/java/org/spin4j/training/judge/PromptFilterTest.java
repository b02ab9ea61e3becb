package org.spin4j.training.judge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.spin4j.training.judge.PromptFilter.Limits;
import org.spin4j.training.judge.PromptFilter.Refusal;

class PromptFilterTest {
    @Test
    void eachRefusalIsCountedByItsReason() {
        PromptFilter filter = new PromptFilter(new Limits(0.7, 3, 8, List.of("image", "go to")),
                List.of("Write a poem about autumn leaves"));
        assertThat(filter.offer(" hi there ")).contains(Refusal.TOO_SHORT);
        assertThat(filter.offer("")).contains(Refusal.TOO_SHORT);
        assertThat(filter.offer("one two three four five six seven eight nine")).contains(Refusal.TOO_LONG);
        assertThat(filter.offer("Describe this IMAGE, please")).contains(Refusal.KEYWORD);
        assertThat(filter.offer("Now go\n to the shop")).contains(Refusal.KEYWORD);
        assertThat(filter.offer("Write a  poem about autumn leaves\n")).contains(Refusal.DUPLICATE);
        assertThat(filter.offer("Write a poem about autumn rain")).contains(Refusal.SIMILAR);
        assertThat(filter.offer("Name three imaginary animals")).isEmpty();
        // What was accepted counts from then on.
        assertThat(filter.offer("Name three imaginary plants")).contains(Refusal.SIMILAR);
        assertThat(filter.refusals()).isEqualTo(Map.of(Refusal.TOO_SHORT, 2, Refusal.TOO_LONG, 1, Refusal.KEYWORD, 2,
                Refusal.DUPLICATE, 1, Refusal.SIMILAR, 2));
        assertThat(Refusal.TOO_SHORT).hasToString("too short");
    }

    /** Three of four words are common, F = 0.75; the limit itself is too much. */
    @Test
    void likenessMustStayBelowTheLimit() {
        assertThat(new PromptFilter(new Limits(0.75, 0, 9, List.of()), List.of("a b c d")).offer("a b c x"))
                .contains(Refusal.SIMILAR);
        assertThat(new PromptFilter(new Limits(0.76, 0, 9, List.of()), List.of("a b c d")).offer("a b c x")).isEmpty();
    }

    /** ROUGE-L sees no words in other scripts; the same text is still found. */
    @Test
    void otherScripts() {
        PromptFilter filter = new PromptFilter(new Limits(0.7, 1, 9, List.of("рисунок")), List.of("你 好 吗"));
        assertThat(filter.offer("你 好 吗")).contains(Refusal.DUPLICATE);
        assertThat(filter.offer("Покажи Рисунок")).contains(Refusal.KEYWORD);
        assertThat(filter.offer("你 们 好 吗")).isEqualTo(Optional.empty());
    }

    @Test
    void limitsThatCannotBe() {
        assertThatThrownBy(() -> new Limits(0, 1, 2, List.of()))
                .hasMessageContaining("expected a ROUGE-L limit above 0");
        assertThatThrownBy(() -> new Limits(1, 3, 2, List.of())).hasMessageContaining("found 1.0, 3 and 2");
        assertThatThrownBy(() -> new Limits(1, 0, 2, List.of(" "))).hasMessageContaining("expected keywords");
        assertThat(Limits.SELF_INSTRUCT.keywords()).contains("image").doesNotHaveDuplicates();
    }
}
