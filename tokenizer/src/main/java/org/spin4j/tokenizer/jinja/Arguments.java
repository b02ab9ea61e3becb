package org.spin4j.tokenizer.jinja;

import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** The values that a call gives to a function. */
record Arguments(List<Value> positional, Map<String, Value> named) {
    static final Arguments NONE = new Arguments(List.of(), Map.of());

    static Arguments of(Value... values) {
        return new Arguments(List.of(values), Map.of());
    }

    /**
     * The values by parameter, null for one that is not given.
     *
     * @param callee who asks, for messages
     * @param required how many of the parameters must be given
     */
    Value[] bind(String callee, int required, String... parameters) {
        Value[] bound = new Value[parameters.length];
        if (positional.size() > parameters.length) {
            throw new JinjaException(
                    callee + " takes at most " + parameters.length + " arguments, found " + positional.size());
        }
        for (int i = 0; i < positional.size(); i++) {
            bound[i] = positional.get(i);
        }
        TreeSet<String> unknown = new TreeSet<>(named.keySet());
        for (int i = 0; i < parameters.length; i++) {
            Value value = named.get(parameters[i]);
            unknown.remove(parameters[i]);
            if (value != null && bound[i] != null) {
                throw new JinjaException(callee + " was given " + parameters[i] + " twice");
            }
            bound[i] = value == null ? bound[i] : value;
            if (i < required && bound[i] == null) {
                throw new JinjaException(callee + " needs " + parameters[i]);
            }
        }
        if (!unknown.isEmpty()) {
            throw new JinjaException(callee + " takes no argument " + unknown.first());
        }
        return bound;
    }

    /** These without the first, which must be there. */
    Arguments afterFirst() {
        return new Arguments(positional.subList(1, positional.size()), named);
    }
}
