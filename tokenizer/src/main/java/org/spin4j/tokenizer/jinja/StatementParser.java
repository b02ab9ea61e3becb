package org.spin4j.tokenizer.jinja;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.spin4j.tokenizer.jinja.Statement.Target;

/** Reads a whole template. A tag that is not covered is an error with its name. */
final class StatementParser {
    private static final Set<String> SPECIAL = Set.of("caller", "varargs", "kwargs");

    private final Cursor cursor;
    private final ExpressionParser expressions;
    private int loops;
    private boolean marksGenerated;

    /**
     * A template that has been read.
     *
     * @param marksGenerated whether there is a {@code generation} block
     */
    record Parsed(List<Statement> statements, boolean marksGenerated) {}

    private StatementParser(Cursor cursor) {
        this.cursor = cursor;
        expressions = new ExpressionParser(cursor);
    }

    static Parsed parse(String template) {
        StatementParser parser = new StatementParser(new Cursor(Lexer.tokens(template)));
        List<Statement> statements = parser.statements(Set.of());
        return new Parsed(statements, parser.marksGenerated);
    }

    /** The statements up to a tag with one of the given names, which becomes the current token. */
    private List<Statement> statements(Set<String> ends) {
        int line = cursor.line();
        List<Statement> statements = new ArrayList<>();
        while (true) {
            Token token = cursor.next();
            switch (token.kind()) {
                case DATA -> statements.add(new Statement.Text(token.text()));
                case PRINT_BEGIN -> {
                    statements.add(new Statement.Print(expressions.tuple(), token.line()));
                    cursor.expect(Token.Kind.PRINT_END, "}}");
                }
                case BLOCK_BEGIN -> {
                    if (cursor.current().is(Token.Kind.NAME) && ends.contains(cursor.current().text())) {
                        return statements;
                    }
                    cursor.enter();
                    statement(statements);
                    cursor.leave();
                    cursor.expect(Token.Kind.BLOCK_END, "%}");
                }
                default -> {
                    if (!ends.isEmpty()) {
                        throw new JinjaException("found no " + String.join(" or ", new java.util.TreeSet<>(ends))
                                + " for what begins", line);
                    }
                    return statements;
                }
            }
        }
    }

    private void statement(List<Statement> out) {
        int line = cursor.line();
        String tag = cursor.expectName();
        switch (tag) {
            case "if" -> out.add(conditional(line));
            case "for" -> out.add(loop(line));
            case "set" -> out.add(assignment(line));
            case "macro" -> {
                String name = cursor.expectName();
                out.add(functionBody((signature, body) -> new Statement.Macro(name, signature, body), true,
                        "endmacro"));
            }
            case "call" -> out.add(call(line));
            case "filter" -> {
                Expr filter = expressions.filter(expressions.oneFilter(null));
                out.add(new Statement.FilterBlock(filter, block("endfilter"), line));
            }
            case "with" -> out.add(with(line));
            case "generation" -> {
                marksGenerated = true;
                out.add(functionBody((signature, body) -> new Statement.Generation(body), false,
                        "endgeneration"));
            }
            case "print" -> print(out, line);
            case "break", "continue" -> {
                if (loops == 0) {
                    throw new JinjaException("found \"" + tag + "\" outside a loop", line);
                }
                out.add(tag.equals("break") ? new Statement.Break() : new Statement.Continue());
            }
            default -> throw new JinjaException("found the tag \"" + tag + "\", which is not supported", line);
        }
    }

    /** The statements up to the end tag, which is left behind. */
    private List<Statement> block(String end) {
        List<Statement> body = branch(Set.of(end));
        cursor.next();
        return body;
    }

    /** The statements after a tag, up to one of the given tags. */
    private List<Statement> branch(Set<String> ends) {
        cursor.skipOperator(":");
        cursor.expect(Token.Kind.BLOCK_END, "%}");
        return statements(ends);
    }

    private Statement conditional(int line) {
        List<Statement.Branch> branches = new ArrayList<>();
        int where = line;
        while (true) {
            Expr test = expressions.plainTuple("");
            branches.add(new Statement.Branch(test, branch(Set.of("elif", "else", "endif")), where));
            where = cursor.line();
            String end = cursor.expectName();
            if (!end.equals("elif")) {
                return new Statement.If(branches, end.equals("else") ? block("endif") : List.of());
            }
        }
    }

