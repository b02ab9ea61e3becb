package org.spin4j.tokenizer.jinja;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.function.BiPredicate;
import java.util.function.IntPredicate;
import java.util.function.UnaryOperator;

/** Methods of Python's {@code str}. */
final class StringMethods {
    private StringMethods() {}

    /** What a method does to a text, null if there is no such method here. */
    static Value.Func.Body of(String text, String name, Work work) {
        return switch (name) {
            case "strip" -> strip(text, name, true, true);
            case "lstrip" -> strip(text, name, true, false);
            case "rstrip" -> strip(text, name, false, true);
            case "upper" -> mapped(text, name, work, Strings::upper);
            case "lower" -> mapped(text, name, work, Strings::lower);
            case "title" -> mapped(text, name, work, Strings::title);
            case "capitalize" -> mapped(text, name, work, Strings::capitalize);
            case "swapcase" -> mapped(text, name, work, StringMethods::swapCase);
            case "startswith" -> affix(text, name, String::startsWith);
            case "endswith" -> affix(text, name, String::endsWith);
            case "removeprefix" -> arguments -> {
                String prefix = string(name, arguments.bind(name, 1, "prefix")[0]);
                return new Value.Str(text.startsWith(prefix) ? text.substring(prefix.length()) : text);
            };
            case "removesuffix" -> arguments -> {
                String suffix = string(name, arguments.bind(name, 1, "suffix")[0]);
                return new Value.Str(
                        text.endsWith(suffix) ? text.substring(0, text.length() - suffix.length()) : text);
            };
            case "split" -> arguments -> split(text, name, arguments, work, false);
            case "rsplit" -> arguments -> split(text, name, arguments, work, true);
            case "splitlines" -> arguments -> {
                Value keep = arguments.bind(name, 0, "keepends")[0];
                return strings(Strings.lines(text, keep != null && Operators.truth(keep)), work);
            };
            case "partition" -> arguments -> partition(text, name, arguments, false);
            case "rpartition" -> arguments -> partition(text, name, arguments, true);
            case "replace" -> arguments -> {
                Value[] given = arguments.bind(name, 2, "old", "new", "count");
                return new Value.Str(
                        replace(text, string(name, given[0]), string(name, given[1]), integer(given[2], -1), work));
            };
            case "join" -> arguments -> join(text, arguments.bind(name, 1, "iterable")[0], work);
            case "find", "index" -> position(text, name, work, String::indexOf);
            case "rfind", "rindex" -> position(text, name, work, String::lastIndexOf);
            case "count" -> arguments -> {
                String part = string(name, noLimits(name, arguments));
                work.step(text.length());
                return Value.Int.of(part.isEmpty()
                        ? Strings.length(text) + 1
                        : splitAt(text, part, -1, false).size() - 1);
            };
            case "format" -> arguments -> new Value.Str(Formats.braces(text, arguments, work));
            case "zfill", "center", "ljust", "rjust" -> arguments -> padded(text, name, arguments, work);
            case "isspace" -> all(text, name, Strings::isSpace);
            case "isalpha" -> all(text, name, Character::isLetter);
            case "isascii" -> arguments -> Value.Bool.of(text.chars().allMatch(c -> c < 0x80));
            case "isdigit" -> all(text, name, c -> plainDigit(c, name));
            case "isalnum" -> all(text, name, c -> Character.isLetter(c) || Character.isDigit(c)
                    || Character.getType(c) == Character.OTHER_NUMBER
                    || Character.getType(c) == Character.LETTER_NUMBER);
            case "isupper" -> arguments -> Value.Bool.of(
                    text.codePoints().anyMatch(Character::isUpperCase) && text.codePoints()
                            .noneMatch(c -> Character.isLowerCase(c) || Character.isTitleCase(c)));
            case "islower" -> arguments -> Value.Bool.of(
                    text.codePoints().anyMatch(Character::isLowerCase) && text.codePoints()
                            .noneMatch(c -> Character.isUpperCase(c) || Character.isTitleCase(c)));
            default -> null;
        };
    }

