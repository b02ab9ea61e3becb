package org.spin4j.tokenizer.jinja;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigInteger;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A template that has been read. Immutable; any number of threads may render it. */
public final class Template {
    /** The longest known chat template is a fiftieth of this. */
    private static final int MAX_LENGTH = 1 << 20;
    private static final int MAX_DEPTH = 500;

    private final StatementParser.Parsed parsed;

    private Template(StatementParser.Parsed parsed) {
        this.parsed = parsed;
    }

    /**
     * A part of a rendered text, in chars.
     *
     * @param end where the first char behind it stands
     */
    public record Span(int start, int end) {}

    /**
     * What a template makes of its variables.
     *
     * @param text the text
     * @param marksGenerated whether the template has {@code generation} blocks, be they reached or not
     * @param generatedInside whether a {@code generation} block stood inside a macro or a captured block, whose place in the text is
     *        unknown
     * @param generated what {@code generation} blocks wrote, in order
     */
    public record Rendered(String text, boolean marksGenerated, boolean generatedInside, List<Span> generated) {}

    /**
     * Reads a template.
     *
     * @throws JinjaException if it is no template, or has a tag that is not covered
     */
    public static Template parse(String source) {
        if (source.length() > MAX_LENGTH) {
            throw new JinjaException("found " + source.length() + " characters, more than " + MAX_LENGTH);
        }
        return new Template(StatementParser.parse(source));
    }

    /**
     * Renders the template.
     *
     * @param now what {@code strftime_now} tells
     * @throws JinjaException if the template raises an error, needs what is not covered, or does too much work
     */
    public Rendered render(Map<String, Value> variables, LocalDateTime now) {
        Work work = new Work();
        return new Interpreter(work, new Globals(work, now)).render(parsed, variables);
    }

    /** JSON as the values that Python's {@code json.loads} gives. */
    public static Value value(JsonNode node) {
        return value(node, 0);
    }

    private static Value value(JsonNode node, int depth) {
        if (depth > MAX_DEPTH) {
            throw new JinjaException("a value of more than " + MAX_DEPTH + " levels");
        }
        return switch (node.getNodeType()) {
            case STRING -> new Value.Str(node.textValue());
            case BOOLEAN -> Value.Bool.of(node.booleanValue());
            case NUMBER -> node.isIntegralNumber()
                    ? new Value.Int(new BigInteger(node.asText()))
                    : new Value.Real(node.doubleValue());
            case ARRAY -> {
                List<Value> items = new ArrayList<>(node.size());
                node.forEach(item -> items.add(value(item, depth + 1)));
                yield new Value.Lst(items);
            }
            case OBJECT -> {
                Value.Dict dict = new Value.Dict();
                node.properties().forEach(entry -> dict.put(entry.getKey(), value(entry.getValue(), depth + 1)));
                yield dict;
            }
            default -> Value.None.NONE;
        };
    }
}
