package org.spin4j.training.judge;

import java.math.BigDecimal;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.IntConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.spin4j.tokenizer.Message;
import org.spin4j.training.BadInputException;

/**
 * A judge without a model: it knows the right answers. It judges each answer once, as it would say the same again. A prompt to which it knows
 * no answer is {@link Score.Unusable#NO_REFERENCE}.
 */
public final class VerifierJudge implements Judge {
    /** How an answer is held against the right ones. */
    public enum Kind {
        /**
         * Full score for the right answer and nothing else, capitals and signs included; white space around it and runs of it inside do not
         * count, nor which of Unicode's ways to write a character was chosen (NFC). 0 otherwise.
         */
        EXACT,
        /**
         * Any of the right answers, without regard to capitals, to punctuation and to white space. Full score for the answer alone; half the score
         * where it stands as whole words in a longer response, which may well say other things too; 0 otherwise.
         */
        TABLE,
        /**
         * Full score if the last number in the response is the last number in the right answer, as in GSM8K's flexible filter; 7, 7.0, $7 and
         * 7,000 for 7000 are understood. 0 otherwise, and for a response without a number.
         */
        NUMBER
    }

    private static final Pattern NUMBER = Pattern.compile(
            "(?<![\\d.])(?:(?<![\\p{L}\\p{N})])[-−])?+\\$?(?:\\d{1,3}(?:,\\d{3})++(?!\\d)|\\d++)(?:\\.\\d++)?+");
    /** Longer runs of digits are no answer to anything, and slow to compare. */
    private static final int MOST_DIGITS = 200;

    private final Kind kind;
    private final Function<List<Message>, List<String>> answers;
    private final ScorePattern scale;

    /**
     * A verifier.
     *
     * @param answers the right answers to a prompt; none if they are not known
     * @param scale   whose lowest score is for wrong answers, and whose highest is for right ones
     */
    public VerifierJudge(Kind kind, Function<List<Message>, List<String>> answers, ScorePattern scale) {
        this.kind = kind;
        this.answers = answers;
        this.scale = scale;
    }

    /**
     * A verifier with the answers of a file of {@code {"prompt":"…" or [messages],"answer":"…" or ["…",…]}}, one a line. Several lines may
     * have the same prompt.
     */
    public static VerifierJudge read(Kind kind, Path file, ScorePattern scale) {
        return new VerifierJudge(kind, AnswerTable.read(file), scale);
    }

    @Override
    public List<Assessment> judge(List<Answer> rows, int judgements, long seed, IntConsumer done) {
        List<Assessment> found = new ArrayList<>();
        for (Answer row : rows) {
            found.add(new Assessment(List.of(judgement(row))));
        }
        done.accept(rows.size());
        return found;
    }

    private Assessment.Judgement judgement(Answer row) {
        List<String> right = answers.apply(row.prompt());
        if (right.isEmpty()) {
            return new Assessment.Judgement("The right answer to this prompt is not known.",
                    Score.Unusable.NO_REFERENCE);
        }
        double credit = right.stream().mapToDouble(answer -> credit(answer, row.response())).max().orElseThrow();
        double points = scale.lowest() + credit * (scale.highest() - scale.lowest());
        String found = credit == 1 ? "Right" : credit > 0 ? "Right in part" : "Wrong";
        return new Assessment.Judgement(
                found + ": the answer is " + String.join(" or ", right) + ".\nScore: " + plain(points),
                new Score.Points(points));
    }

    private static String plain(double points) {
        return BigDecimal.valueOf(points).stripTrailingZeros().toPlainString();
    }

    /** What share of the full score a response has earned. */
    private double credit(String right, String response) {
        return switch (kind) {
            case EXACT -> spaced(right).equals(spaced(response)) ? 1 : 0;
            case TABLE -> {
                String words = words(response);
                String answer = words(right);
                yield words.equals(answer)
                        ? 1
                        : !answer.isEmpty() && (" " + words + " ").contains(" " + answer + " ") ? 0.5 : 0;
            }
            case NUMBER -> {
                Optional<BigDecimal> expected = lastNumber(right);
                if (expected.isEmpty()) {
                    throw BadInputException.of(
                            "expected a number in the right answer, found '%s'; use another kind of verifier",
                            BadInputException.excerpt(right));
                }
                yield lastNumber(response).filter(n -> n.compareTo(expected.get()) == 0).isPresent() ? 1 : 0;
            }
        };
    }

    private static String spaced(String text) {
        return Normalizer.normalize(text, Normalizer.Form.NFC).strip().replaceAll("\\s+", " ");
    }

    private static String words(String text) {
        return Normalizer.normalize(text, Normalizer.Form.NFC).toLowerCase(Locale.ROOT)
                .replaceAll("[^\\p{L}\\p{M}\\p{N}]+", " ").strip();
    }

    /** The last number in a text. */
    static Optional<BigDecimal> lastNumber(String text) {
        Matcher matcher = NUMBER.matcher(text);
        String last = null;
        while (matcher.find()) {
            last = matcher.group();
        }
        return Optional.ofNullable(last).filter(n -> n.length() <= MOST_DIGITS)
                .map(n -> new BigDecimal(n.replace("$", "").replace(",", "").replace('−', '-')));
    }
}
