package org.spin4j.tokenizer;

import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * A regular expression of a tokenizer file, which means what Oniguruma makes of it, carried out by {@link java.util.regex}. Translated is
 * what both have, spelled so that it means the same: classes and their unions, Unicode's categories and scripts, quantifiers, groups,
 * looking around, the flag i over letters whose cases are single characters. All else is refused by name, and so are repetitions of
 * repetitions, which may take time without end.
 */
final class OnigurumaRegex {
    private static final Set<String> CATEGORIES = Set.of("L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N",
            "Nd", "Nl", "No", "P", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "S", "Sm", "Sc", "Sk", "So", "Z", "Zs",
            "Zl", "Zp");
    private static final Set<String> SCRIPTS = Set.of("Han", "Hiragana", "Katakana", "Hangul", "Latin", "Cyrillic",
            "Thai", "Arabic");
    private static final String SPACE = "\\p{IsWhite_Space}";
    /** Oniguruma counts superscript digits and fractions of Latin-1 as word characters. */
    private static final String WORD = "\\p{IsAlphabetic}\\p{M}\\p{Nd}\\p{Pc}\\u00B2\\u00B3\\u00B9\\u00BC-\\u00BE";
    private static final Map<String, String> POSIX = Map.of("punct", "\\p{P}\\p{S}", "space", SPACE, "alpha",
            "\\p{IsAlphabetic}", "digit", "\\p{Nd}", "upper", "\\p{IsUppercase}", "lower", "\\p{IsLowercase}");
    /** Pairs of letters that Oniguruma also finds as one character when case does not matter: ß and the ligatures. */
    private static final Set<String> FOLDED_PAIRS = Set.of("ss", "ff", "fi", "fl", "st");
    /**
     * Nothing, but in a spelling that makes Java look behind by characters and not by chars: it does so where a character beyond the basic
     * plane follows.
     */
    private static final String BY_CHARACTERS = "(?!\uDBFF\uDFFF(?!))";
    /** No expression in use takes a hundredth of these steps per character. */
    private static final long STEPS_PER_CHAR = 2000;

    private final Json place;
    private final Pattern pattern;

    private OnigurumaRegex(Json place, Pattern pattern) {
        this.place = place;
        this.pattern = pattern;
    }

    static OnigurumaRegex parse(Json regex) {
        if (regex.string().length() > 1 << 14) {
            throw regex.expected("a regular expression of at most 16384 characters");
        }
        String translated = new Translation(regex).translate();
        try {
            return new OnigurumaRegex(regex, Pattern.compile(translated, Pattern.UNIX_LINES | Pattern.MULTILINE));
        } catch (PatternSyntaxException | StackOverflowError e) {
            throw regex.unsupported("the regular expression " + regex.string());
        }
    }

    /** The matches in a stretch of text as start and end in turn. An empty match does not follow another match at once. */
    Ints find(String text, int start, int end) {
        Ints found = new Ints();
        Matcher matcher = pattern.matcher(new Bounded(text.substring(start, end)));
        int last = -1;
        int at = 0;
        try {
            while (at <= end - start && matcher.find(at)) {
                if (matcher.end() == matcher.start() && matcher.end() == last) {
                    at += at < end - start ? Character.charCount(text.codePointAt(start + at)) : 1;
                    continue;
                }
                last = matcher.end();
                at = last;
                found.add(start + matcher.start());
                found.add(start + last);
            }
        } catch (StackOverflowError e) {
            throw tooMuch();
        }
        return found;
    }

    private TokenizerException tooMuch() {
        return new TokenizerException("expected a regular expression that ends in time, found " + place.string()
                + " in "
                + place.file() + ", which takes too many steps for this text; use another tokenizer or shorter texts");
    }

    /** Text that may be looked at only so often. */
    private final class Bounded implements CharSequence {
        private final String text;
        private long left;

        Bounded(String text) {
            this.text = text;
            left = 100_000 + STEPS_PER_CHAR * text.length();
        }

        @Override
        public char charAt(int index) {
            if (--left < 0) {
                throw tooMuch();
            }
            return text.charAt(index);
        }

        @Override
        public int length() {
            return text.length();
        }

        @Override
        public CharSequence subSequence(int start, int end) {
            return text.subSequence(start, end);
        }

        @Override
        public String toString() {
            return text;
        }
    }

    /** Reads an expression once from left to right. */
    private static final class Translation {
        private final Json place;
        private final String regex;
        private final StringBuilder out = new StringBuilder();
        private int pos;
        private boolean anyCase;
        private int depth;
        /** The literal before this place, where case does not matter; 0 where there is none. */
        private int before;

        Translation(Json place) {
            this.place = place;
            this.regex = place.string();
        }

        String translate() {
            alternatives();
            if (pos < regex.length()) {
                throw unsupported("an unmatched )");
            }
            return out.indexOf("(?<") < 0 ? out.toString() : "(?:" + out + ")" + BY_CHARACTERS;
        }

