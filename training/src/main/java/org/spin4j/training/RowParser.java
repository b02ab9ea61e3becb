package org.spin4j.training;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;
import org.spin4j.tokenizer.Message;
import org.spin4j.tokenizer.TokenizerException;
import org.spin4j.training.JsonLines.Line;

/**
 * Reads the rows of data that the commands take. Keys that a row has besides are allowed and ignored, as data sets carry
 * all kinds of notes.
 */
public final class RowParser {
    private RowParser() {}

    /** A row for supervised fine-tuning: input_ids with labels, prompt with completion, messages, or text. */
    public static Row sft(Line line) {
        if (line.object().has("input_ids")) {
            return labelled(line);
        }
        if (line.object().has("prompt") && line.object().has("completion")) {
            return new Row.Completion(content(line, "prompt"), content(line, "completion"));
        }
        if (line.object().has("messages")) {
            return conversation(line);
        }
        if (line.object().has("text")) {
            return new Row.PlainText(text(line, "text"));
        }
        throw unknown(line, "input_ids and labels, prompt and completion, messages, or text");
    }

    /** A row for DPO: prompt_ids, chosen_ids and rejected_ids, or prompt, chosen and rejected, or chosen and rejected chats. */
    public static Row.Pair dpo(Line line) {
        if (line.object().has("chosen_ids")) {
            return idsPair(line, "chosen_ids", "rejected_ids");
        }
        if (line.object().has("chosen")) {
            return pair(line, "chosen", "rejected");
        }
        throw unknown(line, "prompt, chosen and rejected, or the same three with _ids");
    }

    /** A row for SPIN: as for {@link #sft}, or a pair that was generated before. */
    public static Row spin(Line line) {
        if (line.object().has("real_ids")) {
            return idsPair(line, "real_ids", "generated_ids");
        }
        if (line.object().has("real")) {
            Row.Pair pair = pair(line, "real", "generated");
            boolean cut = line.object().path("finish_reason").asText().equals("length");
            return new Row.Pair(pair.prompt(), pair.chosen(), pair.rejected(), cut);
        }
        return sft(line);
    }

    /** A row to score: input_ids, messages, or prompt_ids with chosen_ids and rejected_ids. */
    public static Row score(Line line) {
        if (line.object().has("input_ids")) {
            return new Row.Sequence(ids(line, "input_ids"));
        }
        if (line.object().has("chosen_ids")) {
            return idsPair(line, "chosen_ids", "rejected_ids");
        }
        if (line.object().has("messages")) {
            return conversation(line);
        }
        throw unknown(line, "input_ids, messages, or prompt_ids, chosen_ids and rejected_ids");
    }

    /** A row to continue: prompt_ids, prompt or messages. */
    public static Row.Prompt generate(Line line) {
        if (line.object().has("prompt_ids")) {
            return new Row.Prompt(ids(line, "prompt_ids"));
        }
        if (line.object().has("prompt")) {
            return new Row.Prompt(content(line, "prompt"));
        }
        if (line.object().has("messages")) {
            return new Row.Prompt(chat(line, "messages"));
        }
        throw unknown(line, "prompt_ids, prompt or messages");
    }

    private static Row labelled(Line line) {
        Row.Ids ids = ids(line, "input_ids");
        List<Integer> labels = integers(line, "labels", id -> id >= 0 || id == Row.Labelled.NO_LOSS,
                "token ids or -100");
        if (labels.size() != ids.ids().size()) {
            throw BadInputException.of(
                    "expected as many labels as input_ids (%d), found %d in %s; labels are not shifted",
                    ids.ids().size(), labels.size(), line.where());
        }
        return new Row.Labelled(ids, labels);
    }

    private static Row conversation(Line line) {
        Row.Chat chat = chat(line, "messages");
        if (chat.turns().stream().noneMatch(t -> t.role().equals("assistant"))) {
            throw BadInputException.of(
                    "expected a turn of role assistant in messages, found none in %s; there is nothing to learn",
                    line.where());
        }
        return new Row.Conversation(chat);
    }

    private static Row.Pair idsPair(Line line, String chosen, String rejected) {
        return new Row.Pair(ids(line, "prompt_ids"), ids(line, chosen), ids(line, rejected));
    }

