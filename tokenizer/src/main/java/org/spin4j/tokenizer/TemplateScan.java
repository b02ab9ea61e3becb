package org.spin4j.tokenizer;

import java.util.LinkedHashSet;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Looks through a Jinja template, before it is rendered, for what the engine would pass over in silence. */
final class TemplateScan {
    private static final Pattern FILTER = Pattern.compile("\\|\\s*(\\w+)");
    private static final Pattern FILTERED_LOOP = Pattern.compile("^[-+]?\\s*for\\b(?=.*\\bif\\b)(?!.*\\belse\\b).*");
    private static final Pattern RECURSIVE_LOOP = Pattern.compile("^[-+]?\\s*for\\b.*\\brecursive\\b.*");

    private TemplateScan() {}

    /**
     * The names of the filters that a template uses.
     *
     * @throws TokenizerException if it has a construct that is known to come out wrong
     */
    static Set<String> filters(String source, String name) {
        Set<String> filters = new LinkedHashSet<>();
        int pos = 0;
        while (true) {
            int open = source.indexOf('{', pos);
            if (open < 0 || open + 1 == source.length()) {
                return filters;
            }
            char kind = source.charAt(open + 1);
            pos = open + 1;
            if (kind == '#') {
                int close = source.indexOf("#}", open + 2);
                pos = close < 0 ? source.length() : close + 2;
            } else if (kind == '{' || kind == '%') {
                StringBuilder code = new StringBuilder();
                pos = code(source, open + 2, kind == '{' ? "}}" : "%}", code);
                String text = code.toString().replace('\n', ' ');
                if (kind == '%' && (FILTERED_LOOP.matcher(text).matches() || RECURSIVE_LOOP.matcher(text).matches())) {
                    int line = (int) source.substring(0, open).chars().filter(c -> c == '\n').count() + 1;
                    throw new TokenizerException("expected a template of supported constructs, found \"" + text.strip()
                            + "\" in " + name + ":" + line
                            + "; loops with a condition or recursion are not supported, rewrite it with an if inside the loop");
                }
                Matcher matcher = FILTER.matcher(text);
                while (matcher.find()) {
                    filters.add(matcher.group(1));
                }
            }
        }
    }

    /** Copies the code of one tag, its strings left empty; returns where it ends. */
    private static int code(String source, int from, String close, StringBuilder code) {
        int pos = from;
        while (pos < source.length() && !source.startsWith(close, pos)) {
            char c = source.charAt(pos++);
            code.append(c);
            if (c == '\'' || c == '"') {
                while (pos < source.length() && source.charAt(pos) != c) {
                    pos += source.charAt(pos) == '\\' ? 2 : 1;
                }
                code.append(c);
                pos++;
            }
        }
        return pos;
    }
}
