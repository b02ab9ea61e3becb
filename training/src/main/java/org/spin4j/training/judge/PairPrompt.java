package org.spin4j.training.judge;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.spin4j.tokenizer.Message;

/**
 * How a model is asked which of two responses is better: any text with the places {@code {{ prompt }}}, {@code {{ response_a }}} and
 * {@code {{ response_b }}} that asks for {@code Verdict: A}, {@code B} or {@code tie}, or for {@code [[A]]}, {@code [[B]]} or {@code [[C]]}
 * for a tie, as MT-Bench does (Zheng et al. 2023, arXiv 2306.05685).
 */
public final class PairPrompt {
    /** What one judgement says of the responses in the order in which they were shown. */
    enum Verdict {
        A, B, TIE
    }

    private static final List<String> PLACES = List.of("prompt", "response_a", "response_b");
    private static final String SIDE_BY_SIDE = """
            Two assistants answered the same question. Decide whose answer serves the user better: which is more correct, more \
            relevant, more complete and clearer. Neither the order of the answers nor their length is a reason.

            Question of the user:
            <question>
            {{ prompt }}
            </question>

            Answer A:
            <answer>
            {{ response_a }}
            </answer>

            Answer B:
            <answer>
            {{ response_b }}
            </answer>

            First give your reasons in no more than 100 words. Then end with one line, in one of these three forms:
            Verdict: A
            Verdict: B
            Verdict: tie""";
    private static final Pattern VERDICT = Pattern.compile(
            "(?:\\bverdict[*_`\"]*+\\h?(?:[:：=]|is\\b)[*_`\"\\[(\\h]*+(?:(?:answer|response|assistant)\\h)?|\\[\\[)"
                    + "(?<verdict>[ABC]|tie|draw|equal)(?![\\p{L}\\p{N}'’])",
            Pattern.CASE_INSENSITIVE);

    private final PromptTemplate template;

    private PairPrompt(PromptTemplate template) {
        this.template = template;
    }

    /** The built-in prompt. */
    public static PairPrompt sideBySide() {
        return of(SIDE_BY_SIDE, "the built-in prompt");
    }

    /**
     * A prompt of one's own.
     *
     * @param where it comes from, for messages
     */
    public static PairPrompt of(String text, String where) {
        return new PairPrompt(PromptTemplate.of(text, PLACES, where));
    }

    /** A prompt of one's own from a file. */
    public static PairPrompt read(Path file) {
        return new PairPrompt(PromptTemplate.read(file, PLACES));
    }

    /** What the judge is asked. */
    public String render(List<Message> prompt, String responseA, String responseB) {
        return template.render(Map.of("prompt", JudgePrompt.conversation(prompt), "response_a", responseA,
                "response_b", responseB));
    }

    /** The last verdict in a judgement; none if there is none. */
    Optional<Verdict> parse(String judgement) {
        Matcher matcher = VERDICT.matcher(judgement);
        String last = null;
        while (matcher.find()) {
            last = matcher.group("verdict").toUpperCase(Locale.ROOT);
        }
        return Optional.ofNullable(last).map(verdict -> switch (verdict) {
            case "A" -> Verdict.A;
            case "B" -> Verdict.B;
            default -> Verdict.TIE;
        });
    }

    /** The prompt with its places: what its judgements depend on. */
    @Override
    public String toString() {
        return template.toString();
    }
}
