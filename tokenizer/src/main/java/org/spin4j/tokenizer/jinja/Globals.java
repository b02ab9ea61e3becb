package org.spin4j.tokenizer.jinja;

import java.time.LocalDateTime;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The functions that every template may call. */
final class Globals {
    /** As many as Jinja's sandbox allows. */
    private static final int MAX_RANGE = 100_000;

    private final Work work;
    private final LocalDateTime now;

    Globals(Work work, LocalDateTime now) {
        this.work = work;
        this.now = now;
    }

    void define(Scope scope) {
        define(scope, "range", this::range);
        define(scope, "dict", this::dict);
        define(scope, "namespace", arguments -> {
            Map<String, Value> attributes = new LinkedHashMap<>();
            dict(arguments).items().forEach(
                    item -> attributes.put(StringMethods.string("namespace", item.key()), item.value()));
            return new Value.Namespace(attributes);
        });
        define(scope, "raise_exception", arguments -> {
            Value message = arguments.bind("raise_exception", 1, "message")[0];
            throw new JinjaException("the template says: " + Types.text(message, work));
        });
        define(scope, "strftime_now", arguments -> new Value.Str(Clocks.format(now,
                StringMethods.string("strftime_now", arguments.bind("strftime_now", 1, "format")[0]))));
        for (String lacking : List.of("cycler", "joiner", "lipsum", "self")) {
            define(scope, lacking, arguments -> {
                throw JinjaException.unsupported("the function " + lacking);
            });
        }
    }

    private static void define(Scope scope, String name, Value.Func.Body body) {
        scope.set(name, new Value.Func(name, false, body));
    }

    private Value range(Arguments arguments) {
        Value[] given = arguments.bind("range", 1, "start", "stop", "step");
        long[] limits = new long[3];
        for (int i = 0; i < 3; i++) {
            Value limit = given[i] == null ? Value.Int.of(i) : given[i];
            if (Operators.wholeOf(limit).bitLength() > 40) {
                throw tooLarge();
            }
            limits[i] = Operators.wholeOf(limit).longValue();
        }
        if (limits[2] == 0 && given[2] != null) {
            throw new JinjaException("range needs a step other than 0");
        }
        Value.Range range = given[1] == null
                ? new Value.Range(0, limits[0], 1)
                : new Value.Range(limits[0], limits[1], given[2] == null ? 1 : limits[2]);
        if (range.size() > MAX_RANGE) {
            throw tooLarge();
        }
        return range;
    }

    private static JinjaException tooLarge() {
        return new JinjaException("a range of more than " + MAX_RANGE + " numbers");
    }

    private Value.Dict dict(Arguments arguments) {
        Value.Dict made = new Value.Dict();
        if (arguments.positional().size() > 1) {
            throw new JinjaException("dict takes at most 1 value without a name");
        }
        if (!arguments.positional().isEmpty()) {
            Value from = arguments.positional().getFirst();
            if (from instanceof Value.Dict other) {
                other.items().forEach(item -> made.put(item.key(), item.value()));
            } else {
                for (Iterator<Value> pairs = Types.iterate(from); pairs.hasNext();) {
                    List<Value> pair = Interpreter.unpacked(pairs.next(), 2);
                    made.put(pair.get(0), pair.get(1));
                }
            }
        }
        arguments.named().forEach(made::put);
        work.items(made.size());
        return made;
    }

    /** A call of whatever can be called. */
    Value call(Value callee, Arguments arguments) {
        work.step();
        return switch (callee) {
            case Value.Func function -> function.body().call(arguments);
            case Value.LoopInfo info -> info.loop().call(arguments);
            case Value.Undefined undefined -> throw new JinjaException(undefined.why());
            default -> throw new JinjaException(Types.name(callee) + " cannot be called");
        };
    }
}
