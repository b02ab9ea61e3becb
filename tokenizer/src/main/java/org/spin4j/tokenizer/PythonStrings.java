package org.spin4j.tokenizer;

import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.lib.filter.Filter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import jinjava.javax.el.ELContext;
import jinjava.javax.el.ELException;
import jinjava.javax.el.ELResolver;

/**
 * Python's methods on strings, for templates: written for Jinja, they call {@code text.startswith(…)} and mean Python's idea of white
 * space. Without this, Java's methods of the same name would answer, and some of them differently.
 */
final class PythonStrings extends ELResolver {
    /** Python's {@code str.strip()} as a filter. */
    record Trim() implements Filter {
        @Override
        public String getName() {
            return "trim";
        }

        @Override
        public Object filter(Object value, JinjavaInterpreter interpreter, String... args) {
            if (args.length > 0) {
                throw new ELException("the filter trim with an argument is not supported");
            }
            return value == null ? "" : strip(value.toString(), null, true, true);
        }
    }

    @Override
    public Object invoke(ELContext context, Object base, Object method, Class<?>[] types, Object[] args) {
        if (!(base instanceof String text)) {
            return null;
        }
        context.setPropertyResolved(true);
        String name = String.valueOf(method);
        String[] given = new String[args.length];
        for (int i = 0; i < args.length; i++) {
            if (!(args[i] instanceof String)) {
                throw new ELException("the string method " + name + " with " + args[i] + " is not supported");
            }
            given[i] = (String) args[i];
        }
        String only = given.length == 1 ? given[0] : null;
        return switch (name + "/" + given.length) {
            case "strip/0", "strip/1" -> strip(text, only, true, true);
            case "lstrip/0", "lstrip/1" -> strip(text, only, true, false);
            case "rstrip/0", "rstrip/1" -> strip(text, only, false, true);
            case "startswith/1" -> text.startsWith(only);
            case "endswith/1" -> text.endsWith(only);
            case "upper/0" -> text.toUpperCase(Locale.ROOT);
            case "lower/0" -> text.toLowerCase(Locale.ROOT);
            case "replace/2" -> text.replace(given[0], given[1]);
            case "split/1" -> split(text, only);
            default -> throw new ELException(
                    "the string method " + name + " with " + given.length + " arguments is not supported");
        };
    }

    static String strip(String text, String chars, boolean left, boolean right) {
        int from = 0;
        int to = text.length();
        while (left && from < to && stripped(text.charAt(from), chars)) {
            from++;
        }
        while (right && to > from && stripped(text.charAt(to - 1), chars)) {
            to--;
        }
        return text.substring(from, to);
    }

    private static boolean stripped(char c, String chars) {
        return chars == null ? WordPattern.isSpace(c) || c >= 0x1C && c <= 0x1F : chars.indexOf(c) >= 0;
    }

    private static List<String> split(String text, String separator) {
        if (separator.isEmpty()) {
            throw new ELException("splitting by an empty string is not possible");
        }
        List<String> parts = new ArrayList<>();
        int from = 0;
        for (int at = text.indexOf(separator); at >= 0; at = text.indexOf(separator, from)) {
            parts.add(text.substring(from, at));
            from = at + separator.length();
        }
        parts.add(text.substring(from));
        return parts;
    }

    @Override
    public Object getValue(ELContext context, Object base, Object property) {
        return null;
    }

    @Override
    public Class<?> getType(ELContext context, Object base, Object property) {
        return null;
    }

    @Override
    public void setValue(ELContext context, Object base, Object property, Object value) {
        // Strings have no properties to set; another resolver answers.
    }

    @Override
    public boolean isReadOnly(ELContext context, Object base, Object property) {
        return true;
    }

    @Override
    public java.util.Iterator<java.beans.FeatureDescriptor> getFeatureDescriptors(ELContext context, Object base) {
        return java.util.Collections.emptyIterator();
    }

    @Override
    public Class<?> getCommonPropertyType(ELContext context, Object base) {
        return null;
    }
}