    private static Row.Pair pair(Line line, String chosenKey, String rejectedKey) {
        Row.Content chosen = content(line, chosenKey);
        Row.Content rejected = content(line, rejectedKey);
        if (chosen.getClass() != rejected.getClass()) {
            throw BadInputException.of(
                    "expected %s and %s both as text or both as messages, found one of each in %s; write them alike",
                    chosenKey, rejectedKey, line.where());
        }
        if (line.object().has("prompt")) {
            return new Row.Pair(content(line, "prompt"), chosen, rejected);
        }
        if (chosen instanceof Row.Chat real && rejected instanceof Row.Chat generated) {
            return splitPrompt(line, chosenKey, rejectedKey, real.turns(), generated.turns());
        }
        throw BadInputException.of("expected a prompt beside %s and %s, found none in %s; write \"prompt\":\"…\"",
                chosenKey,
                rejectedKey, line.where());
    }

    /** Two whole conversations: the turns they share are the prompt, the last turn of each is the response. */
    private static Row.Pair splitPrompt(Line line, String chosenKey, String rejectedKey, List<Message> chosen,
            List<Message> rejected) {
        List<Message> prompt = chosen.subList(0, chosen.size() - 1);
        if (prompt.isEmpty() || !prompt.equals(rejected.subList(0, rejected.size() - 1))) {
            throw BadInputException.of(
                    "expected %s and %s to differ only in their last turn, found %s in %s; write the same prompt in both",
                    chosenKey, rejectedKey, prompt.isEmpty() ? "a single turn" : "different prompts", line.where());
        }
        return new Row.Pair(new Row.Chat(prompt, options(line)), new Row.Chat(List.of(chosen.getLast())),
                new Row.Chat(List.of(rejected.getLast())));
    }

    private static Row.Content content(Line line, String key) {
        JsonNode node = line.object().get(key);
        return node != null && node.isArray() ? chat(line, key) : new Row.Text(text(line, key));
    }

    private static String text(Line line, String key) {
        JsonNode node = line.object().get(key);
        if (node == null || !node.isTextual()) {
            throw wrong(line, key, "a string", node);
        }
        return node.textValue();
    }

    private static Row.Chat chat(Line line, String key) {
        JsonNode array = line.object().get(key);
        if (!array.isArray() || array.isEmpty()) {
            throw wrong(line, key, "a list of messages", array);
        }
        List<Message> turns = new ArrayList<>();
        for (JsonNode turn : array) {
            try {
                turns.add(Message.of(turn));
            } catch (TokenizerException e) {
                BadInputException wrong = wrong(line, key, "messages {\"role\":\"…\",\"content\":\"…\"}", turn);
                wrong.initCause(e);
                throw wrong;
            }
        }
        return new Row.Chat(turns, options(line));
    }

    /** What a row tells the chat template beside the turns, with TRL's names. */
    private static Map<String, JsonNode> options(Line line) {
        Map<String, JsonNode> options = new LinkedHashMap<>();
        for (String key : List.of("tools", "documents")) {
            JsonNode value = line.object().path(key);
            if (value.isArray()) {
                options.put(key, value);
            }
        }
        line.object().path("chat_template_kwargs").properties()
                .forEach(entry -> options.put(entry.getKey(), entry.getValue()));
        return options;
    }

    private static Row.Ids ids(Line line, String key) {
        List<Integer> ids = integers(line, key, id -> id >= 0, "token ids");
        if (ids.isEmpty()) {
            throw BadInputException.of("expected at least one token id in %s, found none in %s; delete that line", key,
                    line.where());
        }
        return new Row.Ids(ids);
    }

    private static List<Integer> integers(Line line, String key, IntPredicate allowed, String what) {
        JsonNode array = line.object().get(key);
        if (array == null || !array.isArray()) {
            throw wrong(line, key, "a list of " + what, array);
        }
        List<Integer> values = new ArrayList<>(array.size());
        for (JsonNode value : array) {
            if (!value.isIntegralNumber() || !value.canConvertToInt() || !allowed.test(value.intValue())) {
                throw wrong(line, key, "a list of " + what, value);
            }
            values.add(value.intValue());
        }
        return values;
    }

    private static BadInputException wrong(Line line, String key, String expected, JsonNode found) {
        return BadInputException.of("expected %s in %s, found %s in %s; repair that line", expected, key,
                found == null ? "no such key" : BadInputException.excerpt(found.toString()), line.where());
    }

    private static BadInputException unknown(Line line, String expected) {
        List<String> keys = new ArrayList<>();
        line.object().fieldNames().forEachRemaining(keys::add);
        return BadInputException.of("expected a row with %s, found %s in %s; rename the keys", expected,
                keys.isEmpty() ? "no key" : "the keys " + BadInputException.excerpt(String.join(", ", keys)),
                line.where());
    }
}
