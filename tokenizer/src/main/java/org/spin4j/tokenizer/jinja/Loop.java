package org.spin4j.tokenizer.jinja;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/**
 * What the variable {@code loop} knows. Items are taken one by one, as in Jinja: what a loop over a generator has not reached has not
 * happened yet.
 */
final class Loop {
    private Iterator<Value> items;
    private int knownLength;
    private final int depth0;
    private final Value.Func.Body recurse;
    private int index0 = -1;
    private Value before;
    private Value current;
    private Value after;
    private List<Value> lastChanged;

    /**
     * A loop that has not begun.
     *
     * @param knownLength how many items, -1 if only walking them would tell
     * @param depth0 how many recursive loops are around it
     * @param recurse what calling {@code loop} does, null if the loop is not recursive
     */
    Loop(Iterator<Value> items, int knownLength, int depth0, Value.Func.Body recurse) {
        this.items = items;
        this.knownLength = knownLength;
        this.depth0 = depth0;
        this.recurse = recurse;
    }

    /** Goes to the next item, null at the end. */
    Value next() {
        Value next = after == null && items.hasNext() ? items.next() : after;
        after = null;
        if (next != null) {
            index0++;
            before = current;
            current = next;
        }
        return next;
    }

    private Value peek() {
        if (after == null && items.hasNext()) {
            after = items.next();
        }
        return after;
    }

    int length() {
        if (knownLength < 0) {
            List<Value> rest = new ArrayList<>();
            items.forEachRemaining(rest::add);
            items = rest.iterator();
            knownLength = rest.size() + index0 + 1 + (after == null ? 0 : 1);
        }
        return knownLength;
    }

    int depth0() {
        return depth0;
    }

    /** {@code loop(items)}. */
    Value call(Arguments arguments) {
        if (recurse == null) {
            throw new JinjaException("loop is called, but the loop is not marked recursive");
        }
        return recurse.call(arguments);
    }

    /** {@code loop.name}, null if there is no such thing. */
    Value attribute(String name) {
        return switch (name) {
            case "index" -> Value.Int.of(index0 + 1L);
            case "index0" -> Value.Int.of(index0);
            case "revindex" -> Value.Int.of(length() - index0);
            case "revindex0" -> Value.Int.of(length() - index0 - 1L);
            case "first" -> Value.Bool.of(index0 == 0);
            case "last" -> Value.Bool.of(peek() == null);
            case "length" -> Value.Int.of(length());
            case "depth" -> Value.Int.of(depth0 + 1L);
            case "depth0" -> Value.Int.of(depth0);
            case "previtem" -> index0 == 0 ? new Value.Undefined("there is no previous item") : before;
            case "nextitem" -> peek() == null ? new Value.Undefined("there is no next item") : peek();
            case "cycle" -> new Value.Func(name, false, arguments -> {
                if (arguments.positional().isEmpty()) {
                    throw new JinjaException("loop.cycle needs a value");
                }
                return arguments.positional().get(index0 % arguments.positional().size());
            });
            case "changed" -> new Value.Func(name, false, arguments -> {
                Value.Tuple given = new Value.Tuple(arguments.positional());
                boolean same = lastChanged != null && Operators.equal(new Value.Tuple(lastChanged), given);
                lastChanged = given.items();
                return Value.Bool.of(!same);
            });
            default -> null;
        };
    }
}
