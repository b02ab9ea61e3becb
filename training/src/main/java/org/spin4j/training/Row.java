package org.spin4j.training;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;
import org.spin4j.tokenizer.Message;

/**
 * One row of data in the form it was written in: text or token ids. Turning it into token ids for a model is the business of
 * whoever knows the tokenizer.
 */
public sealed interface Row {

    /** A piece of a row: text, turns or ids. */
    sealed interface Content {}

    /** Text as written; no template is applied to it. */
    record Text(String text) implements Content {}

    /**
     * Turns of a conversation, in order, at least one.
     *
     * @param options what else the chat template is told: tools, documents and the like
     */
    record Chat(List<Message> turns, Map<String, JsonNode> options) implements Content {
        /** List and map are copied. */
        public Chat {
            turns = List.copyOf(turns);
            options = Map.copyOf(options);
        }

        /** Turns and nothing else. */
        public Chat(List<Message> turns) {
            this(turns, Map.of());
        }
    }

    /** Token ids, used as they are, at least one. */
    record Ids(List<Integer> ids) implements Content {
        /** The list is copied. */
        public Ids {
            ids = List.copyOf(ids);
        }

        /** The ids as an array of their own. */
        public int[] toArray() {
            return ids.stream().mapToInt(Integer::intValue).toArray();
        }
    }

    /**
     * A sequence with a label at each position, as Hugging Face has it: {@code labels[t]} is the id that the model should
     * give at {@code t − 1}, {@link #NO_LOSS} where nothing is asked.
     */
    record Labelled(Ids inputIds, List<Integer> labels) implements Row {
        /** The label that asks for nothing. */
        public static final int NO_LOSS = -100;

        /** The list is copied. */
        public Labelled {
            labels = List.copyOf(labels);
        }
    }

    /** A prompt and the response to learn; the loss is on the response. */
    record Completion(Content prompt, Content completion) implements Row {}

    /** A conversation; the loss is on the assistant's turns. */
    record Conversation(Chat chat) implements Row {}

    /** Text to continue; the loss is on all of it. */
    record PlainText(String text) implements Row {}

    /**
     * A prompt with a preferred and a rejected response; SPIN: real and generated.
     *
     * @param rejectedCut the rejected response was cut by a length limit: it has no end, and none is to be learnt from it
     */
    record Pair(Content prompt, Content chosen, Content rejected, boolean rejectedCut) implements Row {
        /** Two responses that ended. */
        public Pair(Content prompt, Content chosen, Content rejected) {
            this(prompt, chosen, rejected, false);
        }
    }

    /** A sequence to score. */
    record Sequence(Ids inputIds) implements Row {}

    /** A prompt to continue. */
    record Prompt(Content prompt) implements Row {}
}
