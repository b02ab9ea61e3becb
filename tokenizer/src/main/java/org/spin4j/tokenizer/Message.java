package org.spin4j.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Objects;

/**
 * One turn of a conversation: the JSON object that a chat template sees, as {@code {"role":…, "content":…}}. What else it holds, such
 * as {@code tool_calls}, {@code tool_call_id}, {@code name} or {@code reasoning_content}, is between the data and the template.
 *
 * <p>
 * Immutable; equal if the JSON is.
 */
public final class Message {
    private final ObjectNode json;

    /** A turn of text. */
    public Message(String role, String content) {
        json = Json.NODES.objectNode().put("role", Objects.requireNonNull(role, "role")).put("content",
                Objects.requireNonNull(content, "content"));
    }

    private Message(ObjectNode json) {
        this.json = json;
    }

    /**
     * A turn as data has it. The content is text, a list of parts, the JSON object that a tool gave, null, or absent where an assistant
     * only calls tools.
     *
     * @throws TokenizerException if it is not such an object
     */
    public static Message of(JsonNode json) {
        JsonNode content = json.path("content");
        boolean isContent = content.isTextual() || content.isContainerNode() || content.isNull()
                || content.isMissingNode() && json.has("tool_calls");
        if (!(json instanceof ObjectNode object) || !json.path("role").isTextual() || !isContent) {
            throw new TokenizerException("expected a message {\"role\":\"…\",\"content\":\"…\"}, found " + json
                    + "; write role as a string and content as a string or a list of parts");
        }
        return new Message(object.deepCopy());
    }

    /** Who speaks: {@code system}, {@code user}, {@code assistant}, {@code tool}; a template may know others. */
    public String role() {
        return json.get("role").textValue();
    }

    /** What is said: the text, or the texts of all parts in a row; empty if there is none. */
    public String content() {
        JsonNode content = json.path("content");
        if (!content.isArray()) {
            return content.asText("");
        }
        StringBuilder text = new StringBuilder();
        content.forEach(part -> text.append(part.isTextual() ? part.textValue() : part.path("text").asText("")));
        return text.toString();
    }

    /** The whole turn, a copy. */
    public ObjectNode json() {
        return json.deepCopy();
    }

    /** The turn itself, for reading. */
    JsonNode node() {
        return json;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Message message && json.equals(message.json);
    }

    @Override
    public int hashCode() {
        return json.hashCode();
    }

    @Override
    public String toString() {
        return json.toString();
    }
}
