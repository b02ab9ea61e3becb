package org.spin4j.tokenizer.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Jinja's filters on one value; those on the items of a value are in {@link ItemFilters}. */
final class Filters {
    private static final Pattern WORD_BREAK = Pattern.compile("[-\\s({\\[<]+", Pattern.UNICODE_CHARACTER_CLASS);
    private static final Pattern DECIMAL = Pattern
            .compile("[+-]?(?:\\d+(?:_\\d+)*\\.?(?:\\d+(?:_\\d+)*)?|\\.\\d+(?:_\\d+)*)(?:[eE][+-]?\\d+)?");

    /** Those that do not mind whether a text is marked safe; the others would give a text that is marked too. */
    private static final Set<String> MARKUP = Set.of("count", "d", "default", "e", "escape", "length", "safe",
            "string", "tojson");

    /** What a filter makes of a value. */
    @FunctionalInterface
    private interface Filter {
        Value apply(Filters filters, Value value, Arguments arguments);
    }

    private static final Map<String, Filter> SIMPLE = Map.ofEntries(
            Map.entry("abs", (f, v, a) -> f.absolute(v, a)),
            Map.entry("capitalize", (f, v, a) -> f.mapped("capitalize", v, a)),
            Map.entry("count", (f, v, a) -> length(v, a)),
            Map.entry("d", (f, v, a) -> otherwise(v, a)),
            Map.entry("default", (f, v, a) -> otherwise(v, a)),
            Map.entry("e", (f, v, a) -> f.escaped(v, a)),
            Map.entry("escape", (f, v, a) -> f.escaped(v, a)),
            Map.entry("float", (f, v, a) -> decimal(v, a)),
            Map.entry("format", (f, v, a) -> f.formatted(v, a)),
            Map.entry("indent", (f, v, a) -> f.indented(v, a)),
            Map.entry("int", (f, v, a) -> whole(v, a)),
            Map.entry("length", (f, v, a) -> length(v, a)),
            Map.entry("lower", (f, v, a) -> f.mapped("lower", v, a)),
            Map.entry("replace", (f, v, a) -> f.replaced(v, a)),
            Map.entry("round", (f, v, a) -> rounded(v, a)),
            Map.entry("safe", (f, v, a) -> new Value.Markup(f.text(v))),
            Map.entry("string", (f, v, a) -> f.string(v, a)),
            Map.entry("title", (f, v, a) -> f.title(v, a)),
            Map.entry("tojson", (f, v, a) -> ToJson.filter(v, a, f.work)),
            Map.entry("trim", (f, v, a) -> f.trimmed(v, a)),
            Map.entry("upper", (f, v, a) -> f.mapped("upper", v, a)));

    private final Work work;
    private final ItemFilters items;

    Filters(Operators operators, Tests tests, Work work) {
        this.work = work;
        items = new ItemFilters(operators, tests, this, work);
    }

    /** Whether there is a filter of that name. */
    static boolean knows(String name) {
        return SIMPLE.containsKey(name) || ItemFilters.NAMES.contains(name);
    }

    Value apply(String name, Value value, Arguments arguments) {
        work.step();
        if (value instanceof Value.Markup && !MARKUP.contains(name)) {
            throw JinjaException.unsupported("the filter " + name + " of a str marked safe");
        }
        Filter simple = SIMPLE.get(name);
        if (simple != null) {
            return simple.apply(this, value, arguments);
        }
        if (ItemFilters.NAMES.contains(name)) {
            return items.apply(name, value, arguments);
        }
        throw JinjaException.unsupported("the filter " + name);
    }

    private String text(Value value) {
        String text = Types.text(value, work);
        work.text(text.length());
        return text;
    }

    private Value mapped(String method, Value value, Arguments arguments) {
        return StringMethods.of(text(value), method, work).call(arguments);
    }

    private Value string(Value value, Arguments arguments) {
        arguments.bind("string", 0);
        return value instanceof Value.Markup ? value : new Value.Str(text(value));
    }

    private static Value length(Value value, Arguments arguments) {
        arguments.bind("length", 0);
        return Value.Int.of(Types.length(value));
    }

