package org.spin4j.training;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** Reads the {@link Key} annotations of {@link TrainConfig} and does everything that follows from them. */
final class ConfigKeys {
    private static final List<ConfigKey> KEYS = Arrays.stream(TrainConfig.class.getRecordComponents())
            .map(ConfigKey::of).toList();

    private ConfigKeys() {}

    /**
     * One value that somebody set.
     *
     * @param key the key as it was written
     * @param items the value, as written; several where it is a list
     * @param where "in FILE:LINE" or "on the command line"
     */
    record Setting(String key, List<String> items, String where) {}

    static TrainConfig.Loaded load(Method method, Optional<Path> file, List<String> overrides) {
        List<Setting> settings = new ArrayList<>();
        file.ifPresent(f -> settings.addAll(ConfigYaml.read(f)));
        overrides.forEach(o -> settings.add(fromOverride(o)));
        Map<String, Object> values = parse(settings, Optional.of(method));
        TrainConfig config = build(values, Optional.of(method));
        if (method != Method.SFT) {
            for (int i = 0; i <= config.iterationBetas().size(); i++) {
                config.pairLoss(i);
            }
        }
        if (config.maxPromptLength() >= config.maxLength()) {
            throw BadInputException.of("expected max_prompt_length < max_length (%d), found %d; change one of them",
                    config.maxLength(), config.maxPromptLength());
        }
        List<String> unused = KEYS.stream()
                .filter(k -> values.containsKey(k.name()) && !List.of(k.key().use()).contains(method))
                .map(ConfigKey::name).toList();
        return new TrainConfig.Loaded(config, unused);
    }

    static TrainConfig override(TrainConfig config, List<String> overrides) {
        Map<String, Object> values = new LinkedHashMap<>();
        KEYS.forEach(k -> values.put(k.name(), k.get(config)));
        values.putAll(parse(overrides.stream().map(ConfigKeys::fromOverride).toList(), Optional.empty()));
        return build(values, Optional.empty());
    }

    /** Values over the defaults of a command. */
    static TrainConfig build(Map<String, Object> values, Optional<Method> method) {
        Object[] arguments = KEYS.stream()
                .map(k -> values.containsKey(k.name()) ? values.get(k.name()) : k.initial(method)).toArray();
        try {
            Class<?>[] types = KEYS.stream().map(k -> k.component().getType()).toArray(Class<?>[]::new);
            return TrainConfig.class.getDeclaredConstructor(types).newInstance(arguments);
        } catch (InvocationTargetException e) {
            throw new IllegalStateException("the constructor of TrainConfig refused checked values", e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("TrainConfig has no constructor for its own components", e);
        }
    }

    static List<String> names() {
        return KEYS.stream().map(ConfigKey::name).toList();
    }

    static Object value(TrainConfig config, String key) {
        return find(new Setting(key, List.of(), "in the program")).get(config);
    }

    static Map<String, String> texts(TrainConfig config, boolean onlyShapingResult) {
        Map<String, String> texts = new LinkedHashMap<>();
        KEYS.stream().filter(k -> k.key().shapesResult() || !onlyShapingResult)
                .forEach(k -> texts.put(k.name(), k.text(k.get(config))));
        return texts;
    }

    static String help(Optional<Method> method) {
        StringBuilder help = new StringBuilder();
        for (ConfigKey k : KEYS) {
            List<Method> use = List.of(k.key().use());
            if (method.isPresent() && !use.contains(method.get())) {
                continue;
            }
            help.append(String.format(Locale.ROOT, "%-28s %s%n", k.name(), k.key().help()));
            String users = use.size() == Method.values().length || method.isPresent()
                    ? ""
                    : "; " + use.stream().map(Method::command).collect(Collectors.joining(", ")) + " only";
            String initial = k.initialText(method).isEmpty() ? "not set" : k.initialText(method);
            help.append(String.format(Locale.ROOT, "%-28s   %s (default: %s%s)%n", "", k.expected(), initial, users));
        }
        return help.toString();
    }

    private static Setting fromOverride(String override) {
        int equals = override.indexOf('=');
        if (equals < 1) {
            throw BadInputException.of(
                    "expected key=value, found '%s' on the command line; write for instance learning_rate=1e-4",
                    BadInputException.excerpt(override));
        }
        String text = override.substring(equals + 1).strip();
        String list = text.startsWith("[") && text.endsWith("]") ? text.substring(1, text.length() - 1) : text;
        String key = override.substring(0, equals).strip();
        boolean isList = KEYS.stream().anyMatch(k -> k.name().equals(key) && k.isList());
        List<String> items = isList ? Arrays.stream(list.split(",", -1)).map(String::strip).toList() : List.of(text);
        return new Setting(key, items.equals(List.of("")) ? List.of() : items, "on the command line");
    }

    private static Map<String, Object> parse(List<Setting> settings, Optional<Method> method) {
        Map<String, Object> values = new LinkedHashMap<>();
        for (Setting setting : settings) {
            ConfigKey key = find(setting);
            values.put(key.name(), key.parse(setting, method));
        }
        return values;
    }

    private static ConfigKey find(Setting setting) {
        for (ConfigKey k : KEYS) {
            if (k.name().equals(setting.key())) {
                return k;
            }
        }
        String nearest = Spelling.nearest(setting.key(), names()).orElseThrow();
        throw BadInputException.of("expected a known key, found '%s' %s; the nearest is %s",
                BadInputException.excerpt(setting.key()), setting.where(), nearest);
    }

    /** The name of a component in snake_case: {@code adamBeta1} becomes {@code adam_beta1}. */
    static String snakeCase(RecordComponent component) {
        return component.getName().replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
    }
}
