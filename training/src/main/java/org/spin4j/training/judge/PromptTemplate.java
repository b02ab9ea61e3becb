package org.spin4j.training.judge;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.spin4j.training.BadInputException;
import org.spin4j.training.Spelling;

/**
 * Text with places for values, written {@code {{ name }}}. Values are put in once: what looks like a place inside a value stays as it is.
 */
public final class PromptTemplate {
    private static final Pattern PLACE = Pattern.compile("\\{\\{\\s*+([A-Za-z0-9_]++)\\s*+\\}\\}");
    private static final long MOST_BYTES = 1 << 20;

    private final String text;

    private PromptTemplate(String text) {
        this.text = text;
    }

    /**
     * A template from a text.
     *
     * @param names of all its places, each at least once
     * @param where it comes from, for messages
     * @throws BadInputException if a place is missing or unknown
     */
    public static PromptTemplate of(String text, List<String> names, String where) {
        Set<String> found = new TreeSet<>();
        Matcher places = PLACE.matcher(text);
        while (places.find()) {
            found.add(places.group(1));
        }
        for (String name : found) {
            if (!names.contains(name)) {
                throw BadInputException.of(
                        "expected the places %s in a prompt, found {{ %s }} in %s; the nearest is {{ %s }}",
                        list(names), BadInputException.excerpt(name), where,
                        Spelling.nearest(name, names).orElseThrow());
            }
        }
        for (String name : names) {
            if (!found.contains(name)) {
                throw BadInputException.of(
                        "expected the places %s in a prompt, found no {{ %s }} in %s; write it where it belongs",
                        list(names), name, where);
            }
        }
        return new PromptTemplate(text);
    }

    /** The same from a UTF-8 file of at most 1 MiB. */
    public static PromptTemplate read(Path file, List<String> names) {
        try {
            long size = Files.isRegularFile(file) ? Files.size(file) : -1;
            if (size < 0 || size > MOST_BYTES) {
                throw BadInputException.of(
                        "expected a text file of at most %d bytes with a prompt, found %s at %s; check the path",
                        MOST_BYTES, size < 0 ? "no file" : size + " bytes", file);
            }
            return of(Files.readString(file, StandardCharsets.UTF_8), names, file.toString());
        } catch (CharacterCodingException e) {
            throw new BadInputException("expected UTF-8, found other bytes in " + file + "; convert the file to UTF-8",
                    e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * The text with a value in each place.
     *
     * @param values by name, one for each
     */
    public String render(Map<String, String> values) {
        return PLACE.matcher(text).replaceAll(place -> Matcher.quoteReplacement(values.get(place.group(1))));
    }

    /** The text with its places. */
    @Override
    public String toString() {
        return text;
    }

    private static String list(Collection<String> names) {
        return names.stream().map(name -> "{{ " + name + " }}").collect(Collectors.joining(", "));
    }
}
