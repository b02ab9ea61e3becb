package org.spin4j.tokenizer.jinja;

import java.util.List;

/** An expression of a template. */
sealed interface Expr {
    /** A number, a string, a truth value or nothing. */
    record Const(Value value) implements Expr {}

    /** A variable. */
    record Name(String name) implements Expr {}

    /** {@code [a, b]}. */
    record ListOf(List<Expr> items) implements Expr {}

    /** {@code (a, b)}. */
    record TupleOf(List<Expr> items) implements Expr {}

    /** {@code {k: v}}. */
    record DictOf(List<Entry> entries) implements Expr {}

    /** One pair of a {@link DictOf}. */
    record Entry(Expr key, Expr value) {}

    /** {@code -a} or {@code +a}. */
    record Sign(boolean minus, Expr operand) implements Expr {}

    /** {@code a + b} and the other operators of arithmetic. */
    record Arithmetic(String operator, Expr left, Expr right) implements Expr {}

    /** {@code a ~ b ~ c}. */
    record Concat(List<Expr> parts) implements Expr {}

    /** {@code a < b == c}: each operator between neighbours. */
    record Compare(Expr first, List<Comparison> rest) implements Expr {}

    /** An operator and its right side; {@code in} and {@code not in} among the operators. */
    record Comparison(String operator, Expr right) {}

    /** {@code a and b}. */
    record And(Expr left, Expr right) implements Expr {}

    /** {@code a or b}. */
    record Or(Expr left, Expr right) implements Expr {}

    /** {@code not a}. */
    record Not(Expr operand) implements Expr {}

    /** {@code a if test else b}; without an else, {@code otherwise} is null. */
    record Choice(Expr test, Expr then, Expr otherwise) implements Expr {}

    /** {@code a.name}. */
    record Attribute(Expr of, String name) implements Expr {}

    /** {@code a[key]}. */
    record Subscript(Expr of, Expr key) implements Expr {}

    /** {@code start:stop:step} inside a subscript; each may be null. */
    record Slice(Expr start, Expr stop, Expr step) implements Expr {}

    /** {@code callee(arguments)}. */
    record Call(Expr callee, Arguments arguments) implements Expr {}

    /** {@code input | name(arguments)}; the input is null for what a block captures. */
    record Filter(Expr input, String name, Arguments arguments) implements Expr {}

    /** {@code input is name(arguments)}. */
    record Test(Expr input, String name, Arguments arguments) implements Expr {}

    /**
     * What stands between the parentheses of a call.
     *
     * @param rest {@code *values}, or null
     * @param namedRest {@code **values}, or null
     */
    record Arguments(List<Expr> positional, List<Named> named, Expr rest, Expr namedRest) {
        static final Arguments NONE = new Arguments(List.of(), List.of(), null, null);
    }

    /** {@code name=value}. */
    record Named(String name, Expr value) {}
}
