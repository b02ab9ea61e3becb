package org.spin4j.tokenizer.jinja;

/** The escapes of Python's string literals. */
final class Escapes {
    private Escapes() {}

    /** What a literal between its quotes stands for; a backslash before anything else stays, as in Python. */
    static String decode(String literal, int line) {
        if (literal.indexOf('\\') < 0) {
            return literal;
        }
        StringBuilder out = new StringBuilder();
        int pos = 0;
        while (pos < literal.length()) {
            char c = literal.charAt(pos++);
            if (c != '\\') {
                out.append(c);
                continue;
            }
            char kind = literal.charAt(pos++);
            switch (kind) {
                case '\n' -> {
                }
                case '\\', '\'', '"' -> out.append(kind);
                case 'a' -> out.append('\u0007');
                case 'b' -> out.append('\b');
                case 'f' -> out.append('\f');
                case 'n' -> out.append('\n');
                case 'r' -> out.append('\r');
                case 't' -> out.append('\t');
                case 'v' -> out.append('\u000B');
                case 'x' -> pos = hex(literal, pos, 2, out, line);
                case 'u' -> pos = hex(literal, pos, 4, out, line);
                case 'U' -> pos = hex(literal, pos, 8, out, line);
                case 'N' -> pos = named(literal, pos, out, line);
                default -> {
                    if (kind >= '0' && kind <= '7') {
                        pos = octal(literal, pos - 1, out);
                    } else {
                        out.append('\\').append(kind);
                    }
                }
            }
        }
        return out.toString();
    }

    private static int hex(String literal, int pos, int digits, StringBuilder out, int line) {
        int value = 0;
        for (int i = pos; i < pos + digits; i++) {
            int digit = i < literal.length() ? Character.digit(literal.charAt(i), 16) : -1;
            if (digit < 0 || value > Character.MAX_CODE_POINT >> 4) {
                throw new JinjaException("found a string with a damaged \\x, \\u or \\U escape", line);
            }
            value = value << 4 | digit;
        }
        if (value > Character.MAX_CODE_POINT) {
            throw new JinjaException("found a string with an escape beyond Unicode", line);
        }
        out.appendCodePoint(value);
        return pos + digits;
    }

    private static int octal(String literal, int pos, StringBuilder out) {
        int value = 0;
        int end = pos;
        while (end < literal.length() && end < pos + 3 && literal.charAt(end) >= '0' && literal.charAt(end) <= '7') {
            value = value * 8 + literal.charAt(end++) - '0';
        }
        out.append((char) value);
        return end;
    }

    private static int named(String literal, int pos, StringBuilder out, int line) {
        int close = literal.indexOf('}', pos);
        if (close < 0 || literal.charAt(pos) != '{') {
            throw new JinjaException("found a string with a damaged \\N escape", line);
        }
        try {
            out.appendCodePoint(Character.codePointOf(literal.substring(pos + 1, close)));
        } catch (IllegalArgumentException e) {
            throw new JinjaException("found a string with an unknown character name", line);
        }
        return close + 1;
    }
}
