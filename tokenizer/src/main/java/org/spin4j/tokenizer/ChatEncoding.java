package org.spin4j.tokenizer;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.spin4j.tokenizer.jinja.Template;

/**
 * A conversation as a model sees it, and which tokens of it the model is to learn: those of the assistant's turns.
 *
 * <p>
 * The text is encoded as a whole, with the special tokens that the template writes; {@link #prompt} does the same for generation. What is
 * learnt is what the template marks with {@code generation} blocks. In a template without them it is what comes after each prompt: the
 * conversation up to a turn of the assistant, rendered as a prompt, must begin the whole text. There a turn ends with the first token that
 * ends generation, or where the next turn begins. A token belongs to the turn in which its first character stands.
 *
 * @param text what the template renders
 * @param ids its tokens
 * @param mask 1 for tokens to learn, 0 for the others
 * @param turns the stretches of tokens to learn, in order
 */
public record ChatEncoding(String text, int[] ids, int[] mask, List<Turn> turns) {
    /** The list is copied. */
    public ChatEncoding {
        turns = List.copyOf(turns);
    }

    /**
     * A stretch of tokens to learn.
     *
     * @param end where the first token behind it stands
     */
    public record Turn(int start, int end) {}

    /**
     * Encodes a conversation to learn from.
     *
     * @param options further values for the template, such as {@code tools}
     * @param endIds tokens that end generation
     * @param allTurns whether to learn all turns of the assistant, not only one that ends the conversation
     * @throws TokenizerException if the template cannot render it, or rewrites earlier turns so that what to learn is not known
     */
    public static ChatEncoding of(Tokenizer tokenizer, ChatTemplate template, List<Message> messages,
            Map<String, ?> options, Collection<Integer> endIds, boolean allTurns) {
        Template.Rendered rendered = template.renderSpans(messages, false, options);
        Encoding encoding = tokenizer.encoding(rendered.text(), EncodeOptions.TEMPLATED);
        List<Turn> turns = rendered.marksGenerated()
                ? marked(rendered, encoding)
                : afterPrompts(template, messages, options, rendered.text(), encoding, endIds, allTurns);
        if (!allTurns && !turns.isEmpty()) {
            turns = List.of(turns.getLast());
        }
        int[] mask = new int[encoding.ids().length];
        for (Turn turn : turns) {
            for (int i = turn.start(); i < turn.end(); i++) {
                mask[i] = 1;
            }
        }
        return new ChatEncoding(rendered.text(), encoding.ids(), mask, turns);
    }

    /** The ids of a conversation that the model is to go on with. */
    public static int[] prompt(Tokenizer tokenizer, ChatTemplate template, List<Message> messages,
            Map<String, ?> options) {
        return tokenizer.encode(template.render(messages, true, options), EncodeOptions.TEMPLATED);
    }

    private static List<Turn> marked(Template.Rendered rendered, Encoding encoding) {
        if (rendered.generatedInside()) {
            throw new TokenizerException(
                    "expected {% generation %} in the template itself, found it inside a macro or a "
                            + "set block, where its place in the text is not known; move it");
        }
        List<Turn> turns = new ArrayList<>();
        for (Template.Span span : rendered.generated()) {
            add(turns, firstFrom(encoding, span.start()), firstFrom(encoding, span.end()));
        }
        return turns;
    }

    private static List<Turn> afterPrompts(ChatTemplate template, List<Message> messages, Map<String, ?> options,
            String text, Encoding encoding, Collection<Integer> endIds, boolean allTurns) {
        List<Turn> turns = new ArrayList<>();
        for (int i = allTurns ? 0 : Math.max(0, messages.size() - 1); i < messages.size(); i++) {
            if (!messages.get(i).role().equals("assistant")) {
                continue;
            }
            String prompt = template.render(messages.subList(0, i), true, options);
            String after = i + 1 == messages.size()
                    ? text
                    : template.render(messages.subList(0, i + 1), false, options);
            if (!text.startsWith(prompt) || !text.startsWith(after)) {
                throw new TokenizerException("expected a chat template whose prompts begin the whole conversation, "
                        + "found one that writes the conversation up to message " + (i + 1)
                        + " differently when it goes on; use a template with {% generation %}, or learn the last turn only");
            }
            int start = firstFrom(encoding, prompt.length());
            int limit = firstFrom(encoding, after.length());
            int end = start;
            while (end < limit && !endIds.contains(encoding.ids()[end])) {
                end++;
            }
            add(turns, start, Math.min(end + 1, limit));
        }
        return turns;
    }

    private static void add(List<Turn> turns, int start, int end) {
        if (start < end) {
            turns.add(new Turn(start, end));
        }
    }

    /** The first token that begins at a char of the text or behind it. */
    private static int firstFrom(Encoding encoding, int place) {
        int low = 0;
        int high = encoding.ids().length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (encoding.starts()[middle] < place) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }
}
