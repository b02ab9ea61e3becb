package org.spin4j.training.judge;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.spin4j.tokenizer.Message;
import org.spin4j.training.BadInputException;
import org.spin4j.training.JsonLines;
import org.spin4j.training.Row;
import org.spin4j.training.RowParser;

/**
 * Several responses to one prompt, ranked by people.
 *
 * @param prompt    the conversation up to the responses
 * @param responses at least two
 * @param ranks     of each response, the best has the lowest; equal ranks are responses that people hold to be equally good
 */
public record RankedPrompt(List<Message> prompt, List<String> responses, List<Double> ranks) {
    /** Checks the sizes and copies the lists. */
    public RankedPrompt {
        prompt = List.copyOf(prompt);
        responses = List.copyOf(responses);
        ranks = List.copyOf(ranks);
        if (prompt.isEmpty() || responses.size() < 2 || ranks.size() != responses.size()) {
            throw new IllegalArgumentException("expected a prompt, at least two responses and a rank for each, found "
                    + prompt.size() + " turns, " + responses.size() + " responses and " + ranks.size() + " ranks");
        }
    }

    /**
     * Reads {@code {"prompt":"…" or [messages],"responses":["…",…],"ranks":[1,2,…]}}, one a line.
     *
     * @throws BadInputException if a line is something else
     */
    public static List<RankedPrompt> read(Path file) {
        return JsonLines.readAll(file, line -> {
            List<Message> prompt = turns(line);
            List<String> responses = new ArrayList<>();
            for (JsonNode node : line.object().path("responses")) {
                require(node.isTextual(), "texts in responses", node, line);
                responses.add(node.textValue());
            }
            List<Double> ranks = new ArrayList<>();
            for (JsonNode node : line.object().path("ranks")) {
                require(node.isNumber() && Double.isFinite(node.doubleValue()), "numbers in ranks", node, line);
                ranks.add(node.doubleValue());
            }
            if (responses.size() < 2 || responses.size() != ranks.size()) {
                throw BadInputException.of(
                        "expected at least two responses and a rank for each, found %d and %d in %s; "
                                + "write \"responses\":[…],\"ranks\":[…]",
                        responses.size(), ranks.size(), line.where());
            }
            return new RankedPrompt(prompt, responses, ranks);
        });
    }

    /** The prompt of a row, {@code prompt} or {@code messages}; text is a turn of the user. */
    static List<Message> turns(JsonLines.Line line) {
        return switch (RowParser.generate(line).prompt()) {
            case Row.Text text -> List.of(new Message("user", text.text()));
            case Row.Chat chat -> chat.turns();
            case Row.Ids ids -> throw BadInputException.of(
                    "expected a prompt as text or messages, found token ids in %s; a judge reads text", line.where());
        };
    }

    private static void require(boolean good, String expected, JsonNode found, JsonLines.Line line) {
        if (!good) {
            throw BadInputException.of("expected %s, found %s in %s; repair that line", expected,
                    BadInputException.excerpt(found.toString()), line.where());
        }
    }
}
