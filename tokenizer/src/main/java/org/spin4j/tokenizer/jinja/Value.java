package org.spin4j.tokenizer.jinja;

import java.math.BigInteger;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A value as Python has it. What Python calls equal is for {@link Operators#equal}, not for {@code equals}. */
public sealed interface Value {
    /** {@code None}. */
    enum None implements Value {
        /** The only one. */
        NONE
    }

    /** {@code True} or {@code False}; counts as 1 or 0. */
    enum Bool implements Value {
        /** {@code False}. */
        FALSE,
        /** {@code True}. */
        TRUE;

        /** The one or the other. */
        public static Bool of(boolean value) {
            return value ? TRUE : FALSE;
        }

        /** What it counts as. */
        int number() {
            return this == TRUE ? 1 : 0;
        }
    }

    /** A whole number of any size. */
    record Int(BigInteger value) implements Value {
        /** A whole number. */
        public static Int of(long value) {
            return new Int(BigInteger.valueOf(value));
        }
    }

    /** A floating-point number. */
    record Real(double value) implements Value {}

    /** Text: to Python a row of code points, whatever Java calls a char. */
    record Str(String text) implements Value {}

    /** Text that a filter has marked as safe for HTML; it can be written, and little else. */
    record Markup(String text) implements Value {}

    /** A list. */
    record Lst(List<Value> items) implements Value {}

    /** A tuple. */
    record Tuple(List<Value> items) implements Value {}

    /** What {@code keys()}, {@code values()} and {@code items()} give; the name is Python's for it. */
    record View(String name, List<Value> items) implements Value {}

    /** {@code range(start, stop, step)}. */
    record Range(long start, long stop, long step) implements Value {
        /** How many numbers it has. */
        public long size() {
            long span = step > 0 ? stop - start : start - stop;
            return span <= 0 ? 0 : (span - 1) / Math.abs(step) + 1;
        }
    }

    /** Items that can be walked once, as a generator's. */
    record Once(Iterator<Value> items) implements Value {}

    /** What a variable or a key has that is not there: empty, until something is asked of it. */
    record Undefined(String why) implements Value {}

    /** Something to call: a macro, a method, a function. */
    record Func(String name, boolean macro, Body body) implements Value {
        /** What a function does. */
        @FunctionalInterface
        interface Body {
            Value call(Arguments arguments);
        }
    }

    /** {@code namespace(…)}: the one kind of value that a template can change. */
    record Namespace(Map<String, Value> attributes) implements Value {}

    /** A dictionary; its order is that of insertion. */
    final class Dict implements Value {
        /** Under a stand-in that is equal in Java where two keys are equal in Python: the key and its value. */
        private final Map<Object, Item> items = new LinkedHashMap<>();

        /** A key with its value. */
        record Item(Value key, Value value) {}

        /** Sets the value of a key; a key that is there already keeps its place and its spelling. */
        void put(Value key, Value value) {
            Object hash = Operators.hashKey(key);
            Item old = items.get(hash);
            items.put(hash, new Item(old == null ? key : old.key(), value));
        }

        /** Sets the value of a name. */
        public void put(String key, Value value) {
            put(new Str(key), value);
        }

        /** The value of a key, or null. */
        Value get(Value key) {
            Item item = items.get(Operators.hashKey(key));
            return item == null ? null : item.value();
        }

        List<Item> items() {
            return List.copyOf(items.values());
        }

        List<Value> keys() {
            return items.values().stream().map(Item::key).toList();
        }

        int size() {
            return items.size();
        }
    }

    /** What a loop tells of itself; see {@link Loop}. */
    record LoopInfo(Loop loop) implements Value {}
}
