package org.spin4j.tokenizer.jinja;

import java.util.List;

/** A place among the tokens of a template, and the words for saying what should stand there. */
final class Cursor {
    /** Far deeper than any known template; the parser and the interpreter go one call deeper with each level. */
    private static final int MAX_DEPTH = 150;

    private final List<Token> tokens;
    private int pos;
    private int depth;

    Cursor(List<Token> tokens) {
        this.tokens = tokens;
    }

    Token current() {
        return tokens.get(pos);
    }

    /** The token after the current one. */
    Token ahead() {
        return tokens.get(Math.min(pos + 1, tokens.size() - 1));
    }

    int line() {
        return current().line();
    }

    /** The current token, which is left behind. */
    Token next() {
        Token token = current();
        if (!token.is(Token.Kind.END)) {
            pos++;
        }
        return token;
    }

    boolean skipName(String name) {
        boolean found = current().isName(name);
        if (found) {
            next();
        }
        return found;
    }

    boolean skipOperator(String operator) {
        boolean found = current().isOperator(operator);
        if (found) {
            next();
        }
        return found;
    }

    void expectOperator(String operator) {
        if (!skipOperator(operator)) {
            throw unexpected(operator);
        }
    }

    void expectName(String name) {
        if (!skipName(name)) {
            throw unexpected(name);
        }
    }

    String expectName() {
        return expect(Token.Kind.NAME, "a name").text();
    }

    Token expect(Token.Kind kind, String description) {
        if (!current().is(kind)) {
            throw unexpected(description);
        }
        return next();
    }

    /** Goes one level of nesting deeper; {@link #leave} comes back. */
    void enter() {
        if (++depth > MAX_DEPTH) {
            throw new JinjaException("found more than " + MAX_DEPTH + " levels of nesting", line());
        }
    }

    void leave() {
        depth--;
    }

    JinjaException unexpected(String wanted) {
        return new JinjaException("found \"" + current().describe() + "\" where " + wanted + " should be", line());
    }
}
