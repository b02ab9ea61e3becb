package org.spin4j.tokenizer.jinja;

import java.math.BigInteger;
import java.util.Set;

/** Jinja's tests: what may stand behind {@code is}. */
final class Tests {
    private static final Set<String> NAMES = Set.of("boolean", "callable", "defined", "divisibleby", "eq", "equalto",
            "==", "even", "false", "float", "ge", ">=", "gt", "greaterthan", ">", "in", "integer", "iterable", "le",
            "<=", "lt", "lessthan", "<", "lower", "mapping", "ne", "!=", "none", "number", "odd", "sameas",
            "sequence", "string", "true", "undefined", "upper", "filter", "test");
    private static final BigInteger TWO = BigInteger.TWO;

    private final Operators operators;
    private final Work work;

    Tests(Operators operators, Work work) {
        this.operators = operators;
        this.work = work;
    }

    boolean holds(String name, Value value, Arguments arguments) {
        work.step();
        return switch (name) {
            case "eq", "==", "equalto" -> operators.holds("==", value, other(name, arguments));
            case "ne", "!=" -> operators.holds("!=", value, other(name, arguments));
            case "lt", "<", "lessthan" -> operators.holds("<", value, other(name, arguments));
            case "le", "<=" -> operators.holds("<=", value, other(name, arguments));
            case "gt", ">", "greaterthan" -> operators.holds(">", value, other(name, arguments));
            case "ge", ">=" -> operators.holds(">=", value, other(name, arguments));
            case "in" -> operators.holds("in", value, other(name, arguments));
            case "sameas" -> same(value, other(name, arguments));
            case "divisibleby" -> {
                Value other = other(name, arguments);
                yield !Operators.truth(operators.arithmetic("%", value, other));
            }
            default -> {
                arguments.bind("the test " + name, 0);
                yield plain(name, value);
            }
        };
    }

    private static Value other(String name, Arguments arguments) {
        return arguments.bind("the test " + name, 1, "other")[0];
    }

    private boolean plain(String name, Value value) {
        return switch (name) {
            case "defined" -> !(value instanceof Value.Undefined);
            case "undefined" -> value instanceof Value.Undefined;
            case "none" -> value == Value.None.NONE;
            case "true" -> value == Value.Bool.TRUE;
            case "false" -> value == Value.Bool.FALSE;
            case "boolean" -> value instanceof Value.Bool;
            case "integer" -> value instanceof Value.Int;
            case "float" -> value instanceof Value.Real;
            case "number" -> Operators.isNumber(value);
            case "string" -> value instanceof Value.Str || value instanceof Value.Markup;
            case "mapping" -> value instanceof Value.Dict;
            case "iterable" -> Types.isIterable(value);
            case "sequence" -> isSequence(value);
            case "callable" -> callable(value);
            case "odd" -> Operators.equal(operators.arithmetic("%", value, new Value.Int(TWO)), Value.Int.of(1));
            case "even" -> Operators.equal(operators.arithmetic("%", value, new Value.Int(TWO)), Value.Int.of(0));
            case "lower" -> Operators.truth(call("islower", value));
            case "upper" -> Operators.truth(call("isupper", value));
            case "filter" -> value instanceof Value.Str text && Filters.knows(text.text());
            case "test" -> value instanceof Value.Str text && NAMES.contains(text.text());
            default -> throw JinjaException.unsupported("the test " + name);
        };
    }

    private Value call(String method, Value value) {
        return StringMethods.of(Types.text(value, work), method, work).call(Arguments.NONE);
    }

    private static boolean isSequence(Value value) {
        return switch (value) {
            case Value.Str s -> true;
            case Value.Markup s -> true;
            case Value.Lst l -> true;
            case Value.Tuple t -> true;
            case Value.Dict d -> true;
            case Value.Range r -> true;
            case Value.Undefined u -> true;
            default -> false;
        };
    }

    private static boolean callable(Value value) {
        return value instanceof Value.Func || value instanceof Value.LoopInfo || value instanceof Value.Undefined;
    }

    /** Python's {@code is}: certain for what there is one of, not for numbers and texts, which may or may not be shared. */
    private static boolean same(Value a, Value b) {
        if (a == b) {
            return true;
        }
        boolean unclear = a.getClass() == b.getClass() && !(a instanceof Enum) && Operators.equal(a, b)
                && !(a instanceof Value.Lst) && !(a instanceof Value.Dict);
        if (unclear) {
            throw JinjaException.unsupported("the test sameas between equal values of type " + Types.name(a));
        }
        return false;
    }
}
