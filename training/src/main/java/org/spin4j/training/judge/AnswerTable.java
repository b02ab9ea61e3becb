package org.spin4j.training.judge;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.spin4j.tokenizer.Message;
import org.spin4j.training.BadInputException;
import org.spin4j.training.JsonLines;

/** Right answers to prompts, from a file. */
final class AnswerTable {
    private AnswerTable() {}

    /** The answers to a prompt; none if it is not in the file. White space around a single turn does not count. */
    static Function<List<Message>, List<String>> read(Path file) {
        Map<List<Message>, List<String>> table = new HashMap<>();
        JsonLines.readAll(file, line -> {
            List<String> answers = answers(line);
            table.computeIfAbsent(key(RankedPrompt.turns(line)), prompt -> new ArrayList<>()).addAll(answers);
            return answers;
        });
        return prompt -> table.getOrDefault(key(prompt), List.of());
    }

    private static List<Message> key(List<Message> prompt) {
        return prompt.size() == 1
                ? List.of(new Message(prompt.getFirst().role(), prompt.getFirst().content().strip()))
                : prompt;
    }

    private static List<String> answers(JsonLines.Line line) {
        JsonNode node = line.object().path("answer");
        List<String> answers = new ArrayList<>();
        for (JsonNode answer : node.isArray() ? node : List.of(node)) {
            if (!answer.isTextual() && !answer.isNumber()) {
                throw BadInputException.of(
                        "expected the right answer as text or a number, or a list of them, in answer, found %s in "
                                + "%s; write \"answer\":\"…\"",
                        answer.isMissingNode()
                                ? "no such key"
                                : BadInputException.excerpt(answer.toString()),
                        line.where());
            }
            answers.add(answer.asText());
        }
        return answers;
    }
}
