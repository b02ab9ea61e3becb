package org.spin4j.tokenizer.jinja;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Cuts a template into tokens, white space control done: a line end after a block goes ({@code trim_blocks}), and so does the white
 * space before a block that begins its line ({@code lstrip_blocks}); {@code -} takes all white space beside a tag, {@code +} spares it.
 */
final class Lexer {
    private static final Pattern NUMBER = Pattern.compile("(?<float>(?:\\d+_)*\\d+"
            + "(?:(?:\\.(?:\\d+_)*\\d+)?e[+-]?(?:\\d+_)*\\d+|\\.(?:\\d+_)*\\d+))"
            + "|0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[0-9a-f])+|[1-9](?:_?\\d)*|0(?:_?0)*",
            Pattern.CASE_INSENSITIVE);
    private static final Pattern WHOLE = Pattern.compile("[1-9](?:_?\\d)*|0(?:_?0)*");
    private static final Set<String> LONG_OPERATORS = Set.of("//", "**", "==", "!=", ">=", "<=");
    private static final String OPERATORS = "+-/*%~[](){}><=.:|,;";

    private final String source;
    private final List<Token> tokens = new ArrayList<>();
    private int pos;
    private int line = 1;
    private int counted;

    private Lexer(String source) {
        this.source = source;
    }

    /** The tokens of a template; the last is {@link Token.Kind#END}. */
    static List<Token> tokens(String template) {
        String unix = template.replace("\r\n", "\n").replace('\r', '\n');
        Lexer lexer = new Lexer(unix.endsWith("\n") ? unix.substring(0, unix.length() - 1) : unix);
        lexer.root();
        lexer.add(Token.Kind.END, "");
        return lexer.tokens;
    }

    private void root() {
        while (pos < source.length()) {
            int open = nextTag(pos);
            if (open < 0) {
                data(source.substring(pos));
                pos = source.length();
                return;
            }
            char kind = source.charAt(open + 1);
            char sign = at(open + 2) == '-' || at(open + 2) == '+' ? at(open + 2) : 0;
            data(before(pos, open, sign, kind != '{'));
            pos = open + (sign == 0 ? 2 : 3);
            if (kind == '#') {
                comment();
            } else if (kind == '%' && rawBegins()) {
                raw();
            } else {
                add(kind == '{' ? Token.Kind.PRINT_BEGIN : Token.Kind.BLOCK_BEGIN, "");
                code(kind == '{');
            }
        }
    }

    private int nextTag(int from) {
        for (int at = source.indexOf('{', from); at >= 0; at = source.indexOf('{', at + 1)) {
            char next = at(at + 1);
            if (next == '{' || next == '%' || next == '#') {
                return at;
            }
        }
        return -1;
    }

    /** Text up to a tag, without the white space that the tag takes. */
    private String before(int from, int tag, char sign, boolean isBlock) {
        String text = source.substring(from, tag);
        if (sign == '-') {
            return Strings.strip(text, null, false, true);
        }
        int lineStart = text.lastIndexOf('\n') + 1;
        boolean atLineStart = lineStart > 0 || from == 0 || source.charAt(from - 1) == '\n';
        if (sign == 0 && isBlock && atLineStart && text.chars().skip(lineStart).allMatch(Strings::isSpace)) {
            return text.substring(0, lineStart);
        }
        return text;
    }

    private void data(String text) {
        if (!text.isEmpty()) {
            add(Token.Kind.DATA, text);
        }
    }

    private void comment() {
        int close = source.indexOf("#}", pos);
        if (close < 0) {
            throw error("a comment that never ends");
        }
        boolean signed = close > pos && (source.charAt(close - 1) == '-' || source.charAt(close - 1) == '+');
        endTag(close, signed ? source.charAt(close - 1) : 0, true);
    }

    /** Moves past the two characters that close a tag and past the white space that goes with them. */
    private void endTag(int close, char sign, boolean trims) {
        pos = close + 2;
        if (sign == '-') {
            skipSpace();
        } else if (sign == 0 && trims && at(pos) == '\n') {
            pos++;
        }
    }

    private void skipSpace() {
        while (pos < source.length() && Strings.isSpace(source.charAt(pos))) {
            pos++;
        }
    }

    private static final Pattern RAW = Pattern.compile("\\s*raw\\s*(-?)%}", Pattern.UNICODE_CHARACTER_CLASS);
    private static final Pattern END_RAW = Pattern.compile("\\{%([-+]?)\\s*endraw\\s*([-+]?)%}",
            Pattern.UNICODE_CHARACTER_CLASS);

