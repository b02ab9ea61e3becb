package org.spin4j.tokenizer.jinja;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/** The methods of Python's built-in types that a template may call; those that would change a value are not among them. */
final class Methods {
    private static final Map<Class<? extends Value>, Set<String>> CHANGING = Map.of(
            Value.Lst.class, Set.of("append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"),
            Value.Dict.class, Set.of("clear", "pop", "popitem", "setdefault", "update"));
    private static final Map<Class<? extends Value>, Set<String>> LACKING = Map.of(
            Value.Str.class, Set.of("encode", "expandtabs", "format_map", "isidentifier", "isprintable", "istitle",
                    "maketrans", "translate", "isdecimal", "isnumeric", "casefold"),
            Value.Dict.class, Set.of("fromkeys"),
            Value.Int.class, Set.of("as_integer_ratio", "bit_count", "bit_length", "conjugate", "denominator",
                    "from_bytes", "imag", "numerator", "real", "to_bytes", "is_integer"),
            Value.Bool.class, Set.of("as_integer_ratio", "bit_count", "bit_length", "conjugate", "denominator",
                    "from_bytes", "imag", "numerator", "real", "to_bytes", "is_integer"),
            Value.Real.class, Set.of("as_integer_ratio", "conjugate", "fromhex", "hex", "imag", "is_integer", "real"),
            Value.Range.class, Set.of("count", "index", "start", "step", "stop"),
            Value.View.class, Set.of("isdisjoint", "mapping"),
            Value.Once.class, Set.of("close", "send", "throw"));

    private Methods() {}

    /**
     * The method of a value, bound to it; null if Python has none of that name.
     *
     * @throws JinjaException if Python has it and we do not
     */
    static Value of(Value value, String name, Work work) {
        if (CHANGING.getOrDefault(value.getClass(), Set.of()).contains(name)) {
            return new Value.Undefined("the method '" + name + "' changes a " + Types.name(value)
                    + " and is not for templates");
        }
        if (LACKING.getOrDefault(value.getClass(), Set.of()).contains(name)) {
            throw JinjaException.unsupported("the attribute " + name + " of " + Types.name(value));
        }
        Value.Func.Body body = switch (value) {
            case Value.Str text -> StringMethods.of(text.text(), name, work);
            case Value.Dict dict -> dict(dict, name);
            case Value.Lst list -> list(list, list.items(), name, work);
            case Value.Tuple tuple -> name.equals("copy") ? null : list(tuple, tuple.items(), name, work);
            default -> null;
        };
        return body == null ? null : new Value.Func(name, false, body);
    }

    private static Value.Func.Body dict(Value.Dict dict, String name) {
        return switch (name) {
            case "get" -> arguments -> {
                Value[] given = arguments.bind("get", 1, "key", "default");
                Value found = dict.get(given[0]);
                return found != null ? found : given[1] == null ? Value.None.NONE : given[1];
            };
            case "items" -> arguments -> {
                arguments.bind(name, 0);
                return new Value.View("dict_items", pairs(dict));
            };
            case "keys" -> arguments -> {
                arguments.bind(name, 0);
                return new Value.View("dict_keys", dict.keys());
            };
            case "values" -> arguments -> {
                arguments.bind(name, 0);
                return new Value.View("dict_values",
                        dict.items().stream().map(Value.Dict.Item::value).toList());
            };
            case "copy" -> arguments -> {
                arguments.bind(name, 0);
                return dict;
            };
            default -> null;
        };
    }

    /** Each key with its value as a tuple. */
    static List<Value> pairs(Value.Dict dict) {
        return dict.items().stream().map(item -> (Value) new Value.Tuple(List.of(item.key(), item.value()))).toList();
    }

    private static Value.Func.Body list(Value value, List<Value> items, String name, Work work) {
        return switch (name) {
            case "index" -> arguments -> {
                if (arguments.positional().size() > 1) {
                    throw JinjaException.unsupported("the method index with limits");
                }
                Value wanted = arguments.bind(name, 1, "value")[0];
                work.items(items.size());
                int at = IntStream.range(0, items.size()).filter(i -> Operators.equal(items.get(i), wanted)).findFirst()
                        .orElseThrow(() -> new JinjaException("the list has no such item"));
                return Value.Int.of(at);
            };
            case "count" -> arguments -> {
                Value wanted = arguments.bind(name, 1, "value")[0];
                work.items(items.size());
                return Value.Int.of(items.stream().filter(item -> Operators.equal(item, wanted)).count());
            };
            case "copy" -> arguments -> {
                arguments.bind(name, 0);
                return value;
            };
            default -> null;
        };
    }
}