    private static Value otherwise(Value value, Arguments arguments) {
        Value[] given = arguments.bind("default", 0, "default_value", "boolean");
        boolean absent = value instanceof Value.Undefined
                || given[1] != null && Operators.truth(given[1]) && !Operators.truth(value);
        return !absent ? value : given[0] == null ? new Value.Str("") : given[0];
    }

    private Value absolute(Value value, Arguments arguments) {
        arguments.bind("abs", 0);
        return value instanceof Value.Real f
                ? new Value.Real(Math.abs(f.value()))
                : new Value.Int(Operators.wholeOf(value).abs());
    }

    private Value escaped(Value value, Arguments arguments) {
        arguments.bind("escape", 0);
        return value instanceof Value.Markup
                ? value
                : new Value.Markup(text(value).replace("&", "&amp;").replace(">", "&gt;").replace("<", "&lt;")
                        .replace("'", "&#39;").replace("\"", "&#34;"));
    }

    private Value formatted(Value value, Arguments arguments) {
        if (!arguments.named().isEmpty()) {
            throw JinjaException.unsupported("the filter format by name");
        }
        return new Value.Str(Formats.percent(text(value), new Value.Tuple(arguments.positional()), work));
    }

    private Value trimmed(Value value, Arguments arguments) {
        Value chars = arguments.bind("trim", 0, "chars")[0];
        return new Value.Str(Strings.strip(text(value),
                chars == null || chars == Value.None.NONE ? null : StringMethods.string("trim", chars), true, true));
    }

    private Value replaced(Value value, Arguments arguments) {
        Value[] given = arguments.bind("replace", 2, "old", "new", "count");
        int count = given[2] == Value.None.NONE ? -1 : StringMethods.integer(given[2], -1);
        return new Value.Str(StringMethods.replace(text(value), text(given[0]), text(given[1]), count, work));
    }

    private Value title(Value value, Arguments arguments) {
        arguments.bind("title", 0);
        String text = text(value);
        StringBuilder out = new StringBuilder();
        Matcher breaks = WORD_BREAK.matcher(text);
        int from = 0;
        while (breaks.find()) {
            out.append(word(text.substring(from, breaks.start()))).append(breaks.group());
            from = breaks.end();
        }
        return new Value.Str(out.append(word(text.substring(from))).toString());
    }

    private static String word(String text) {
        int first = text.isEmpty() ? 0 : Character.charCount(text.codePointAt(0));
        return Strings.upper(text.substring(0, first)) + Strings.lower(text.substring(first));
    }