    private static Value.Func.Body strip(String text, String name, boolean left, boolean right) {
        return arguments -> {
            Value chars = arguments.bind(name, 0, "chars")[0];
            return new Value.Str(Strings.strip(text,
                    chars == null || chars == Value.None.NONE ? null : string(name, chars), left, right));
        };
    }

    private static Value.Func.Body mapped(String text, String name, Work work, UnaryOperator<String> mapping) {
        return arguments -> {
            arguments.bind(name, 0);
            work.text(text.length());
            return new Value.Str(mapping.apply(text));
        };
    }

    private static String swapCase(String text) {
        Strings.oneByOne("swapcase", text);
        StringBuilder out = new StringBuilder();
        text.codePoints().mapToObj(Character::toString).forEach(
                c -> out.append(Character.isUpperCase(c.codePointAt(0)) ? Strings.lower(c) : Strings.upper(c)));
        return out.toString();
    }

    private static Value.Func.Body affix(String text, String name, BiPredicate<String, String> test) {
        return arguments -> {
            Value wanted = noLimits(name, arguments);
            List<Value> any = wanted instanceof Value.Tuple several ? several.items() : List.of(wanted);
            return Value.Bool.of(any.stream().anyMatch(one -> test.test(text, string(name, one))));
        };
    }

    private static Value noLimits(String name, Arguments arguments) {
        if (arguments.positional().size() > 1) {
            throw JinjaException.unsupported("the method " + name + " with limits");
        }
        return arguments.bind(name, 1, "sub")[0];
    }

    private static Value.Func.Body position(String text, String name, Work work,
            java.util.function.ToIntBiFunction<String, String> search) {
        return arguments -> {
            String part = string(name, noLimits(name, arguments));
            work.step(text.length());
            int at = search.applyAsInt(text, part);
            if (at < 0 && name.endsWith("index")) {
                throw new JinjaException("the substring was not found");
            }
            return Value.Int.of(at < 0 ? -1 : text.codePointCount(0, at));
        };
    }

    private static Value split(String text, String name, Arguments arguments, Work work, boolean fromRight) {
        Value[] given = arguments.bind(name, 0, "sep", "maxsplit");
        int most = integer(given[1], -1);
        if (given[0] == null || given[0] == Value.None.NONE) {
            return strings(splitAtSpace(text, most, fromRight), work);
        }
        String separator = string(name, given[0]);
        if (separator.isEmpty()) {
            throw new JinjaException("an empty separator");
        }
        return strings(splitAt(text, separator, most, fromRight), work);
    }

    private static List<String> splitAt(String text, String separator, int most, boolean fromRight) {
        List<String> parts = new ArrayList<>();
        int from = 0;
        int end = text.length();
        for (int i = 0; i != most; i++) {
            int at = fromRight
                    ? end < separator.length() ? -1 : text.lastIndexOf(separator, end - separator.length())
                    : text.indexOf(separator, from);
            if (at < 0) {
                break;
            }
            parts.add(fromRight ? text.substring(at + separator.length(), end) : text.substring(from, at));
            from = fromRight ? 0 : at + separator.length();
            end = fromRight ? at : end;
        }
        parts.add(text.substring(from, end));
        if (fromRight) {
            Collections.reverse(parts);
        }
        return parts;
    }

    private static List<String> splitAtSpace(String text, int most, boolean fromRight) {
        List<String> parts = new ArrayList<>();
        String rest = Strings.strip(text, null, !fromRight, fromRight);
        while (!rest.isEmpty()) {
            int cut = parts.size() == most ? -1 : spaceIn(rest, fromRight);
            if (cut < 0) {
                parts.add(rest);
                break;
            }
            parts.add(fromRight ? rest.substring(cut + 1) : rest.substring(0, cut));
            rest = fromRight
                    ? Strings.strip(rest.substring(0, cut), null, false, true)
                    : Strings.strip(rest.substring(cut), null, true, false);
        }
        if (fromRight) {
            Collections.reverse(parts);
        }
        return parts;
    }

    private static int spaceIn(String text, boolean last) {
        for (int i = 0; i < text.length(); i++) {
            int at = last ? text.length() - 1 - i : i;
            if (Strings.isSpace(text.charAt(at))) {
                return at;
            }
        }
        return -1;
    }

