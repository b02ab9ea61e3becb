package org.spin4j.tokenizer.jinja;

import java.util.Iterator;
import java.util.List;
import java.util.StringJoiner;
import java.util.function.Function;
import java.util.stream.LongStream;

/** What kind of thing a value is to Python: its name, its items, its spelling. */
final class Types {
    /** Python's own limit is about as deep. */
    private static final int MAX_DEPTH = 500;

    private Types() {}

    /** Python's name of the type. */
    static String name(Value value) {
        return switch (value) {
            case Value.None n -> "None";
            case Value.Bool b -> "bool";
            case Value.Int i -> "int";
            case Value.Real f -> "float";
            case Value.Str s -> "str";
            case Value.Markup m -> "a str marked safe";
            case Value.Lst l -> "list";
            case Value.Tuple t -> "tuple";
            case Value.View v -> v.name();
            case Value.Dict d -> "dict";
            case Value.Range r -> "range";
            case Value.Once o -> "generator";
            case Value.Undefined u -> "Undefined";
            case Value.Func f -> f.macro() ? "macro" : "function";
            case Value.Namespace n -> "Namespace";
            case Value.LoopInfo l -> "LoopContext";
        };
    }

    /** The items of something that has items. */
    static Iterator<Value> iterate(Value value) {
        return switch (value) {
            case Value.Str s -> Strings.characters(s.text()).stream().map(c -> (Value) new Value.Str(c)).iterator();
            case Value.Lst l -> l.items().iterator();
            case Value.Tuple t -> t.items().iterator();
            case Value.View v -> v.items().iterator();
            case Value.Dict d -> d.keys().iterator();
            case Value.Range r -> LongStream.range(0, r.size())
                    .mapToObj(i -> (Value) Value.Int.of(r.start() + i * r.step())).iterator();
            case Value.Once o -> o.items();
            case Value.Undefined u -> List.<Value>of().iterator();
            default -> throw new JinjaException(name(value) + " has no items");
        };
    }

    static boolean isIterable(Value value) {
        return switch (value) {
            case Value.Str s -> true;
            case Value.Markup m -> true;
            case Value.Lst l -> true;
            case Value.Tuple t -> true;
            case Value.View v -> true;
            case Value.Dict d -> true;
            case Value.Range r -> true;
            case Value.Once o -> true;
            case Value.Undefined u -> true;
            case Value.LoopInfo l -> true;
            default -> false;
        };
    }

    /** {@code len(value)}. */
    static int length(Value value) {
        return switch (value) {
            case Value.Str s -> Strings.length(s.text());
            case Value.Markup m -> Strings.length(m.text());
            case Value.Lst l -> l.items().size();
            case Value.Tuple t -> t.items().size();
            case Value.View v -> v.items().size();
            case Value.Dict d -> d.size();
            case Value.Range r -> (int) r.size();
            case Value.Undefined u -> 0;
            case Value.LoopInfo l -> l.loop().length();
            default -> throw new JinjaException(name(value) + " has no length");
        };
    }

    /** {@code str(value)}: what {@code {{ value }}} writes. */
    static String text(Value value, Work work) {
        return switch (value) {
            case Value.Str s -> s.text();
            case Value.Markup m -> m.text();
            case Value.Undefined u -> "";
            default -> spelled(value, work, 0);
        };
    }

    /** {@code repr(value)}. */
    static String spelled(Value value, Work work) {
        return spelled(value, work, 0);
    }

    private static String spelled(Value value, Work work, int depth) {
        if (depth > MAX_DEPTH) {
            throw new JinjaException("a value of more than " + MAX_DEPTH + " levels");
        }
        Function<Value, String> inner = item -> spelled(item, work, depth + 1);
        String text = switch (value) {
            case Value.None n -> "None";
            case Value.Bool b -> b == Value.Bool.TRUE ? "True" : "False";
            case Value.Int i -> i.value().toString();
            case Value.Real f -> Strings.number(f.value());
            case Value.Str s -> Strings.quoted(s.text());
            case Value.Lst l -> listed("[", l.items(), inner, "]", work);
            case Value.Tuple t -> listed("(", t.items(), inner, t.items().size() == 1 ? ",)" : ")", work);
            case Value.View v -> listed(v.name() + "([", v.items(), inner, "])", work);
            case Value.Dict d -> dict(d, inner, work);
            case Value.Range r -> "range(" + r.start() + ", " + r.stop() + (r.step() == 1 ? "" : ", " + r.step()) + ")";
            case Value.Undefined u -> "Undefined";
            case Value.Namespace n -> {
                Value.Dict attributes = new Value.Dict();
                n.attributes().forEach(attributes::put);
                yield "<Namespace " + inner.apply(attributes) + ">";
            }
            case Value.Func f when f.macro() -> "<Macro " + Strings.quoted(f.name()) + ">";
            default -> throw new JinjaException("writing a " + name(value) + " is not supported; call it or use list");
        };
        work.text(text.length());
        return text;
    }

    private static String listed(String open, List<Value> items, Function<Value, String> inner, String close,
            Work work) {
        StringJoiner joiner = new StringJoiner(", ", open, close);
        for (Value item : items) {
            joiner.add(inner.apply(item));
            work.text(0);
        }
        return joiner.toString();
    }

    private static String dict(Value.Dict dict, Function<Value, String> inner, Work work) {
        StringJoiner joiner = new StringJoiner(", ", "{", "}");
        for (Value.Dict.Item item : dict.items()) {
            joiner.add(inner.apply(item.key()) + ": " + inner.apply(item.value()));
            work.text(0);
        }
        return joiner.toString();
    }
}
