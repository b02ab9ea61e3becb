package org.spin4j.training;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads a configuration file: one YAML mapping of keys to scalars or lists of scalars. Scalars stay text as it was written,
 * because what a number is, is decided by the key and not by YAML (which reads {@code 1e-4} as a string).
 */
final class ConfigYaml {
    /** A configuration is a page long; a larger file is a mistake and is not read into memory. */
    private static final long LONGEST = 1 << 20;
    private static final YAMLFactory YAML = YAMLFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();

    private ConfigYaml() {}

    static List<ConfigKeys.Setting> read(Path file) {
        try {
            if (Files.size(file) > LONGEST) {
                throw BadInputException.of(
                        "expected a configuration of at most 1 MiB, found %d bytes in %s; is it another file?",
                        Files.size(file), file);
            }
            return parse(Files.readString(file), file);
        } catch (NoSuchFileException e) {
            throw new BadInputException("expected a configuration file, found nothing at " + file
                    + "; check the path after --config", e);
        } catch (CharacterCodingException e) {
            throw new BadInputException("expected UTF-8 text, found other bytes in " + file + "; is it another file?",
                    e);
        } catch (JsonProcessingException e) {
            int line = e.getLocation() == null ? 1 : e.getLocation().getLineNr();
            throw new BadInputException(
                    "expected YAML, found " + BadInputException.excerpt(firstLine(e)) + " in " + file
                            + ":" + line + "; write one 'key: value' per line",
                    e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<ConfigKeys.Setting> parse(String text, Path file) throws IOException {
        List<ConfigKeys.Setting> settings = new ArrayList<>();
        try (YAMLParser parser = YAML.createParser(text)) {
            JsonToken token = parser.nextToken();
            if (token == null) {
                return settings;
            }
            expect(token == JsonToken.START_OBJECT, "a mapping of keys to values", parser, file);
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String key = parser.currentName();
                String where = "in " + file + ":" + parser.currentTokenLocation().getLineNr();
                settings.add(new ConfigKeys.Setting(key, items(parser, key, file), where));
            }
            expect(parser.nextToken() == null, "one YAML document", parser, file);
        }
        return settings;
    }

    private static List<String> items(YAMLParser parser, String key, Path file) throws IOException {
        JsonToken token = parser.nextToken();
        if (token == JsonToken.VALUE_NULL) {
            return List.of();
        }
        if (token != JsonToken.START_ARRAY) {
            return List.of(scalar(parser, key, file));
        }
        List<String> items = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            items.add(scalar(parser, key, file));
        }
        return items;
    }

    private static String scalar(YAMLParser parser, String key, Path file) throws IOException {
        boolean plain = parser.currentToken().isScalarValue() && parser.currentToken() != JsonToken.VALUE_NULL
                && !parser.isCurrentAlias();
        expect(plain, "a value or a list of values for " + BadInputException.excerpt(key), parser, file);
        return parser.getText();
    }

    private static void expect(boolean met, String what, JsonParser parser, Path file) {
        if (!met) {
            throw BadInputException.of("expected %s, found %s in %s:%d; write one 'key: value' per line", what,
                    describe(parser.currentToken()), file, parser.currentTokenLocation().getLineNr());
        }
    }

    private static String describe(JsonToken token) {
        return switch (token) {
            case START_OBJECT -> "a mapping";
            case START_ARRAY -> "a list";
            case null -> "the end of the file";
            default -> "something else";
        };
    }

    private static String firstLine(JsonProcessingException e) {
        return e.getOriginalMessage().lines().findFirst().orElse("something else");
    }
}
