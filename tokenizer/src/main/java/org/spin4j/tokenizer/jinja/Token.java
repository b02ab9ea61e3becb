package org.spin4j.tokenizer.jinja;

/**
 * A piece of a template.
 *
 * @param text what it says: the data, the name, the operator, the unescaped string, the digits of a number
 * @param line where it begins, the first line is 1
 */
record Token(Kind kind, String text, int line) {
    enum Kind {
        DATA, PRINT_BEGIN, PRINT_END, BLOCK_BEGIN, BLOCK_END, NAME, STRING, INTEGER, FLOAT, OPERATOR, END
    }

    boolean is(Kind wanted) {
        return kind == wanted;
    }

    boolean isName(String name) {
        return kind == Kind.NAME && text.equals(name);
    }

    boolean isOperator(String operator) {
        return kind == Kind.OPERATOR && text.equals(operator);
    }

    /** For messages. */
    String describe() {
        return switch (kind) {
            case DATA -> "text";
            case PRINT_BEGIN -> "{{";
            case PRINT_END -> "}}";
            case BLOCK_BEGIN -> "{%";
            case BLOCK_END -> "%}";
            case STRING -> "a string";
            case END -> "the end of the template";
            default -> text;
        };
    }
}