    private static Value partition(String text, String name, Arguments arguments, boolean last) {
        String separator = string(name, arguments.bind(name, 1, "sep")[0]);
        if (separator.isEmpty()) {
            throw new JinjaException("an empty separator");
        }
        int at = last ? text.lastIndexOf(separator) : text.indexOf(separator);
        List<String> parts = at < 0
                ? last ? List.of("", "", text) : List.of(text, "", "")
                : List.of(text.substring(0, at), separator, text.substring(at + separator.length()));
        return new Value.Tuple(parts.stream().map(part -> (Value) new Value.Str(part)).toList());
    }

    /** {@code str.replace}; a negative count means all. */
    static String replace(String text, String old, String with, int count, Work work) {
        StringBuilder out = new StringBuilder();
        int from = 0;
        int done = 0;
        while (done != count) {
            // An empty text is found before each character and at the end.
            int at = old.isEmpty() && done > 0
                    ? from < text.length() ? from + Character.charCount(text.codePointAt(from)) : -1
                    : text.indexOf(old, from);
            if (at < 0) {
                break;
            }
            out.append(text, from, at).append(with);
            work.text(with.length() + 1L);
            from = at + old.length();
            done++;
        }
        work.text(text.length());
        if (out.length() > Work.MAX_TEXT) {
            work.text(out.length());
        }
        return out.append(text, from, text.length()).toString();
    }

    private static Value join(String separator, Value items, Work work) {
        StringBuilder out = new StringBuilder();
        boolean first = true;
        for (Iterator<Value> all = Types.iterate(items); all.hasNext();) {
            if (!(all.next() instanceof Value.Str item)) {
                throw new JinjaException("join of something other than str");
            }
            out.append(first ? "" : separator).append(item.text());
            work.text(out.length() > Work.MAX_TEXT ? out.length() : item.text().length() + separator.length());
            first = false;
        }
        return new Value.Str(out.toString());
    }

    private static Value padded(String text, String name, Arguments arguments, Work work) {
        Value[] given = arguments.bind(name, 1, "width", "fillchar");
        int missing = Math.max(0, integer(given[0], 0) - Strings.length(text));
        String fill = given[1] == null ? " " : string(name, given[1]);
        if (Strings.length(fill) != 1) {
            throw new JinjaException("padding of other than one character");
        }
        work.text((long) missing + text.length());
        int width = missing + Strings.length(text);
        return new Value.Str(switch (name) {
            case "ljust" -> text + fill.repeat(missing);
            case "rjust" -> fill.repeat(missing) + text;
            case "zfill" -> {
                boolean sign = text.startsWith("-") || text.startsWith("+");
                yield (sign ? text.substring(0, 1) : "") + "0".repeat(missing) + (sign ? text.substring(1) : text);
            }
            default -> {
                int left = missing / 2 + (missing & width & 1);
                yield fill.repeat(left) + text + fill.repeat(missing - left);
            }
        });
    }

    private static Value.Func.Body all(String text, String name, IntPredicate test) {
        return arguments -> {
            arguments.bind(name, 0);
            return Value.Bool.of(!text.isEmpty() && text.codePoints().allMatch(test));
        };
    }

    private static boolean plainDigit(int c, String name) {
        if (Character.getType(c) == Character.OTHER_NUMBER) {
            throw JinjaException.unsupported("the method " + name + " of superscript or circled digits");
        }
        return Character.isDigit(c);
    }

    static Value strings(List<String> parts, Work work) {
        work.items(parts.size());
        return new Value.Lst(parts.stream().map(part -> (Value) new Value.Str(part)).toList());
    }

    static String string(String callee, Value value) {
        Operators.defined(value);
        if (value instanceof Value.Str text) {
            return text.text();
        }
        throw new JinjaException(callee + " needs a str, found " + Types.name(value));
    }

    static int integer(Value value, int absent) {
        if (value == null) {
            return absent;
        }
        return Operators.wholeOf(value).min(java.math.BigInteger.valueOf(Integer.MAX_VALUE))
                .max(java.math.BigInteger.valueOf(Integer.MIN_VALUE)).intValue();
    }
}
