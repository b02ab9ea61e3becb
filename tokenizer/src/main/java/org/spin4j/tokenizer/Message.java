package org.spin4j.tokenizer;

import java.util.Objects;

/**
 * One turn of a conversation.
 *
 * @param role {@code system}, {@code user} or {@code assistant}; a template may know others
 * @param content what was said
 */
public record Message(String role, String content) {
    /** Neither part may be null. */
    public Message {
        Objects.requireNonNull(role, "role");
        Objects.requireNonNull(content, "content");
    }
}
