package org.spin4j.tokenizer.jinja;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/**
 * Attributes, subscripts and slices as Jinja's sandbox gives them: {@code a.b} asks for a method or attribute first and for a key then,
 * {@code a['b']} the other way round; what is in neither place is undefined.
 */
final class Access {
    private Access() {}

    /** {@code of.name}. */
    static Value attribute(Value of, String name, Work work) {
        Operators.defined(of);
        Value found = ownAttribute(of, name, work);
        if (found == null && of instanceof Value.Dict dict) {
            found = dict.get(new Value.Str(name));
        }
        return found == null ? missing(of, name) : found;
    }

    /** {@code of[key]}. */
    static Value subscript(Value of, Value key, Work work) {
        Operators.defined(of);
        notMarked(of);
        Value found = item(of, key);
        if (found == null && key instanceof Value.Str name) {
            found = ownAttribute(of, name.text(), work);
        }
        return found == null ? missing(of, Types.text(key, work)) : found;
    }

    private static Value.Undefined missing(Value of, String name) {
        return new Value.Undefined("'" + Types.name(of) + " object' has no attribute or item '" + name + "'");
    }

    private static Value ownAttribute(Value of, String name, Work work) {
        if (name.startsWith("_")) {
            return new Value.Undefined("the attribute '" + name + "' is not for templates");
        }
        notMarked(of);
        return switch (of) {
            case Value.Namespace namespace -> namespace.attributes().get(name);
            case Value.LoopInfo info -> info.loop().attribute(name);
            case Value.Func function when function.macro() -> switch (name) {
                case "name" -> new Value.Str(function.name());
                case "arguments", "catch_kwargs", "catch_varargs", "caller" -> throw JinjaException
                        .unsupported("the attribute " + name + " of a macro");
                default -> null;
            };
            default -> Methods.of(of, name, work);
        };
    }

    private static void notMarked(Value of) {
        if (of instanceof Value.Markup) {
            throw JinjaException.unsupported("an attribute or item of a str marked safe");
        }
    }

    private static Value item(Value of, Value key) {
        return switch (of) {
            case Value.Dict dict -> hashable(key) ? dict.get(key) : null;
            case Value.Str text when Operators.isWhole(key) -> character(text.text(), key);
            case Value.Lst list when Operators.isWhole(key) -> at(list.items(), key);
            case Value.Tuple tuple when Operators.isWhole(key) -> at(tuple.items(), key);
            case Value.Range range when Operators.isWhole(key) -> {
                int index = index((int) range.size(), key);
                yield index < 0 ? null : Value.Int.of(range.start() + index * range.step());
            }
            default -> null;
        };
    }

    private static boolean hashable(Value key) {
        return !(key instanceof Value.Lst) && !(key instanceof Value.Dict);
    }

    private static Value at(List<Value> items, Value key) {
        int index = index(items.size(), key);
        return index < 0 ? null : items.get(index);
    }

    private static Value character(String text, Value key) {
        int index = index(Strings.length(text), key);
        if (index < 0) {
            return null;
        }
        int from = text.offsetByCodePoints(0, index);
        return new Value.Str(Character.toString(text.codePointAt(from)));
    }

    /** Where an index, which counts from the end if it is negative, points; -1 for nowhere. */
    private static int index(int size, Value key) {
        BigInteger whole = Operators.wholeOf(key);
        if (whole.bitLength() > 31) {
            return -1;
        }
        long index = whole.longValue() < 0 ? whole.longValue() + size : whole.longValue();
        return index >= 0 && index < size ? (int) index : -1;
    }

    /** {@code of[start:stop:step]}; each limit may be null. */
    static Value slice(Value of, Value start, Value stop, Value step, Work work) {
        Operators.defined(of);
        return switch (of) {
            case Value.Str s -> {
                List<String> characters = Strings.characters(s.text());
                StringBuilder text = new StringBuilder();
                int[] indices = indices(characters.size(), start, stop, step);
                work.text(indices.length);
                for (int i : indices) {
                    text.append(characters.get(i));
                }
                yield new Value.Str(text.toString());
            }
            case Value.Lst l -> new Value.Lst(picked(l.items(), start, stop, step, work));
            case Value.Tuple t -> new Value.Tuple(picked(t.items(), start, stop, step, work));
            case Value.Range r -> throw JinjaException.unsupported("a slice of a range");
            case Value.Markup m -> throw JinjaException.unsupported("a slice of a str marked safe");
            default -> throw new JinjaException("a slice of " + Types.name(of) + " is not possible");
        };
    }

    private static List<Value> picked(List<Value> items, Value start, Value stop, Value step, Work work) {
        List<Value> picked = new ArrayList<>();
        int[] indices = indices(items.size(), start, stop, step);
        work.items(indices.length);
        for (int i : indices) {
            picked.add(items.get(i));
        }
        return picked;
    }

    private static int[] indices(int size, Value start, Value stop, Value step) {
        long by = bound(step, 1, Integer.MIN_VALUE, Integer.MAX_VALUE, 0);
        if (by == 0) {
            throw new JinjaException("a slice needs a step other than 0");
        }
        long lowest = by < 0 ? -1 : 0;
        long highest = by < 0 ? size - 1L : size;
        long from = bound(start, by < 0 ? highest : lowest, lowest, highest, size);
        long to = bound(stop, by < 0 ? lowest : highest, lowest, highest, size);
        List<Integer> indices = new ArrayList<>();
        for (long i = from; by > 0 ? i < to : i > to; i += by) {
            indices.add((int) i);
        }
        return indices.stream().mapToInt(Integer::intValue).toArray();
    }

    private static long bound(Value limit, long absent, long lowest, long highest, int size) {
        if (limit == null || limit == Value.None.NONE) {
            return absent;
        }
        BigInteger whole = Operators.wholeOf(limit);
        long value = whole.bitLength() > 40 ? whole.signum() * (1L << 40) : whole.longValue();
        return Math.clamp(value < 0 ? value + size : value, lowest, highest);
    }
}
