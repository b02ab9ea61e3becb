package org.spin4j.tokenizer.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.Iterator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Python's two ways of putting values into a text: {@code '%s' % x} and {@code '{}'.format(x)}. */
final class Formats {
    private static final Pattern PERCENT = Pattern.compile("%([-0+ #]*)(\\d{0,4})(?:\\.(\\d{0,3}))?(.|$)",
            Pattern.DOTALL);
    private static final Pattern BRACES = Pattern.compile("\\{\\{|}}|\\{(\\w*)}|[{}]");

    private Formats() {}

    /** {@code format % values}. */
    static String percent(String format, Value values, Work work) {
        if (values instanceof Value.Dict && format.contains("%(")) {
            throw JinjaException.unsupported("formatting by name, %(name)s");
        }
        Iterator<Value> given = (values instanceof Value.Tuple several ? several.items() : List.of(values)).iterator();
        StringBuilder out = new StringBuilder();
        Matcher matcher = PERCENT.matcher(format);
        int from = 0;
        while (matcher.find(from)) {
            out.append(format, from, matcher.start());
            from = matcher.end();
            if (matcher.group(4).equals("%")) {
                out.append('%');
                continue;
            }
            if (!given.hasNext()) {
                throw new JinjaException("fewer values than the format asks for");
            }
            out.append(converted(matcher, given.next(), work));
            work.text(out.length() > Work.MAX_TEXT ? out.length() : 0);
        }
        if (given.hasNext() && values instanceof Value.Tuple || given.hasNext() && !(values instanceof Value.Dict)
                && !(values instanceof Value.Lst)) {
            throw new JinjaException("more values than the format asks for");
        }
        return out.append(format, from, format.length()).toString();
    }

    private static String converted(Matcher matcher, Value value, Work work) {
        String flags = matcher.group(1);
        int precision = matcher.group(3) == null
                ? -1
                : matcher.group(3).isEmpty() ? 0 : Integer.parseInt(matcher.group(3));
        String kind = matcher.group(4);
        boolean textual = kind.equals("s") || kind.equals("r");
        String body = switch (kind) {
            case "s" -> cut(Types.text(value, work), precision);
            case "r" -> cut(Types.spelled(value, work), precision);
            case "d", "i" -> whole(value, flags, precision, 10);
            case "x" -> whole(value, flags, precision, 16);
            case "f" -> signed(fixed(Operators.doubleOf(value), precision < 0 ? 6 : precision), flags);
            default -> throw JinjaException.unsupported("the format %" + kind);
        };
        if (flags.contains("#")) {
            throw JinjaException.unsupported("the format flag #");
        }
        int width = matcher.group(2).isEmpty() ? 0 : Integer.parseInt(matcher.group(2));
        int missing = Math.max(0, width - Strings.length(body));
        if (flags.contains("-")) {
            return body + " ".repeat(missing);
        }
        if (flags.contains("0") && !textual) {
            int sign = body.startsWith("-") || body.startsWith("+") || body.startsWith(" ") ? 1 : 0;
            return body.substring(0, sign) + "0".repeat(missing) + body.substring(sign);
        }
        return " ".repeat(missing) + body;
    }

    private static String cut(String text, int precision) {
        return precision < 0 || precision >= Strings.length(text)
                ? text
                : text.substring(0, text.offsetByCodePoints(0, precision));
    }

    private static String whole(Value value, String flags, int precision, int radix) {
        if (precision >= 0 || radix != 10 && value instanceof Value.Real) {
            throw JinjaException.unsupported("the format of a whole number with a precision");
        }
        BigInteger number = value instanceof Value.Real f && Double.isFinite(f.value())
                ? new BigDecimal(f.value()).toBigInteger()
                : Operators.wholeOf(value);
        return signed(number.toString(radix), flags);
    }

    private static String signed(String number, String flags) {
        return number.startsWith("-")
                ? number
                : (flags.contains("+") ? "+" : flags.contains(" ") ? " " : "") + number;
    }

    private static String fixed(double value, int digits) {
        if (!Double.isFinite(value)) {
            return Strings.number(value);
        }
        String magnitude = new BigDecimal(Math.abs(value)).setScale(digits, RoundingMode.HALF_EVEN).toPlainString();
        return (value < 0 || 1 / value < 0 ? "-" : "") + magnitude;
    }

    /** {@code format.format(…)}, with {@code {}}, {@code {0}} and {@code {name}}. */
    static String braces(String format, Arguments arguments, Work work) {
        StringBuilder out = new StringBuilder();
        Matcher matcher = BRACES.matcher(format);
        int next = 0;
        int from = 0;
        while (matcher.find()) {
            out.append(format, from, matcher.start());
            from = matcher.end();
            String field = matcher.group(1);
            if (field == null) {
                if (matcher.group().length() == 1) {
                    throw JinjaException.unsupported("a format field with anything but a number or a name");
                }
                out.append(matcher.group().charAt(0));
                continue;
            }
            boolean isNumber = field.isEmpty() || field.chars().allMatch(c -> c >= '0' && c <= '9');
            Value value;
            if (isNumber) {
                int index = field.isEmpty() ? next++ : field.length() > 6 ? Integer.MAX_VALUE : Integer.parseInt(field);
                value = index < arguments.positional().size() ? arguments.positional().get(index) : null;
            } else {
                value = arguments.named().get(field);
            }
            if (value == null) {
                throw new JinjaException("no value for the format field {" + field + "}");
            }
            out.append(Types.text(value, work));
            work.text(out.length() > Work.MAX_TEXT ? out.length() : 0);
        }
        return out.append(format, from, format.length()).toString();
    }
}
