package org.spin4j.tokenizer.jinja;

import java.util.HashMap;
import java.util.Map;

/** Variables that are visible at a place of a template: those set there, and those of the scope around. */
final class Scope {
    private final Map<String, Value> variables = new HashMap<>();
    private final Scope around;

    /** A scope within another; null for the outermost. */
    Scope(Scope around) {
        this.around = around;
    }

    /** The value of a variable, null if there is none of that name. */
    Value get(String name) {
        for (Scope scope = this; scope != null; scope = scope.around) {
            Value value = scope.variables.get(name);
            if (value != null) {
                return value;
            }
        }
        return null;
    }

    void set(String name, Value value) {
        variables.put(name, value);
    }
}