    private Value indented(Value value, Arguments arguments) {
        Value[] given = arguments.bind("indent", 0, "width", "first", "blank");
        String indent = given[0] instanceof Value.Str text
                ? text.text()
                : " ".repeat(Math.clamp(StringMethods.integer(given[0], 4), 0, 1000));
        boolean first = given[1] != null && Operators.truth(given[1]);
        boolean blank = given[2] != null && Operators.truth(given[2]);
        List<String> lines = Strings.lines(StringMethods.string("indent", value) + "\n", false);
        work.text(((long) indent.length() + 1) * lines.size() + StringMethods.string("indent", value).length());
        StringBuilder out = new StringBuilder(first ? indent : "");
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            out.append(i == 0 ? "" : "\n").append(i > 0 && (blank || !line.isEmpty()) ? indent : "").append(line);
        }
        return new Value.Str(out.toString());
    }

    private static Value whole(Value value, Arguments arguments) {
        Value[] given = arguments.bind("int", 0, "default", "base");
        int base = StringMethods.integer(given[1], 10);
        Value otherwise = given[0] == null ? Value.Int.of(0) : given[0];
        return switch (value) {
            case Value.Int i -> i;
            case Value.Bool b -> Value.Int.of(b.number());
            case Value.Real f -> truncated(f.value(), otherwise);
            case Value.Str s -> {
                String digits = Strings.strip(s.text(), null, true, true).replaceAll("(?<=\\w)_(?=\\w)", "");
                BigInteger number = parsed(digits, base);
                yield number != null
                        ? new Value.Int(number)
                        : isDecimal(s.text()) ? truncated(parseDecimal(s.text()), otherwise) : otherwise;
            }
            case Value.Undefined u -> {
                Operators.defined(u);
                yield otherwise;
            }
            default -> otherwise;
        };
    }

    private static Value truncated(double value, Value otherwise) {
        return Double.isFinite(value) ? new Value.Int(new BigDecimal(value).toBigInteger()) : otherwise;
    }

    private static BigInteger parsed(String digits, int base) {
        String sign = digits.startsWith("-") || digits.startsWith("+") ? digits.substring(0, 1) : "";
        String rest = digits.substring(sign.length());
        String prefix = switch (base) {
            case 16 -> "0x";
            case 8 -> "0o";
            case 2 -> "0b";
            default -> "";
        };
        if (!prefix.isEmpty() && rest.regionMatches(true, 0, prefix, 0, 2)) {
            rest = rest.substring(2);
        }
        if (base < 2 || base > 36) {
            throw JinjaException.unsupported("the filter int with base " + base);
        }
        if (rest.isEmpty() || rest.length() > 4300
                || !rest.chars().allMatch(c -> Character.digit(c, base) >= 0)) {
            return null;
        }
        return new BigInteger(sign + rest, base);
    }

    private static Value decimal(Value value, Arguments arguments) {
        Value given = arguments.bind("float", 0, "default")[0];
        Value otherwise = given == null ? new Value.Real(0) : given;
        return switch (value) {
            case Value.Real f -> f;
            case Value.Int i -> new Value.Real(Operators.doubleOf(i));
            case Value.Bool b -> new Value.Real(b.number());
            case Value.Str s -> isDecimal(s.text()) ? new Value.Real(parseDecimal(s.text())) : otherwise;
            case Value.Undefined u -> {
                Operators.defined(u);
                yield otherwise;
            }
            default -> otherwise;
        };
    }

    private static final Pattern NOT_FINITE = Pattern.compile("([+-]?)(?:(inf|infinity)|nan)",
            Pattern.CASE_INSENSITIVE);

    private static boolean isDecimal(String text) {
        String bare = Strings.strip(text, null, true, true);
        return bare.length() < 10_000 && (DECIMAL.matcher(bare).matches() || NOT_FINITE.matcher(bare).matches());
    }

    private static double parseDecimal(String text) {
        String bare = Strings.strip(text, null, true, true);
        Matcher special = NOT_FINITE.matcher(bare);
        if (special.matches()) {
            return special.group(2) == null
                    ? Double.NaN
                    : special.group(1).equals("-") ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
        }
        return Double.parseDouble(bare.replace("_", ""));
    }

    private static Value rounded(Value value, Arguments arguments) {
        Value[] given = arguments.bind("round", 0, "precision", "method");
        int precision = Math.clamp(StringMethods.integer(given[0], 0), -400, 400);
        String method = given[1] == null ? "common" : StringMethods.string("round", given[1]);
        if (method.equals("common")) {
            if (Operators.isWhole(value)) {
                BigDecimal whole = new BigDecimal(Operators.wholeOf(value));
                return new Value.Int(whole.setScale(Math.min(0, precision), RoundingMode.HALF_EVEN).toBigInteger());
            }
            double number = Operators.doubleOf(value);
            if (!Double.isFinite(number) || number == 0) {
                return new Value.Real(number);
            }
            double nearest = new BigDecimal(number).setScale(precision, RoundingMode.HALF_EVEN).doubleValue();
            return new Value.Real(nearest == 0 ? Math.copySign(0, number) : nearest);
        }
        if (!method.equals("ceil") && !method.equals("floor")) {
            throw new JinjaException("round needs the method common, ceil or floor, found " + method);
        }
        if (precision < 0) {
            throw JinjaException.unsupported("the filter round to " + method + " with a negative precision");
        }
        double scale = Math.pow(10, precision);
        double scaled = Operators.doubleOf(value) * scale;
        double cut = method.equals("ceil") ? Math.ceil(scaled) : Math.floor(scaled);
        return new Value.Real((cut == 0 ? 0.0 : cut) / scale);
    }
}