    private Statement loop(int line) {
        Target target = target("in", false);
        cursor.expectName("in");
        Expr items = expressions.plainTuple("recursive");
        Expr test = cursor.skipName("if") ? expressions.expression() : null;
        boolean recursive = cursor.skipName("recursive");
        loops++;
        List<Statement> body = branch(Set.of("else", "endfor"));
        loops--;
        List<Statement> otherwise = cursor.expectName().equals("else") ? block("endfor") : List.of();
        return new Statement.For(target, items, test, recursive, body, otherwise, line);
    }

    private Statement assignment(int line) {
        Target target = target("", true);
        if (cursor.skipOperator("=")) {
            return new Statement.Set(target, expressions.tuple(), line);
        }
        Expr filter = expressions.filter(null);
        return new Statement.SetBlock(target, filter, block("endset"), line);
    }

    private Statement with(int line) {
        List<Target> targets = new ArrayList<>();
        List<Expr> values = new ArrayList<>();
        while (!cursor.current().is(Token.Kind.BLOCK_END)) {
            if (!targets.isEmpty()) {
                cursor.expectOperator(",");
            }
            targets.add(oneTarget(false));
            cursor.expectOperator("=");
            values.add(expressions.expression());
        }
        return new Statement.With(targets, values, block("endwith"), line);
    }

    private void print(List<Statement> out, int line) {
        do {
            out.add(new Statement.Print(expressions.expression(), line));
        } while (cursor.skipOperator(","));
    }

    private Statement call(int line) {
        boolean parameters = cursor.current().isOperator("(");
        Expr.Call[] call = new Expr.Call[1];
        return functionBody((signature, body) -> new Statement.CallBlock(call[0], signature, body, line), parameters,
                "endcall", () -> {
                    if (!(expressions.expression() instanceof Expr.Call found)) {
                        throw new JinjaException("found no call of a macro behind \"call\"", line);
                    }
                    call[0] = found;
                });
    }

    private interface Made {
        Statement of(Statement.Signature signature, List<Statement> body);
    }

    private Statement functionBody(Made made, boolean parameters, String end) {
        return functionBody(made, parameters, end, () -> {});
    }

    /** A body that is a function of its own: a loop around it is not its loop. */
    private Statement functionBody(Made made, boolean withParameters, String end, Runnable between) {
        List<String> parameters = new ArrayList<>();
        List<Expr> defaults = new ArrayList<>();
        if (withParameters) {
            parameters(parameters, defaults);
        }
        between.run();
        int around = loops;
        loops = 0;
        expressions.watch();
        List<Statement> body = block(end);
        Set<String> special = new HashSet<>(expressions.watched());
        special.retainAll(SPECIAL);
        parameters.forEach(special::remove);
        loops = around;
        return made.of(new Statement.Signature(parameters, defaults, special), body);
    }

    private void parameters(List<String> parameters, List<Expr> defaults) {
        cursor.expectOperator("(");
        while (!cursor.skipOperator(")")) {
            if (!parameters.isEmpty()) {
                cursor.expectOperator(",");
            }
            parameters.add(cursor.expectName());
            if (cursor.skipOperator("=")) {
                defaults.add(expressions.expression());
            } else if (!defaults.isEmpty()) {
                throw new JinjaException("found a parameter without a default behind one with a default",
                        cursor.line());
            }
        }
    }

    private Target target(String end, boolean attributes) {
        List<Target> parts = new ArrayList<>();
        boolean commas = false;
        while (!cursor.current().isName(end) && !cursor.current().isOperator("=")
                && !cursor.current().isOperator(")") && !cursor.current().is(Token.Kind.BLOCK_END)) {
            parts.add(oneTarget(attributes));
            if (!cursor.skipOperator(",")) {
                break;
            }
            commas = true;
        }
        if (parts.isEmpty()) {
            throw cursor.unexpected("a variable");
        }
        return commas ? new Target.Several(parts) : parts.getFirst();
    }

    private Target oneTarget(boolean attributes) {
        if (cursor.skipOperator("(")) {
            cursor.enter();
            Target inner = target("", attributes);
            cursor.leave();
            cursor.expectOperator(")");
            return inner;
        }
        Token token = cursor.current();
        if (token.is(Token.Kind.NAME)
                && Set.of("true", "True", "false", "False", "none", "None").contains(token.text())) {
            throw cursor.unexpected("a variable");
        }
        String name = cursor.expectName();
        return attributes && cursor.skipOperator(".")
                ? new Target.Attribute(name, cursor.expectName())
                : new Target.Variable(name);
    }
}
