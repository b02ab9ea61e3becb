package org.spin4j.tokenizer.jinja;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;

/** Jinja's filters on the items of a value. Those that are generators in Jinja take their items one by one here too. */
final class ItemFilters {
    static final Set<String> NAMES = Set.of("dictsort", "first", "items", "join", "last", "list", "map", "max", "min",
            "reject", "rejectattr", "reverse", "select", "selectattr", "sort", "sum", "unique");

    private final Operators operators;
    private final Tests tests;
    private final Filters filters;
    private final Work work;

    ItemFilters(Operators operators, Tests tests, Filters filters, Work work) {
        this.operators = operators;
        this.tests = tests;
        this.filters = filters;
        this.work = work;
    }

    Value apply(String name, Value value, Arguments arguments) {
        return switch (name) {
            case "list" -> {
                arguments.bind(name, 0);
                yield new Value.Lst(collected(value));
            }
            case "first" -> {
                arguments.bind(name, 0);
                Iterator<Value> items = Types.iterate(value);
                yield items.hasNext() ? items.next() : new Value.Undefined("there is no first item");
            }
            case "last" -> {
                arguments.bind(name, 0);
                List<Value> items = reversible(value);
                yield items.isEmpty() ? new Value.Undefined("there is no last item") : items.getLast();
            }
            case "items" -> pairs(value, arguments);
            case "join" -> joined(value, arguments);
            case "map" -> mapped(value, arguments);
            case "select" -> chosen(value, test(item -> item, arguments), true);
            case "reject" -> chosen(value, test(item -> item, arguments), false);
            case "selectattr" -> chosen(value, attributeTest(name, arguments), true);
            case "rejectattr" -> chosen(value, attributeTest(name, arguments), false);
            case "reverse" -> reversed(value, arguments);
            case "sort" -> sorted(value, arguments);
            case "dictsort" -> sortedPairs(value, arguments);
            case "sum" -> summed(value, arguments);
            case "unique" -> unique(value, arguments);
            default -> extreme(name, value, arguments);
        };
    }

    private List<Value> collected(Value value) {
        List<Value> items = new ArrayList<>();
        for (Iterator<Value> all = Types.iterate(value); all.hasNext();) {
            items.add(all.next());
            work.step();
        }
        work.items(items.size());
        return items;
    }

    private List<Value> reversible(Value value) {
        if (value instanceof Value.Once) {
            throw new JinjaException("a generator has no end to begin from; use list");
        }
        return collected(value);
    }

    private Value reversed(Value value, Arguments arguments) {
        arguments.bind("reverse", 0);
        if (value instanceof Value.Str text) {
            work.text(text.text().length());
            return new Value.Str(String.join("", Strings.characters(text.text()).reversed()));
        }
        List<Value> items = collected(value);
        Collections.reverse(items);
        // Python reverses what can only be walked into a list.
        return value instanceof Value.Once ? new Value.Lst(items) : new Value.Once(items.iterator());
    }

    private static Value pairs(Value value, Arguments arguments) {
        arguments.bind("items", 0);
        return switch (value) {
            case Value.Undefined u -> new Value.Once(Collections.emptyIterator());
            case Value.Dict dict -> new Value.Once(Methods.pairs(dict).iterator());
            default -> throw new JinjaException("items needs a dict, found " + Types.name(value));
        };
    }

    private Value joined(Value value, Arguments arguments) {
        Value[] given = arguments.bind("join", 0, "d", "attribute");
        String separator = given[0] == null ? "" : Types.text(given[0], work);
        Function<Value, Value> attribute = attribute(given[1], null);
        StringBuilder out = new StringBuilder();
        boolean first = true;
        for (Iterator<Value> items = Types.iterate(value); items.hasNext();) {
            String text = Types.text(attribute.apply(items.next()), work);
            out.append(first ? "" : separator).append(text);
            work.text(out.length() > Work.MAX_TEXT ? out.length() : separator.length() + text.length());
            first = false;
        }
        return new Value.Str(out.toString());
    }

    /** What {@code attribute='a.b'} gives of an item: the item itself where no attribute is named. */
    private Function<Value, Value> attribute(Value path, Value otherwise) {
        if (path == null || path == Value.None.NONE) {
            return item -> item;
        }
        List<Value> keys = new ArrayList<>();
        if (path instanceof Value.Str text) {
            for (String part : text.text().split("\\.", -1)) {
                boolean isIndex = !part.isEmpty() && part.length() < 10 && part.chars().allMatch(Character::isDigit);
                keys.add(isIndex ? Value.Int.of(Integer.parseInt(part)) : new Value.Str(part));
            }
        } else {
            keys.add(path);
        }
        return item -> {
            Value found = item;
            for (Value key : keys) {
                found = Access.subscript(found, key, work);
                if (otherwise != null && found instanceof Value.Undefined) {
                    found = otherwise;
                }
            }
            return found;
        };
    }

    private Value mapped(Value value, Arguments arguments) {
        Function<Value, Value> mapping;
        if (arguments.positional().isEmpty()) {
            Value[] given = arguments.bind("map", 0, "attribute", "default");
            if (given[0] == null) {
                throw new JinjaException("map needs a filter or an attribute");
            }
            mapping = attribute(given[0], given[1]);
        } else {
            String filter = StringMethods.string("map", arguments.positional().getFirst());
            Arguments rest = arguments.afterFirst();
            mapping = item -> filters.apply(filter, item, rest);
        }
        if (!Operators.truth(value) && !(value instanceof Value.Once)) {
            return new Value.Once(Collections.emptyIterator());
        }
        Iterator<Value> items = Types.iterate(value);
        return new Value.Once(new Iterator<>() {
            @Override
            public boolean hasNext() {
                return items.hasNext();
            }

            @Override
            public Value next() {
                work.step();
                return mapping.apply(items.next());
            }
        });
    }

