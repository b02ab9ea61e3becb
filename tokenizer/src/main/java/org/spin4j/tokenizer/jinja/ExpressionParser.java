package org.spin4j.tokenizer.jinja;

import java.math.BigInteger;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Reads expressions. From loose to tight: {@code if else}, {@code or}, {@code and}, {@code not}, comparisons, {@code + -}, {@code ~},
 * {@code * / // %}, {@code **}, signs, filters and tests, attributes and calls.
 */
final class ExpressionParser {
    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");
    /** A chain such as a + b + c is as deep a tree as it is long. */
    private static final int MAX_CHAIN = 1000;

    private final Cursor cursor;
    private final Deque<Set<String>> watched = new ArrayDeque<>();

    ExpressionParser(Cursor cursor) {
        this.cursor = cursor;
    }

    /** Begins to note which names are read. */
    void watch() {
        watched.push(new HashSet<>());
    }

    /** The names read since {@link #watch}. */
    Set<String> watched() {
        return watched.pop();
    }

    Expr expression() {
        cursor.enter();
        Expr value = or();
        while (cursor.skipName("if")) {
            Expr test = or();
            value = new Expr.Choice(test, value, cursor.skipName("else") ? expression() : null);
        }
        cursor.leave();
        return value;
    }

    /** An expression, or several with commas between them, which are a tuple. */
    Expr tuple() {
        return tuple(this::expression, "");
    }

    /** As {@link #tuple()}, without {@code a if b else c} at the top: the {@code if} belongs to the statement. */
    Expr plainTuple(String end) {
        return tuple(() -> {
            cursor.enter();
            Expr value = or();
            cursor.leave();
            return value;
        }, end);
    }

    private Expr tuple(Supplier<Expr> item, String end) {
        List<Expr> items = new ArrayList<>();
        boolean commas = false;
        while (!tupleEnds(end)) {
            items.add(item.get());
            if (!cursor.skipOperator(",")) {
                break;
            }
            commas = true;
        }
        if (items.isEmpty()) {
            throw cursor.unexpected("an expression");
        }
        return commas ? new Expr.TupleOf(items) : items.getFirst();
    }

    private boolean tupleEnds(String end) {
        Token token = cursor.current();
        return token.is(Token.Kind.PRINT_END) || token.is(Token.Kind.BLOCK_END) || token.isOperator(")")
                || token.isName(end);
    }

    private Expr or() {
        Expr left = and();
        for (int length = 0; cursor.skipName("or"); length++) {
            left = new Expr.Or(left, and());
            checkChain(length);
        }
        return left;
    }

    private Expr and() {
        Expr left = not();
        for (int length = 0; cursor.skipName("and"); length++) {
            left = new Expr.And(left, not());
            checkChain(length);
        }
        return left;
    }

    private Expr not() {
        if (!cursor.skipName("not")) {
            return comparison();
        }
        cursor.enter();
        Expr negated = new Expr.Not(not());
        cursor.leave();
        return negated;
    }

    private Expr comparison() {
        Expr first = sum();
        List<Expr.Comparison> rest = new ArrayList<>();
        while (true) {
            Token token = cursor.current();
            if (token.is(Token.Kind.OPERATOR) && COMPARISONS.contains(token.text())) {
                cursor.next();
                rest.add(new Expr.Comparison(token.text(), sum()));
            } else if (cursor.skipName("in")) {
                rest.add(new Expr.Comparison("in", sum()));
            } else if (token.isName("not") && cursor.ahead().isName("in")) {
                cursor.next();
                cursor.next();
                rest.add(new Expr.Comparison("not in", sum()));
            } else {
                return rest.isEmpty() ? first : new Expr.Compare(first, rest);
            }
        }
    }

    private Expr sum() {
        return chain(Set.of("+", "-"), this::concat);
    }

    private Expr concat() {
        List<Expr> parts = new ArrayList<>();
        do {
            parts.add(product());
        } while (cursor.skipOperator("~"));
        return parts.size() == 1 ? parts.getFirst() : new Expr.Concat(parts);
    }

    private Expr product() {
        return chain(Set.of("*", "/", "//", "%"), () -> chain(Set.of("**"), () -> unary(true)));
    }

    private Expr chain(Set<String> operators, Supplier<Expr> operand) {
        Expr left = operand.get();
        for (int length = 0; cursor.current().is(Token.Kind.OPERATOR)
                && operators.contains(cursor.current().text()); length++) {
            String operator = cursor.next().text();
            left = new Expr.Arithmetic(operator, left, operand.get());
            checkChain(length);
        }
        return left;
    }

    private void checkChain(int length) {
        if (length > MAX_CHAIN) {
            throw new JinjaException("found more than " + MAX_CHAIN + " operators in a row", cursor.line());
        }
    }

    private Expr unary(boolean withFilters) {
        Expr value;
        if (cursor.current().isOperator("-") || cursor.current().isOperator("+")) {
            cursor.enter();
            value = new Expr.Sign(cursor.next().text().equals("-"), unary(false));
            cursor.leave();
        } else {
            value = primary();
        }
        value = postfix(value);
        return withFilters ? filters(value) : value;
    }

    private Expr primary() {
        Token token = cursor.next();
        return switch (token.kind()) {
            case NAME -> named(token.text());
            case STRING -> {
                StringBuilder text = new StringBuilder(token.text());
                while (cursor.current().is(Token.Kind.STRING)) {
                    text.append(cursor.next().text());
                }
                yield new Expr.Const(new Value.Str(text.toString()));
            }
            case INTEGER -> new Expr.Const(integer(token.text()));
            case FLOAT -> new Expr.Const(new Value.Real(Double.parseDouble(token.text())));
            case OPERATOR -> switch (token.text()) {
                case "(" -> parenthesised();
                case "[" -> new Expr.ListOf(items("]", this::expression));
                case "{" -> new Expr.DictOf(items("}", () -> {
                    Expr key = expression();
                    cursor.expectOperator(":");
                    return new Expr.Entry(key, expression());
                }));
                default -> throw misplaced(token);
            };
            default -> throw misplaced(token);
        };
    }

    private static JinjaException misplaced(Token token) {
        return new JinjaException("found \"" + token.describe() + "\" where an expression should be", token.line());
    }

    private Expr named(String name) {
        return switch (name) {
            case "true", "True" -> new Expr.Const(Value.Bool.TRUE);
            case "false", "False" -> new Expr.Const(Value.Bool.FALSE);
            case "none", "None" -> new Expr.Const(Value.None.NONE);
            default -> {
                watched.forEach(names -> names.add(name));
                yield new Expr.Name(name);
            }
        };
    }

    private static Value integer(String digits) {
        int radix = digits.length() < 2 ? 10 : switch (digits.charAt(1)) {
            case 'x', 'X' -> 16;
            case 'o', 'O' -> 8;
            case 'b', 'B' -> 2;
            default -> 10;
        };
        return new Value.Int(new BigInteger(radix == 10 ? digits : digits.substring(2), radix));
    }

    private Expr parenthesised() {
        if (cursor.skipOperator(")")) {
            return new Expr.TupleOf(List.of());
        }
        Expr value = tuple();
        cursor.expectOperator(")");
        return value;
    }

    private <T> List<T> items(String close, Supplier<T> item) {
        List<T> items = new ArrayList<>();
        while (!cursor.skipOperator(close)) {
            if (!items.isEmpty()) {
                cursor.expectOperator(",");
                if (cursor.skipOperator(close)) {
                    break;
                }
            }
            items.add(item.get());
        }
        return items;
    }

    private Expr postfix(Expr start) {
        Expr value = start;
        for (int length = 0;; length++) {
            if (cursor.skipOperator(".")) {
                Token token = cursor.next();
                if (token.is(Token.Kind.INTEGER)) {
                    value = new Expr.Subscript(value, new Expr.Const(integer(token.text())));
                } else if (token.is(Token.Kind.NAME)) {
                    value = new Expr.Attribute(value, token.text());
                } else {
                    throw new JinjaException("found \"" + token.describe() + "\" where a name should be",
                            token.line());
                }
            } else if (cursor.skipOperator("[")) {
                value = new Expr.Subscript(value, subscript());
            } else if (cursor.current().isOperator("(")) {
                value = new Expr.Call(value, arguments());
            } else {
                return value;
            }
            checkChain(length);
        }
    }

    private Expr subscript() {
        List<Expr> keys = items("]", this::slice);
        return keys.size() == 1 ? keys.getFirst() : new Expr.TupleOf(keys);
    }

    private Expr slice() {
        Expr start = cursor.current().isOperator(":") ? null : expression();
        if (!cursor.skipOperator(":")) {
            return start;
        }
        Expr stop = sliceEnds() || cursor.current().isOperator(":") ? null : expression();
        Expr step = cursor.skipOperator(":") && !sliceEnds() ? expression() : null;
        return new Expr.Slice(start, stop, step);
    }

    private boolean sliceEnds() {
        return cursor.current().isOperator("]") || cursor.current().isOperator(",");
    }

    private Expr filters(Expr start) {
        Expr value = start;
        for (int length = 0;; length++) {
            if (cursor.current().isOperator("|")) {
                value = filter(value);
            } else if (cursor.skipName("is")) {
                value = test(value);
            } else if (cursor.current().isOperator("(")) {
                value = new Expr.Call(value, arguments());
            } else {
                return value;
            }
            checkChain(length);
        }
    }

    /** The filters that follow, each with its bar, the first on {@code input}. */
    Expr filter(Expr input) {
        Expr value = input;
        while (cursor.skipOperator("|")) {
            value = oneFilter(value);
        }
        return value;
    }

    /** A filter whose bar is left behind. */
    Expr oneFilter(Expr input) {
        String name = dottedName();
        return new Expr.Filter(input, name,
                cursor.current().isOperator("(") ? arguments() : Expr.Arguments.NONE);
    }

    private String dottedName() {
        StringBuilder name = new StringBuilder(cursor.expectName());
        while (cursor.skipOperator(".")) {
            name.append('.').append(cursor.expectName());
        }
        return name.toString();
    }

    private Expr test(Expr input) {
        boolean negated = cursor.skipName("not");
        String name = dottedName();
        Expr.Arguments arguments = Expr.Arguments.NONE;
        Token token = cursor.current();
        if (token.isOperator("(")) {
            arguments = arguments();
        } else if (beginsOperand(token)) {
            if (token.isName("is")) {
                throw new JinjaException("found a test behind a test", token.line());
            }
            arguments = new Expr.Arguments(List.of(postfix(primary())), List.of(), null, null);
        }
        Expr test = new Expr.Test(input, name, arguments);
        return negated ? new Expr.Not(test) : test;
    }

    private static boolean beginsOperand(Token token) {
        return switch (token.kind()) {
            case NAME -> !token.isName("else") && !token.isName("or") && !token.isName("and");
            case STRING, INTEGER, FLOAT -> true;
            case OPERATOR -> token.text().equals("[") || token.text().equals("{");
            default -> false;
        };
    }

    private Expr.Arguments arguments() {
        int line = cursor.line();
        cursor.expectOperator("(");
        List<Expr> positional = new ArrayList<>();
        List<Expr.Named> named = new ArrayList<>();
        Expr[] rests = new Expr[2];
        items(")", () -> {
            if (cursor.skipOperator("*")) {
                ordered(rests[0] == null && rests[1] == null, line);
                rests[0] = expression();
            } else if (cursor.skipOperator("**")) {
                ordered(rests[1] == null, line);
                rests[1] = expression();
            } else if (cursor.current().is(Token.Kind.NAME) && cursor.ahead().isOperator("=")) {
                ordered(rests[1] == null, line);
                String name = cursor.expectName();
                cursor.expectOperator("=");
                named.add(new Expr.Named(name, expression()));
            } else {
                ordered(named.isEmpty() && rests[0] == null && rests[1] == null, line);
                positional.add(expression());
            }
            return true;
        });
        return new Expr.Arguments(positional, named, rests[0], rests[1]);
    }

    private static void ordered(boolean inOrder, int line) {
        if (!inOrder) {
            throw new JinjaException("found the arguments of a call in the wrong order", line);
        }
    }
}
