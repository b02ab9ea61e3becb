package org.spin4j.tokenizer.jinja;

import java.util.List;

/** A part of a template that writes or does something. */
sealed interface Statement {
    /** Text between tags. */
    record Text(String text) implements Statement {}

    /** {@code {{ value }}}. */
    record Print(Expr value, int line) implements Statement {}

    /** {@code if}, {@code elif} and {@code else}. */
    record If(List<Branch> branches, List<Statement> otherwise) implements Statement {}

    /** A condition and what it leads to. */
    record Branch(Expr test, List<Statement> body, int line) {}

    /** A loop; {@code test} is null if all items pass. */
    record For(Target target, Expr items, Expr test, boolean recursive, List<Statement> body, List<Statement> otherwise,
            int line) implements Statement {}

    /** {@code set a = value}. */
    record Set(Target target, Expr value, int line) implements Statement {}

    /** {@code set a}…{@code endset}; the filter, null if there is none, has a null at its bottom for the text. */
    record SetBlock(Target target, Expr filter, List<Statement> body, int line) implements Statement {}

    /** {@code macro}. */
    record Macro(String name, Signature signature, List<Statement> body) implements Statement {}

    /** {@code call}: a macro is called, and calls the body by the name {@code caller}. */
    record CallBlock(Expr.Call call, Signature signature, List<Statement> body, int line) implements Statement {}

    /** {@code filter}: what the body writes goes through a filter. */
    record FilterBlock(Expr filter, List<Statement> body, int line) implements Statement {}

    /** {@code with}: variables for a while. */
    record With(List<Target> targets, List<Expr> values, List<Statement> body, int line) implements Statement {}

    /** {@code generation}: what the model is to learn. */
    record Generation(List<Statement> body) implements Statement {}

    /** {@code break}. */
    record Break() implements Statement {}

    /** {@code continue}. */
    record Continue() implements Statement {}

    /**
     * The parameters of a macro.
     *
     * @param defaults values of the last parameters
     * @param special which of {@code caller}, {@code varargs} and {@code kwargs} the body speaks of
     */
    record Signature(List<String> parameters, List<Expr> defaults, java.util.Set<String> special) {}

    /** What may stand left of an assignment. */
    sealed interface Target {
        /** A variable. */
        record Variable(String name) implements Target {}

        /** Several at once, for a sequence of as many. */
        record Several(List<Target> parts) implements Target {}

        /** {@code namespace.attribute}. */
        record Attribute(String namespace, String attribute) implements Target {}
    }
}
