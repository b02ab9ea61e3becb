package org.spin4j.training.judge;

import java.util.Collection;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Decides which new prompts may join those there are, as Self-Instruct does (Wang et al. 2023, arXiv 2212.10560, section 2.2): none that is
 * too short or too long, asks for what a model of text cannot do, or resembles a prompt before it.
 */
public final class PromptFilter {
    /** Why a prompt is refused; the first that applies. */
    public enum Refusal {
        /** Fewer words than allowed. */
        TOO_SHORT,
        /** More words than allowed. */
        TOO_LONG,
        /** A word of the list stands in it. */
        KEYWORD,
        /** There already, apart from white space. */
        DUPLICATE,
        /** {@link RougeL} with a prompt that is there is as much as the limit, or more. */
        SIMILAR;

        /** The name in files and tables: {@code too short}. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', ' ');
        }
    }

    /**
     * What a prompt must keep to.
     *
     * @param rougeL     limit of likeness that a prompt must stay below; above 1 any likeness will do
     * @param leastWords fewest words, parted by white space
     * @param mostWords  most words
     * @param keywords   words, or several parted by spaces, that may not stand in it as whole words, in capitals or not
     */
    public record Limits(double rougeL, int leastWords, int mostWords, List<String> keywords) {
        /** Self-Instruct's limits, with words for what is seen, heard, drawn or kept in files. */
        public static final Limits SELF_INSTRUCT = new Limits(0.7, 4, 150,
                List.of("image", "images", "picture", "pictures", "photo", "photos", "graph", "graphs", "chart",
                        "charts",
                        "diagram", "diagrams", "flowchart", "map", "maps", "draw", "plot", "sketch", "video", "videos",
                        "audio",
                        "music", "file", "files", "attachment", "website", "link"));

        /** Checks the numbers and copies the list. */
        public Limits {
            if (!(rougeL > 0) || leastWords < 0 || mostWords < leastWords) {
                throw new IllegalArgumentException(
                        "expected a ROUGE-L limit above 0 and a least number of words up to the most, "
                                + "found " + rougeL + ", " + leastWords + " and " + mostWords);
            }
            if (keywords.stream().anyMatch(String::isBlank)) {
                throw new IllegalArgumentException("expected keywords, found an empty one; leave it out");
            }
            keywords = List.copyOf(keywords);
        }
    }

    private final Limits limits;
    private final Optional<Pattern> keywords;
    private final RougeL known = new RougeL();
    private final Set<String> texts = new HashSet<>();
    private final Map<Refusal, Integer> refusals = new EnumMap<>(Refusal.class);

    /**
     * A filter.
     *
     * @param prompts that are there already
     */
    public PromptFilter(Limits limits, Collection<String> prompts) {
        this.limits = limits;
        keywords = limits.keywords().isEmpty()
                ? Optional.empty()
                : Optional.of(Pattern.compile(limits.keywords().stream().map(k -> Pattern.quote(k.strip()))
                        .collect(Collectors.joining("|", "(?<![\\p{L}\\p{N}])(?:", ")(?![\\p{L}\\p{N}])")),
                        Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE));
        prompts.forEach(this::keep);
    }

    /** Why a prompt is refused, which is counted; empty if it is not, and then later prompts are compared with it too. */
    public Optional<Refusal> offer(String prompt) {
        Optional<Refusal> refusal = refusal(prompt);
        refusal.ifPresentOrElse(reason -> refusals.merge(reason, 1, Integer::sum), () -> keep(prompt));
        return refusal;
    }

    /** How many prompts were refused, by reason; reasons that did not occur are left out. */
    public Map<Refusal, Integer> refusals() {
        return new EnumMap<>(refusals);
    }

    private void keep(String prompt) {
        known.add(prompt);
        texts.add(normalized(prompt));
    }

    private Optional<Refusal> refusal(String prompt) {
        String text = normalized(prompt);
        int words = text.isEmpty() ? 0 : text.split(" ").length;
        if (words < limits.leastWords()) {
            return Optional.of(Refusal.TOO_SHORT);
        }
        if (words > limits.mostWords()) {
            return Optional.of(Refusal.TOO_LONG);
        }
        if (keywords.isPresent() && keywords.get().matcher(text).find()) {
            return Optional.of(Refusal.KEYWORD);
        }
        if (texts.contains(text)) {
            return Optional.of(Refusal.DUPLICATE);
        }
        return known.greatest(prompt) >= limits.rougeL() ? Optional.of(Refusal.SIMILAR) : Optional.empty();
    }

    private static String normalized(String prompt) {
        return prompt.strip().replaceAll("\\s+", " ");
    }
}