    private Predicate<Value> test(Function<Value, Value> of, Arguments arguments) {
        if (arguments.positional().isEmpty()) {
            return item -> Operators.truth(of.apply(item));
        }
        String test = StringMethods.string("select", arguments.positional().getFirst());
        Arguments rest = arguments.afterFirst();
        return item -> tests.holds(test, of.apply(item), rest);
    }

    private Predicate<Value> attributeTest(String name, Arguments arguments) {
        if (arguments.positional().isEmpty()) {
            throw new JinjaException(name + " needs an attribute");
        }
        return test(attribute(arguments.positional().getFirst(), null), arguments.afterFirst());
    }

    private Value chosen(Value value, Predicate<Value> test, boolean keep) {
        if (!Operators.truth(value)) {
            return new Value.Once(Collections.emptyIterator());
        }
        return new Value.Once(filtered(Types.iterate(value), item -> test.test(item) == keep, work));
    }

    /** The items that pass, each tested when it is asked for. */
    static Iterator<Value> filtered(Iterator<Value> items, Predicate<Value> test, Work work) {
        return new Iterator<>() {
            private Value found;

            @Override
            public boolean hasNext() {
                while (found == null && items.hasNext()) {
                    work.step();
                    Value candidate = items.next();
                    found = test.test(candidate) ? candidate : null;
                }
                return found != null;
            }

            @Override
            public Value next() {
                if (!hasNext()) {
                    throw new NoSuchElementException();
                }
                Value next = found;
                found = null;
                return next;
            }
        };
    }

    private static Value folded(Value value, boolean caseSensitive) {
        return !caseSensitive && value instanceof Value.Str text ? new Value.Str(Strings.lower(text.text())) : value;
    }

    private static boolean flag(Value value) {
        return value != null && Operators.truth(value);
    }

    private Value sorted(Value value, Arguments arguments) {
        Value[] given = arguments.bind("sort", 0, "reverse", "case_sensitive", "attribute");
        List<Function<Value, Value>> attributes = new ArrayList<>();
        if (given[2] instanceof Value.Str several) {
            for (String one : several.text().split(",", -1)) {
                attributes.add(attribute(new Value.Str(one), null));
            }
        } else {
            attributes.add(attribute(given[2], null));
        }
        List<Value> items = collected(value);
        order(items, given[0], item -> {
            List<Value> keys = attributes.stream().map(a -> folded(a.apply(item), flag(given[1]))).toList();
            return given[2] == null || given[2] == Value.None.NONE ? keys.getFirst() : new Value.Lst(keys);
        });
        return new Value.Lst(items);
    }

    private void order(List<Value> items, Value reverse, Function<Value, Value> key) {
        Comparator<Value> order = (a, b) -> operators.compare("<", key.apply(a), key.apply(b));
        items.sort(flag(reverse) ? order.reversed() : order);
    }

    private Value sortedPairs(Value value, Arguments arguments) {
        Value[] given = arguments.bind("dictsort", 0, "case_sensitive", "by", "reverse");
        String by = given[1] == null ? "key" : StringMethods.string("dictsort", given[1]);
        if (!(value instanceof Value.Dict dict) || !by.equals("key") && !by.equals("value")) {
            throw new JinjaException("dictsort needs a dict, and to sort by key or value");
        }
        List<Value> items = new ArrayList<>(Methods.pairs(dict));
        order(items, given[2], pair -> folded(((Value.Tuple) pair).items().get(by.equals("key") ? 0 : 1),
                flag(given[0])));
        return new Value.Lst(items);
    }

    private Value summed(Value value, Arguments arguments) {
        Value[] given = arguments.bind("sum", 0, "attribute", "start");
        Function<Value, Value> attribute = attribute(given[0], null);
        Value sum = given[1] == null ? Value.Int.of(0) : given[1];
        if (sum instanceof Value.Str) {
            throw new JinjaException("sum cannot add texts; use join");
        }
        for (Iterator<Value> items = Types.iterate(value); items.hasNext();) {
            sum = operators.arithmetic("+", sum, attribute.apply(items.next()));
        }
        return sum;
    }

    private Value unique(Value value, Arguments arguments) {
        Value[] given = arguments.bind("unique", 0, "case_sensitive", "attribute");
        Function<Value, Value> attribute = attribute(given[1], null);
        Set<Object> seen = new HashSet<>();
        return new Value.Once(filtered(Types.iterate(value),
                item -> seen.add(Operators.hashKey(folded(attribute.apply(item), flag(given[0])))), work));
    }

    private Value extreme(String name, Value value, Arguments arguments) {
        Value[] given = arguments.bind(name, 0, "case_sensitive", "attribute");
        Function<Value, Value> attribute = attribute(given[1], null);
        Function<Value, Value> key = item -> folded(attribute.apply(item), flag(given[0]));
        Value best = null;
        for (Iterator<Value> items = Types.iterate(value); items.hasNext();) {
            Value item = items.next();
            int order = best == null ? 0 : operators.compare("<", key.apply(item), key.apply(best));
            best = best == null || (name.equals("min") ? order < 0 : order > 0) ? item : best;
        }
        return best == null ? new Value.Undefined("there is no item to choose from") : best;
    }
}