        private TokenizerException unsupported(String what) {
            return place.unsupported(what + " in the regular expression " + regex);
        }

        private int peek() {
            return pos < regex.length() ? regex.codePointAt(pos) : -1;
        }

        private int next() {
            if (pos == regex.length()) {
                throw unsupported("an unexpected end");
            }
            int c = regex.codePointAt(pos);
            pos += Character.charCount(c);
            return c;
        }

        private boolean accept(String text) {
            if (!regex.startsWith(text, pos)) {
                return false;
            }
            pos += text.length();
            return true;
        }

        /** Up to the end or a closing parenthesis; says whether it holds a repetition without bound. */
        private boolean alternatives() {
            if (++depth > 64) {
                throw unsupported("groups in groups more than 64 deep");
            }
            boolean repeats = false;
            boolean outer = anyCase;
            before = 0;
            while (peek() >= 0 && peek() != ')') {
                if (accept("|")) {
                    out.append('|');
                    before = 0;
                } else {
                    repeats |= item();
                }
            }
            anyCase = outer;
            before = 0;
            depth--;
            return repeats;
        }

        private boolean item() {
            if (accept("(?i)")) {
                if (depth > 1 || !out.isEmpty()) {
                    throw unsupported("(?i) that is not at the start");
                }
                anyCase = true;
                return false;
            }
            int literal = 0;
            boolean repeats = false;
            int c = next();
            switch (c) {
                case '(' -> repeats = group();
                case '[' -> set();
                case '.' -> out.append('.');
                case '^', '$' -> out.append((char) c);
                case '\\' -> literal = escape(false);
                case '*', '+', '?', '{' -> throw unsupported("a quantifier of nothing");
                default -> literal = c;
            }
            if (literal > 0 && cases(literal).length() > 1) {
                out.append('[').append(cases(literal)).append(']');
            } else if (literal > 0) {
                literal(literal);
            }
            int start = before;
            before = literal;
            if (start > 0 && literal > 0 && anyCase
                    && FOLDED_PAIRS.contains((Character.toString(start) + Character.toString(literal))
                            .toLowerCase(Locale.ROOT))) {
                throw unsupported("letters that are one character in another case");
            }
            return quantifier(repeats) || repeats;
        }

        /** Says whether what stood before is repeated without bound. */
        private boolean quantifier(boolean inner) {
            boolean unbounded = false;
            boolean counted = false;
            switch (peek()) {
                case '*', '+' -> {
                    unbounded = true;
                    out.appendCodePoint(next());
                }
                case '?' -> out.appendCodePoint(next());
                case '{' -> {
                    unbounded = count();
                    counted = true;
                }
                default -> {
                    return false;
                }
            }
            before = 0;
            if (inner && (unbounded || counted)) {
                throw unsupported("a repetition of a repetition");
            }
            if (peek() == '?' || peek() == '+') {
                if (counted) {
                    throw unsupported("a quantifier after {}");
                }
                out.appendCodePoint(next());
            }
            if (peek() == '*' || peek() == '+' || peek() == '?' || peek() == '{') {
                throw unsupported("a quantifier of a quantifier");
            }
            return unbounded;
        }

        private boolean count() {
            int end = regex.indexOf('}', pos);
            String body = end < 0 ? "" : regex.substring(pos + 1, end);
            if (!body.matches("[0-9]{1,4}(,([0-9]{1,4})?)?")) {
                throw unsupported("a { that is not a count");
            }
            out.append('{').append(body).append('}');
            pos = end + 1;
            return body.endsWith(",");
        }

        private boolean group() {
            boolean outer = anyCase;
            if (accept("?i:")) {
                anyCase = true;
                out.append("(?:");
            } else if (accept("?:") || peek() != '?') {
                out.append("(?:");
            } else {
                String kind = null;
                for (String known : new String[]{"?=", "?!", "?>", "?<=", "?<!"}) {
                    if (kind == null && accept(known)) {
                        kind = known;
                    }
                }
                if (kind == null) {
                    throw unsupported("the group (" + regex.substring(pos, Math.min(pos + 3, regex.length())));
                }
                out.append('(').append(kind);
            }
            boolean repeats = alternatives();
            if (!accept(")")) {
                throw unsupported("an unclosed group");
            }
            out.append(')');
            anyCase = outer;
            return repeats;
        }

        private void literal(int c) {
            if (anyCase && c >= 0x80) {
                throw unsupported("a character beyond ASCII in any case");
            }
            out.append("\\x{").append(Integer.toHexString(c)).append('}');
        }

        /**
         * A letter in each case where case does not matter, and any other character as it is. Two letters have a third form; Java's own
         * flag would take more for an i than Oniguruma does.
         */
        private String cases(int c) {
            String both = new StringBuilder().appendCodePoint(c).toString();
            if (anyCase && c < 0x80 && Character.isLetter(c)) {
                both += (char) (c ^ 0x20);
                both += (c | 0x20) == 's' ? "\u017F" : (c | 0x20) == 'k' ? "\u212A" : "";
            }
            return both;
        }

