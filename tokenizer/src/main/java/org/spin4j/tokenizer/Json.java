package org.spin4j.tokenizer;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.ObjectCodec;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.POJONode;
import com.fasterxml.jackson.databind.util.TokenBuffer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * A place in a JSON document that someone else wrote, with the words for saying what is wrong there.
 *
 * @param node the value
 * @param file what to call the document in a message
 * @param path where in it the value stands, such as {@code model.merges[3]}; empty for the whole document
 */
record Json(JsonNode node, String file, String path) {
    /** The largest known tokenizer.json is a tenth of this. */
    private static final long MAX_BYTES = 256L << 20;

    /** A vocabulary's keys are each met once: looking every one up among those met before, and interning it, takes longer than parsing. */
    private static final JsonFactory FACTORY = JsonFactory.builder()
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES).disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .build();
    static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    /** For trees made of other objects, and for writing: reading a tokenizer does without, since the first mapper takes a JVM a sixth of a second. */
    static final class Mapping {
        static final JsonMapper MAPPER = new JsonMapper(FACTORY);

        private Mapping() {}
    }

    static byte[] readFile(Path file) {
        try {
            long size = Files.size(file);
            if (size > MAX_BYTES) {
                throw new TokenizerException("expected at most " + MAX_BYTES + " bytes, found " + size + " in " + file
                        + "; is this the right file?");
            }
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new TokenizerException("expected a readable file, found " + e.getClass().getSimpleName() + " ("
                    + e.getMessage() + ") at " + file
                    + "; check the path and its permissions", e);
        }
    }

    static Json parse(byte[] bytes, String file) {
        return reading(file, () -> {
            try (JsonParser in = FACTORY.createParser(bytes)) {
                JsonNode node = in.nextToken() == null ? NODES.missingNode() : value(in, 0);
                if (in.nextToken() != null) {
                    throw new JsonParseException(in, "another value after the first");
                }
                if (!node.isObject()) {
                    throw new TokenizerException(
                            "expected a JSON object, found " + describe(node) + " in " + file + "; check the file");
                }
                return new Json(node, file, "");
            }
        });
    }

    /** All of a document that {@link #parse} has read before, as a tree, however large. */
    static JsonNode tree(byte[] bytes) {
        try {
            return Mapping.MAPPER.readTree(bytes);
        } catch (IOException e) {
            throw new IllegalStateException("a document that could be read no longer can", e);
        }
    }

    /** What reads JSON text. */
    @FunctionalInterface
    private interface Reading<T> {
        T read() throws IOException;
    }

    private static <T> T reading(String file, Reading<T> reading) {
        try {
            return reading.read();
        } catch (JsonProcessingException e) {
            int line = e.getLocation() == null ? 1 : e.getLocation().getLineNr();
            throw new TokenizerException(
                    "expected JSON, found \"" + e.getOriginalMessage() + "\" in " + file + ":" + line
                            + "; the file is damaged or cut short",
                    e);
        } catch (IOException e) {
            throw new TokenizerException(
                    "expected JSON text, found " + e.getMessage() + " in " + file + "; check the file", e);
        }
    }

    /**
     * The value that the parser stands at, as an ObjectMapper would read it. The parser bounds how deep a document may be nested.
     *
     * @param depth objects around the value
     */
    private static JsonNode value(JsonParser in, int depth) throws IOException {
        return switch (in.currentToken()) {
            case START_OBJECT -> {
                ObjectNode object = NODES.objectNode();
                while (in.nextToken() != JsonToken.END_OBJECT) {
                    String key = in.currentName();
                    JsonToken token = in.nextToken();
                    boolean large = depth == 1 && (token == JsonToken.START_OBJECT && key.equals("vocab")
                            || token == JsonToken.START_ARRAY && key.equals("merges"));
                    if (object.replace(key, large ? tokens(in) : value(in, depth + 1)) != null) {
                        throw secondTime(in, key);
                    }
                }
                yield object;
            }
            case START_ARRAY -> {
                ArrayNode array = NODES.arrayNode();
                while (in.nextToken() != JsonToken.END_ARRAY) {
                    array.add(value(in, depth + 1));
                }
                yield array;
            }
            case VALUE_STRING -> NODES.textNode(in.getText());
            case VALUE_NUMBER_INT -> switch (in.getNumberType()) {
                case INT -> NODES.numberNode(in.getIntValue());
                case LONG -> NODES.numberNode(in.getLongValue());
                default -> NODES.numberNode(in.getBigIntegerValue());
            };
            case VALUE_NUMBER_FLOAT -> NODES.numberNode(in.getDoubleValue());
            case VALUE_TRUE -> NODES.booleanNode(true);
            case VALUE_FALSE -> NODES.booleanNode(false);
            default -> NODES.nullNode();
        };
    }

    private static JsonParseException secondTime(JsonParser in, String key) {
        return new JsonParseException(in, "the key " + key + " for the second time");
    }

    /** The object or array that the parser stands at, which makes up most of a document: its tokens in a row, to be read one by one. */
    private static JsonNode tokens(JsonParser in) throws IOException {
        boolean object = in.currentToken() == JsonToken.START_OBJECT;
        TokenBuffer buffer = new TokenBuffer((ObjectCodec) null, false);
        buffer.copyCurrentStructure(in);
        return NODES.pojoNode(new Tokens(buffer, object));
    }

    private record Tokens(TokenBuffer buffer, boolean object) {}

    private Optional<Tokens> tokens() {
        return node instanceof POJONode pojo && pojo.getPojo() instanceof Tokens tokens
                ? Optional.of(tokens)
                : Optional.empty();
    }

    private JsonParser parser() {
        return tokens().map(tokens -> tokens.buffer().asParser()).orElseGet(node::traverse);
    }

    /** An entry of an object or array. */
    @FunctionalInterface
    interface Entry {
        /**
         * Is told of one entry after the other.
         *
         * @param key    an entry's key; null in an array
         * @param parser stands at the entry's value, and is to be left at its end
         */
        void read(String key, JsonParser parser) throws IOException;
    }

    /** Goes through the entries of an object without making a tree of them, however many there are. */
    void entries(Entry entry) {
        if (!node.isObject() && !tokens().map(Tokens::object).orElse(false)) {
            throw expected("an object");
        }
        each(entry);
    }

    /** Goes through the items of an array without making a tree of them, however many there are. */
    void elements(Entry entry) {
        if (!node.isArray() && tokens().map(Tokens::object).orElse(true)) {
            throw expected("an array");
        }
        each(entry);
    }

    private void each(Entry entry) {
        reading(file, () -> {
            try (JsonParser in = parser()) {
                in.nextToken();
                while (!in.nextToken().isStructEnd()) {
                    String key = in.currentName();
                    if (key != null) {
                        in.nextToken();
                    }
                    entry.read(key, in);
                }
                return null;
            }
        });
    }

    /** Complains of an entry, of which the parser has come to the value or, if that is an array, into it. */
    TokenizerException expected(String what, String at, JsonParser in) throws IOException {
        JsonNode found = in.currentToken().isScalarValue() && !in.getParsingContext().getParent().inArray()
                ? value(in, 2)
                : NODES.arrayNode();
        return new Json(found, file, path + at).expected(what);
    }

    /** The value at a key that must be there. */
    Json get(String key) {
        return find(key).orElseThrow(
                () -> new TokenizerException(
                        "expected a value at " + at(key) + ", found none in " + file + "; the file is incomplete"));
    }

    /** The value at a key, empty where it is absent or null. */
    Optional<Json> find(String key) {
        if (!node.isObject()) {
            throw expected("an object");
        }
        JsonNode value = node.get(key);
        return value == null || value.isNull() ? Optional.empty() : Optional.of(new Json(value, file, at(key)));
    }

    String string() {
        if (!node.isTextual()) {
            throw expected("a string");
        }
        return node.textValue();
    }

    /** The one character of a string. */
    int codePoint() {
        String string = string();
        if (string.isEmpty() || string.length() != Character.charCount(string.codePointAt(0))) {
            throw expected("one character");
        }
        return string.codePointAt(0);
    }

    int integer(int min, int max) {
        if (!node.isIntegralNumber() || !node.canConvertToInt() || node.intValue() < min || node.intValue() > max) {
            throw expected("a whole number from " + min + " to " + max);
        }
        return node.intValue();
    }

    /** A number that a double can hold. */
    double number() {
        if (!node.isNumber() || !Double.isFinite(node.doubleValue())) {
            throw expected("a number");
        }
        return node.doubleValue();
    }

    boolean bool(String key, boolean otherwise) {
        Optional<Json> value = find(key);
        return value.isEmpty() ? otherwise : value.get().bool();
    }

    boolean bool() {
        if (!node.isBoolean()) {
            throw expected("true or false");
        }
        return node.booleanValue();
    }

    List<Json> items() {
        if (!node.isArray()) {
            throw expected("an array");
        }
        List<Json> items = new ArrayList<>(node.size());
        for (int i = 0; i < node.size(); i++) {
            items.add(new Json(node.get(i), file, path + "[" + i + "]"));
        }
        return items;
    }

    /** Refuses an object with a key that this reader would pass over: what it asks for would silently not happen. */
    Json only(String... known) {
        Set<String> extra = new TreeSet<>(node.propertyStream().map(java.util.Map.Entry::getKey).toList());
        Arrays.asList(known).forEach(extra::remove);
        if (!extra.isEmpty()) {
            throw unsupported("the key " + extra.iterator().next());
        }
        return this;
    }

    TokenizerException expected(String what) {
        return new TokenizerException("expected " + what + " at " + where() + ", found " + describe(node) + " in "
                + file + "; correct the file");
    }

    TokenizerException unsupported(String what) {
        return new TokenizerException(
                "expected a tokenizer of a supported kind, found " + what + " at " + where() + " in " + file
                        + "; use a tokenizer without it, it is not supported");
    }

    private String where() {
        return path.isEmpty() ? "the top" : path;
    }

    private String at(String key) {
        return path.isEmpty() ? key : path + "." + key;
    }

    private static String describe(JsonNode node) {
        return switch (node.getNodeType()) {
            case OBJECT -> "an object";
            case ARRAY -> "an array";
            case MISSING -> "nothing";
            case POJO -> node instanceof POJONode pojo && pojo.getPojo() instanceof Tokens tokens && tokens.object()
                    ? "an object"
                    : "an array";
            default -> {
                String text = node.toString();
                yield text.length() <= 60 ? text : text.substring(0, 60) + "…";
            }
        };
    }
}
