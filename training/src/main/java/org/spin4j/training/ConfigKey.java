package org.spin4j.training;

import java.lang.reflect.RecordComponent;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * One component of {@link TrainConfig} as a key: how its value is read from text, checked, and written back.
 *
 * @param name the key, in snake_case
 * @param component the record component that holds the value
 * @param key its annotation
 */
record ConfigKey(String name, RecordComponent component, Key key) {
    /** Decimal numbers with an exponent or not; unlike YAML 1.1 this takes 1e-4 for a number, as everyone means it. */
    private static final Pattern NUMBER = Pattern.compile("[+-]?(\\d+(_\\d+)*)?(\\.\\d*)?([eE][+-]?\\d{1,4})?");

    static ConfigKey of(RecordComponent component) {
        return new ConfigKey(ConfigKeys.snakeCase(component), component, component.getAnnotation(Key.class));
    }

    Object get(TrainConfig config) {
        try {
            return component.getAccessor().invoke(config);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("TrainConfig has no accessor " + component.getName(), e);
        }
    }

    /** The default as one would write it, for a command where it is known which. */
    String initialText(Optional<Method> method) {
        boolean own = method.isPresent() && method.get() == Method.SELF_REWARD && !key.selfReward().isEmpty();
        return own ? key.selfReward() : key.initial();
    }

    /** The default. */
    Object initial(Optional<Method> method) {
        String text = initialText(method);
        return parse(new ConfigKeys.Setting(name, text.isEmpty() ? List.of() : List.of(text), "in the list of keys"),
                method);
    }

    /** The value of a setting; the default where nothing is written behind the key. */
    Object parse(ConfigKeys.Setting setting, Optional<Method> method) {
        List<String> items = setting.items();
        if (isList()) {
            return items.stream().map(item -> number(item, setting)).toList();
        }
        if (items.size() > 1) {
            throw wrong(setting, "a list");
        }
        if (items.isEmpty() && !isPath()) {
            return initial(method);
        }
        Class<?> type = component.getType();
        if (isPath()) {
            return items.isEmpty() || items.getFirst().isEmpty() ? Optional.empty() : Optional.of(path(setting));
        }
        String text = items.getFirst();
        if (type == int.class) {
            return (int) whole(text, setting, Integer.MIN_VALUE, Integer.MAX_VALUE);
        }
        if (type == long.class) {
            return whole(text, setting, Long.MIN_VALUE, Long.MAX_VALUE);
        }
        if (type == double.class) {
            return number(text, setting);
        }
        if (type == boolean.class) {
            return switch (text.toLowerCase(Locale.ROOT)) {
                case "true", "yes", "on" -> true;
                case "false", "no", "off" -> false;
                default -> throw wrong(setting, quoted(text));
            };
        }
        if (type.isEnum()) {
            return Arrays.stream(type.getEnumConstants()).filter(c -> choice(c).equals(text)).findFirst()
                    .orElseThrow(() -> wrong(setting, quoted(text)));
        }
        if (text.isEmpty()) {
            throw wrong(setting, "nothing");
        }
        return text;
    }

    /** The value as YAML. */
    String text(Object value) {
        return switch (value) {
            case Optional<?> optional -> optional.map(v -> "\"" + escaped(v.toString()) + "\"").orElse("null");
            case String s -> "\"" + escaped(s) + "\"";
            case Enum<?> e -> choice(e);
            case List<?> list -> list.stream().map(this::text).collect(Collectors.joining(", ", "[", "]"));
            // YAML 1.1 wants a sign in an exponent; Double.toString writes none for large numbers.
            case Double d -> d.toString().replaceFirst("E(\\d)", "E+$1").replace('E', 'e');
            default -> value.toString();
        };
    }

    /** What may be written behind the key, for messages and the help text. */
    String expected() {
        Class<?> type = component.getType();
        if (isPath()) {
            return "a path";
        }
        if (type == boolean.class) {
            return "true or false";
        }
        if (type.isEnum()) {
            return "one of " + Arrays.stream(type.getEnumConstants()).map(ConfigKey::choice)
                    .collect(Collectors.joining(", "));
        }
        if (type == String.class) {
            return "a word";
        }
        String kind = isList() ? "numbers" : type == double.class ? "a number" : "a whole number";
        String low = key.above() > Double.NEGATIVE_INFINITY
                ? " > " + plain(key.above())
                : key.min() > Double.NEGATIVE_INFINITY ? " >= " + plain(key.min()) : "";
        String high = key.below() < Double.POSITIVE_INFINITY
                ? " < " + plain(key.below())
                : key.max() < Double.POSITIVE_INFINITY ? " <= " + plain(key.max()) : "";
        return kind + low + (low.isEmpty() || high.isEmpty() ? "" : " and") + high;
    }

    boolean isList() {
        return component.getType() == List.class;
    }

    private boolean isPath() {
        return component.getType() == Optional.class;
    }

    private static String choice(Object constant) {
        return ((Enum<?>) constant).name().toLowerCase(Locale.ROOT);
    }

    private double number(String text, ConfigKeys.Setting setting) {
        if (!NUMBER.matcher(text).matches() || text.chars().noneMatch(Character::isDigit)) {
            throw wrong(setting, quoted(text));
        }
        double value;
        try {
            value = Double.parseDouble(text.replace("_", ""));
        } catch (NumberFormatException e) {
            throw wrong(setting, quoted(text), e);
        }
        return inRange(value, text, setting);
    }

    private long whole(String text, ConfigKeys.Setting setting, long lowest, long highest) {
        if (!NUMBER.matcher(text).matches()) {
            throw wrong(setting, quoted(text));
        }
        long value;
        try {
            value = Long.parseLong(text.replace("_", ""));
        } catch (NumberFormatException e) {
            throw wrong(setting, quoted(text), e);
        }
        if (value < lowest || value > highest) {
            throw wrong(setting, quoted(text));
        }
        inRange((double) value, text, setting);
        return value;
    }

    private double inRange(double value, String text, ConfigKeys.Setting setting) {
        boolean inside = value > key.above() && value >= key.min() && value < key.below() && value <= key.max();
        if (!inside || Double.isInfinite(value)) {
            throw wrong(setting, quoted(text));
        }
        return value;
    }

    private Path path(ConfigKeys.Setting setting) {
        try {
            return Path.of(setting.items().getFirst());
        } catch (InvalidPathException e) {
            throw wrong(setting, quoted(setting.items().getFirst()), e);
        }
    }

    private BadInputException wrong(ConfigKeys.Setting setting, String found) {
        return wrong(setting, found, null);
    }

    private BadInputException wrong(ConfigKeys.Setting setting, String found, Exception cause) {
        String example = key.initial().isEmpty() ? "leave " + name + " out" : "the default is " + key.initial();
        return new BadInputException(String.format(Locale.ROOT, "expected %s, found %s for %s %s; %s", expected(),
                found, name, setting.where(), example), cause);
    }

    private static String quoted(String text) {
        return "'" + BadInputException.excerpt(text) + "'";
    }

    private static String plain(double bound) {
        return bound == Math.rint(bound) ? Long.toString((long) bound) : Double.toString(bound);
    }

    private static String escaped(String text) {
        StringBuilder escaped = new StringBuilder();
        text.codePoints().forEach(c -> {
            if (c == '"' || c == '\\') {
                escaped.append('\\').appendCodePoint(c);
            } else if (c < 0x20 || c == 0x7F) {
                escaped.append(String.format(Locale.ROOT, "\\x%02X", c));
            } else {
                escaped.appendCodePoint(c);
            }
        });
        return escaped.toString();
    }
}
