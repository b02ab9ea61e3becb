package org.spin4j.tokenizer.jinja;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** The filter {@code tojson} as transformers defines it: Python's {@code json.dumps}, with nothing escaped for HTML. */
final class ToJson {
    private static final int MAX_DEPTH = 500;

    private final StringBuilder out = new StringBuilder();
    private final boolean ascii;
    private final String indent;
    private final String itemSeparator;
    private final String keySeparator;
    private final boolean sorted;
    private final Work work;

    private ToJson(Value[] options, Work work) {
        this.work = work;
        ascii = options[0] != null && Operators.truth(options[0]);
        indent = indent(options[1]);
        sorted = options[3] != null && Operators.truth(options[3]);
        if (options[2] == null || options[2] == Value.None.NONE) {
            itemSeparator = indent == null ? ", " : ",";
            keySeparator = ": ";
        } else {
            List<Value> separators = new ArrayList<>();
            Types.iterate(options[2]).forEachRemaining(separators::add);
            if (separators.size() != 2) {
                throw new JinjaException("tojson needs two separators, found " + separators.size());
            }
            itemSeparator = StringMethods.string("tojson", separators.get(0));
            keySeparator = StringMethods.string("tojson", separators.get(1));
        }
    }

    static Value filter(Value value, Arguments arguments, Work work) {
        Value[] options = arguments.bind("tojson", 0, "ensure_ascii", "indent", "separators", "sort_keys");
        ToJson json = new ToJson(options, work);
        json.write(value, 0);
        return new Value.Str(json.out.toString());
    }

    private static String indent(Value option) {
        if (option == null || option == Value.None.NONE) {
            return null;
        }
        return option instanceof Value.Str text
                ? text.text()
                : " ".repeat(Math.clamp(StringMethods.integer(option, 0), 0, 100));
    }

    private void write(Value value, int depth) {
        if (depth > MAX_DEPTH) {
            throw new JinjaException("a value of more than " + MAX_DEPTH + " levels");
        }
        int before = out.length();
        switch (value) {
            case Value.None n -> out.append("null");
            case Value.Bool b -> out.append(b == Value.Bool.TRUE);
            case Value.Int i -> out.append(i.value());
            case Value.Real f -> out.append(number(f.value()));
            case Value.Str s -> string(s.text());
            case Value.Markup s -> string(s.text());
            case Value.Lst l -> items(l.items(), depth);
            case Value.Tuple t -> items(t.items(), depth);
            case Value.Dict d -> dict(d, depth);
            default -> throw new JinjaException("tojson of " + Types.name(value) + " is not possible");
        }
        work.text(out.length() > Work.MAX_TEXT ? out.length() : depth > 0 ? 1 : out.length() - before);
    }

    private static String number(double value) {
        return Double.isNaN(value)
                ? "NaN"
                : Double.isInfinite(value)
                        ? value > 0 ? "Infinity" : "-Infinity"
                        : Strings.number(value);
    }

    private void items(List<Value> items, int depth) {
        out.append('[');
        for (int i = 0; i < items.size(); i++) {
            separate(i, depth + 1);
            write(items.get(i), depth + 1);
        }
        close(items.isEmpty(), depth, ']');
    }

    private void dict(Value.Dict dict, int depth) {
        List<Value.Dict.Item> items = new ArrayList<>(dict.items());
        if (sorted) {
            Operators operators = new Operators(work);
            items.sort(Comparator.comparing(Value.Dict.Item::key, (a, b) -> operators.compare("<", a, b)));
        }
        out.append('{');
        for (int i = 0; i < items.size(); i++) {
            separate(i, depth + 1);
            string(key(items.get(i).key()));
            out.append(keySeparator);
            write(items.get(i).value(), depth + 1);
        }
        close(items.isEmpty(), depth, '}');
    }

    private static String key(Value key) {
        return switch (key) {
            case Value.Str s -> s.text();
            case Value.Markup s -> s.text();
            case Value.None n -> "null";
            case Value.Bool b -> String.valueOf(b == Value.Bool.TRUE);
            case Value.Int i -> i.value().toString();
            case Value.Real f -> number(f.value());
            default -> throw new JinjaException("tojson of a key that is a " + Types.name(key) + " is not possible");
        };
    }

    private void separate(int index, int depth) {
        if (index > 0) {
            out.append(itemSeparator);
        }
        line(depth);
    }

    private void close(boolean empty, int depth, char bracket) {
        if (!empty) {
            line(depth);
        }
        out.append(bracket);
    }

    private void line(int depth) {
        if (indent != null) {
            work.text((long) indent.length() * depth);
            out.append('\n').repeat(indent, depth);
        }
    }

    private void string(String text) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\b' -> out.append("\\b");
                case '\f' -> out.append("\\f");
                default -> {
                    if (c < 0x20 || ascii && c > 0x7E) {
                        out.append("\\u%04x".formatted((int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }
}