        /** A literal that the escape stands for, or 0 if it stood for more and is written. */
        private int escape(boolean inSet) {
            int c = next();
            switch (c) {
                case 'n' -> {
                    return '\n';
                }
                case 'r' -> {
                    return '\r';
                }
                case 't' -> {
                    return '\t';
                }
                case 'f' -> {
                    return '\f';
                }
                case 'v' -> {
                    return 0x0B;
                }
                case 'e' -> {
                    return 0x1B;
                }
                case 'x', 'u' -> {
                    return hexadecimal(c);
                }
                case 's' -> out.append(SPACE);
                case 'S' -> out.append("\\P{IsWhite_Space}");
                case 'd' -> out.append("\\p{Nd}");
                case 'D' -> out.append("\\P{Nd}");
                case 'w' -> out.append('[').append(WORD).append(']');
                case 'W' -> out.append("[^").append(WORD).append(']');
                case 'p', 'P' -> property(c == 'P');
                default -> {
                    if (!inSet && (c == 'A' || c == 'z')) {
                        out.append('\\').append((char) c);
                    } else if (!inSet && c == 'b') {
                        out.append("(?:(?<=[").append(WORD).append("])(?![").append(WORD).append("])|(?<![")
                                .append(WORD).append("])(?=[").append(WORD).append("]))");
                    } else if (Character.isLetterOrDigit(c)) {
                        throw unsupported("\\" + Character.toString(c));
                    } else {
                        return c;
                    }
                }
            }
            return 0;
        }

        private int hexadecimal(int kind) {
            boolean braced = kind == 'x' && peek() == '{';
            int from = braced ? pos + 1 : pos;
            int end = braced ? regex.indexOf('}', pos) : pos + (kind == 'u' ? 4 : 2);
            String digits = end < 0 || end > regex.length() ? "" : regex.substring(from, end);
            int value = digits.matches("[0-9A-Fa-f]{1,6}") ? Integer.parseInt(digits, 16) : 0;
            // Two digits are a byte, which past ASCII is only a part of a character.
            int most = kind == 'x' && !braced ? 0x7F : Character.MAX_CODE_POINT;
            if (value == 0 || value > most || value >= 0xD800 && value <= 0xDFFF) {
                throw unsupported("\\" + (char) kind + digits);
            }
            pos = braced ? end + 1 : end;
            return value;
        }

        private void property(boolean negated) {
            int end = regex.indexOf('}', pos);
            String name = peek() == '{' && end > 0 ? regex.substring(pos + 1, end) : "";
            boolean not = negated;
            if (name.startsWith("^")) {
                not = !not;
                name = name.substring(1);
            }
            // Of these a character in another case is none.
            boolean cased = Set.of("Lu", "Ll", "Lt", "M", "Mn").contains(name);
            if (!CATEGORIES.contains(name) && !SCRIPTS.contains(name) || cased && anyCase) {
                throw unsupported("\\" + (negated ? "P" : "p") + "{" + name + "}" + (cased ? " in any case" : ""));
            }
            out.append(not ? "\\P{Is" : "\\p{Is").append(name).append('}');
            pos = end + 1;
        }

        private void set() {
            if (++depth > 64) {
                throw unsupported("groups in groups more than 64 deep");
            }
            out.append(accept("^") ? "[^" : "[");
            int from = pos;
            while (peek() != ']' || pos == from) {
                if (regex.startsWith("&&", pos)) {
                    throw unsupported("&& in a class");
                }
                if (accept("[:")) {
                    posix();
                } else if (accept("[")) {
                    set();
                } else {
                    range();
                }
            }
            pos++;
            out.append(']');
            depth--;
        }

        private void posix() {
            int end = regex.indexOf(":]", pos);
            String name = end < 0 ? "" : regex.substring(pos, end);
            String known = POSIX.get(name);
            if (known == null || anyCase && (name.equals("upper") || name.equals("lower"))) {
                throw unsupported("[:" + name);
            }
            out.append(known);
            pos = end + 2;
        }

        private void range() {
            int low = member();
            if (low == 0 || peek() != '-' || regex.startsWith("-]", pos)) {
                addCases(low, low);
                return;
            }
            pos++;
            out.append('-');
            int high = peek() == '[' ? 0 : member();
            if (high == 0) {
                throw unsupported("a range that does not end in a character");
            }
            addCases(low, high);
        }

        private void addCases(int low, int high) {
            for (int c = Math.max(low, 'A'); anyCase && c <= Math.min(high, 'z'); c++) {
                if (Character.isLetter(c)) {
                    out.append(cases(c));
                }
            }
        }

        private int member() {
            int c = next();
            if (c == '\\') {
                c = escape(true);
                if (c == 0) {
                    return 0;
                }
            }
            literal(c);
            return c;
        }
    }
}