    private boolean rawBegins() {
        return RAW.matcher(source).region(pos, source.length()).lookingAt();
    }

    private void raw() {
        Matcher begin = RAW.matcher(source).region(pos, source.length());
        begin.lookingAt();
        // Unlike other blocks, this one keeps the line end behind it.
        endTag(begin.end() - 2, begin.group(1).isEmpty() ? 0 : '-', false);
        Matcher end = END_RAW.matcher(source);
        if (!end.find(pos)) {
            throw error("a raw block that never ends");
        }
        data(before(pos, end.start(), sign(end.group(1)), true));
        endTag(end.end() - 2, sign(end.group(2)), true);
    }

    private static char sign(String group) {
        return group.isEmpty() ? 0 : group.charAt(0);
    }

    /** The tokens between the braces. */
    private void code(boolean print) {
        String close = print ? "}}" : "%}";
        Deque<String> open = new ArrayDeque<>();
        while (true) {
            skipSpace();
            if (pos >= source.length()) {
                return;
            }
            char c = source.charAt(pos);
            boolean signed = c == '-' || c == '+' && !print;
            if (open.isEmpty() && source.startsWith(close, signed ? pos + 1 : pos)) {
                add(print ? Token.Kind.PRINT_END : Token.Kind.BLOCK_END, "");
                endTag(signed ? pos + 1 : pos, signed ? c : 0, !print);
                return;
            }
            if (c >= '0' && c <= '9') {
                number();
            } else if (c == '_' || Character.isLetter(source.codePointAt(pos))) {
                name();
            } else if (c == '\'' || c == '"') {
                string(c);
            } else {
                operator(open);
            }
        }
    }

    private void number() {
        // After a dot stands an index: l.0.1 is no fraction.
        Pattern pattern = pos > 0 && source.charAt(pos - 1) == '.' ? WHOLE : NUMBER;
        Matcher matcher = pattern.matcher(source).region(pos, source.length());
        if (!matcher.lookingAt()) {
            throw error("the character " + source.charAt(pos));
        }
        boolean fraction = pattern == NUMBER && matcher.group("float") != null;
        add(fraction ? Token.Kind.FLOAT : Token.Kind.INTEGER, matcher.group().replace("_", ""));
        pos = matcher.end();
    }

    private void name() {
        int start = pos;
        while (pos < source.length() && (source.charAt(pos) == '_'
                || Character.isLetterOrDigit(source.codePointAt(pos)))) {
            pos += Character.charCount(source.codePointAt(pos));
        }
        tokens.add(new Token(Token.Kind.NAME, source.substring(start, pos), lineAt(start)));
    }

    private void string(char quote) {
        int end = pos + 1;
        while (end < source.length() && source.charAt(end) != quote) {
            end += source.charAt(end) == '\\' ? 2 : 1;
        }
        if (end >= source.length()) {
            throw error("a string that never ends");
        }
        add(Token.Kind.STRING, Escapes.decode(source.substring(pos + 1, end), lineAt(pos)));
        pos = end + 1;
    }

    private void operator(Deque<String> open) {
        char c = source.charAt(pos);
        String two = pos + 1 < source.length() ? source.substring(pos, pos + 2) : "";
        String operator = LONG_OPERATORS.contains(two) ? two : String.valueOf(c);
        if (OPERATORS.indexOf(c) < 0 && operator.length() == 1) {
            throw error("the character " + Character.toString(source.codePointAt(pos)));
        }
        switch (operator) {
            case "(" -> open.push(")");
            case "[" -> open.push("]");
            case "{" -> open.push("}");
            case ")", "]", "}" -> {
                if (open.isEmpty() || !open.pop().equals(operator)) {
                    throw error("a closing " + operator + " that closes nothing");
                }
            }
            default -> {
            }
        }
        add(Token.Kind.OPERATOR, operator);
        pos += operator.length();
    }

    private void add(Token.Kind kind, String text) {
        tokens.add(new Token(kind, text, lineAt(pos)));
    }

    private int lineAt(int where) {
        for (; counted < where; counted++) {
            if (source.charAt(counted) == '\n') {
                line++;
            }
        }
        return line;
    }

    private char at(int index) {
        return index < source.length() ? source.charAt(index) : 0;
    }

    private JinjaException error(String found) {
        return new JinjaException("found " + found, lineAt(pos));
    }
}
