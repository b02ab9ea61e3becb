package org.spin4j.tokenizer.jinja;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Gives expressions their values. */
final class Evaluator {
    private final Work work;
    private final Operators operators;
    private final Tests tests;
    private final Filters filters;
    private final Globals globals;

    Evaluator(Work work, Globals globals) {
        this.work = work;
        this.globals = globals;
        operators = new Operators(work);
        tests = new Tests(operators, work);
        filters = new Filters(operators, tests, work);
    }

    Value value(Expr expression, Scope scope) {
        work.step();
        return switch (expression) {
            case Expr.Const constant -> constant.value();
            case Expr.Name name -> {
                Value found = scope.get(name.name());
                yield found == null ? new Value.Undefined("'" + name.name() + "' is undefined") : found;
            }
            case Expr.ListOf list -> new Value.Lst(values(list.items(), scope));
            case Expr.TupleOf tuple -> new Value.Tuple(values(tuple.items(), scope));
            case Expr.DictOf dict -> dict(dict, scope);
            case Expr.Sign sign -> operators.sign(sign.minus(), value(sign.operand(), scope));
            case Expr.Arithmetic a -> operators.arithmetic(a.operator(), value(a.left(), scope),
                    value(a.right(), scope));
            case Expr.Concat concat -> concat(concat, scope);
            case Expr.Compare compare -> compare(compare, scope);
            case Expr.And and -> {
                Value left = value(and.left(), scope);
                yield Operators.truth(left) ? value(and.right(), scope) : left;
            }
            case Expr.Or or -> {
                Value left = value(or.left(), scope);
                yield Operators.truth(left) ? left : value(or.right(), scope);
            }
            case Expr.Not not -> Value.Bool.of(!truth(not.operand(), scope));
            case Expr.Choice choice -> choice(choice, scope);
            case Expr.Attribute attribute -> Access.attribute(value(attribute.of(), scope), attribute.name(), work);
            case Expr.Subscript subscript -> subscript(subscript, scope);
            case Expr.Slice slice -> throw JinjaException.unsupported("a slice among other subscripts");
            case Expr.Call call -> {
                Value callee = value(call.callee(), scope);
                yield globals.call(callee, arguments(call.arguments(), scope));
            }
            case Expr.Filter filter -> filters.apply(filter.name(), value(filter.input(), scope),
                    arguments(filter.arguments(), scope));
            case Expr.Test test -> Value.Bool.of(tests.holds(test.name(), value(test.input(), scope),
                    arguments(test.arguments(), scope)));
        };
    }

    boolean truth(Expr expression, Scope scope) {
        return Operators.truth(value(expression, scope));
    }

    /** What {@code {{ expression }}} writes. */
    String text(Expr expression, Scope scope) {
        return Types.text(value(expression, scope), work);
    }

    /** A chain of filters with a text at its bottom. */
    Value filtered(Expr filter, String text, Scope scope) {
        return filter instanceof Expr.Filter one
                ? filters.apply(one.name(), filtered(one.input(), text, scope), arguments(one.arguments(), scope))
                : new Value.Str(text);
    }

    Arguments arguments(Expr.Arguments arguments, Scope scope) {
        List<Value> positional = new ArrayList<>(values(arguments.positional(), scope));
        Map<String, Value> named = new LinkedHashMap<>();
        arguments.named().forEach(one -> named.put(one.name(), value(one.value(), scope)));
        if (arguments.rest() != null) {
            for (Iterator<Value> rest = Types.iterate(value(arguments.rest(), scope)); rest.hasNext();) {
                positional.add(rest.next());
                work.step();
            }
        }
        if (arguments.namedRest() != null) {
            if (!(value(arguments.namedRest(), scope) instanceof Value.Dict dict)) {
                throw new JinjaException("** needs a dict");
            }
            dict.items().forEach(item -> named.put(StringMethods.string("**", item.key()), item.value()));
        }
        return new Arguments(positional, named);
    }

    private List<Value> values(List<Expr> expressions, Scope scope) {
        List<Value> values = new ArrayList<>(expressions.size());
        expressions.forEach(expression -> values.add(value(expression, scope)));
        return values;
    }

    private Value dict(Expr.DictOf dict, Scope scope) {
        Value.Dict made = new Value.Dict();
        dict.entries().forEach(entry -> made.put(value(entry.key(), scope), value(entry.value(), scope)));
        return made;
    }

    private Value concat(Expr.Concat concat, Scope scope) {
        StringBuilder text = new StringBuilder();
        for (Expr part : concat.parts()) {
            text.append(Types.text(value(part, scope), work));
            work.text(text.length());
        }
        return new Value.Str(text.toString());
    }

    private Value compare(Expr.Compare compare, Scope scope) {
        Value left = value(compare.first(), scope);
        for (Expr.Comparison comparison : compare.rest()) {
            Value right = value(comparison.right(), scope);
            if (!operators.holds(comparison.operator(), left, right)) {
                return Value.Bool.FALSE;
            }
            left = right;
        }
        return Value.Bool.TRUE;
    }

    private Value choice(Expr.Choice choice, Scope scope) {
        if (truth(choice.test(), scope)) {
            return value(choice.then(), scope);
        }
        return choice.otherwise() == null
                ? new Value.Undefined("an if without an else has no value")
                : value(choice.otherwise(), scope);
    }

    private Value subscript(Expr.Subscript subscript, Scope scope) {
        Value of = value(subscript.of(), scope);
        if (!(subscript.key() instanceof Expr.Slice slice)) {
            return Access.subscript(of, value(subscript.key(), scope), work);
        }
        return Access.slice(of, limit(slice.start(), scope), limit(slice.stop(), scope), limit(slice.step(), scope),
                work);
    }

    private Value limit(Expr limit, Scope scope) {
        return limit == null ? null : value(limit, scope);
    }
}
