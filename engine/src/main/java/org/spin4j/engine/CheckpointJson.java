package org.spin4j.engine;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** How JSON that came with a checkpoint is read: strictly, and with every size bounded, because nobody vouches for it. */
final class CheckpointJson {
    private static final int MAX_DEPTH = 32;
    private static final int MAX_TEXT = 1 << 20;
    private static final int MAX_QUOTE = 80;

    /** Refuses nesting beyond 32, over-long texts and numbers, and a key that occurs twice in one object. */
    static final JsonFactory FACTORY = JsonFactory.builder()
            .streamReadConstraints(
                    StreamReadConstraints.builder().maxNestingDepth(MAX_DEPTH).maxStringLength(MAX_TEXT).build())
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

    /** For trees that go into files. */
    static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private CheckpointJson() {}

    /**
     * The JSON object that is all of {@code file}.
     *
     * @param maxBytes a longer file is refused before it is read
     */
    static ObjectNode read(Path file, int maxBytes) {
        byte[] bytes;
        try (InputStream in = Files.newInputStream(file)) {
            bytes = in.readNBytes(maxBytes + 1);
        } catch (IOException e) {
            throw unreadable(file, e);
        }
        if (bytes.length > maxBytes) {
            throw new CheckpointException(
                    "expected at most " + maxBytes + " bytes of JSON, found more in " + file
                            + "; is it the right file?");
        }
        try (JsonParser in = FACTORY.createParser(bytes)) {
            JsonNode root = in.nextToken() == null ? NODES.missingNode() : value(in);
            if (in.nextToken() != null) {
                throw new JsonParseException(in, "another value after the first");
            }
            if (root instanceof ObjectNode object) {
                return object;
            }
            throw new CheckpointException("expected a JSON object, found " + quote(root.toString()) + " in " + file);
        } catch (IOException e) {
            throw malformed(file.toString(), e);
        }
    }

    /** The value that the parser stands at: the first ObjectMapper takes a JVM that has just begun a tenth of a second. */
    private static JsonNode value(JsonParser in) throws IOException {
        return switch (in.currentToken()) {
            case START_OBJECT -> {
                ObjectNode object = NODES.objectNode();
                while (in.nextToken() != JsonToken.END_OBJECT) {
                    String key = in.currentName();
                    in.nextToken();
                    object.set(key, value(in));
                }
                yield object;
            }
            case START_ARRAY -> {
                ArrayNode array = NODES.arrayNode();
                while (in.nextToken() != JsonToken.END_ARRAY) {
                    array.add(value(in));
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
            case VALUE_TRUE, VALUE_FALSE -> NODES.booleanNode(in.getBooleanValue());
            default -> NODES.nullNode();
        };
    }

    /** A tree as the text of a file that a person may read. */
    static byte[] bytes(ObjectNode root) throws IOException {
        return Mapping.MAPPER.writeValueAsBytes(root);
    }

    static final class Mapping {
        static final ObjectMapper MAPPER = JsonMapper.builder(FACTORY).enable(SerializationFeature.INDENT_OUTPUT)
                .build();

        private Mapping() {}
    }

    /** Says in one line that a file cannot be read, and why. */
    static CheckpointException unreadable(Path file, IOException e) {
        String found = switch (e) {
            case java.nio.file.NoSuchFileException _ -> "none";
            case java.nio.file.AccessDeniedException _ -> "one without leave to read it";
            default -> "'" + quote(String.valueOf(e.getMessage())) + "'";
        };
        return new CheckpointException("expected a file that can be read, found " + found + " at " + file, e);
    }

    /** Says in one line that a file cannot be written, and why. */
    static CheckpointException unwritable(Path file, IOException e) {
        String why = e instanceof java.nio.file.FileSystemException f && f.getReason() != null
                ? f.getReason()
                : e.getClass().getSimpleName() + " " + e.getMessage();
        return new CheckpointException("cannot write " + file + ": " + quote(why), e);
    }

    /** Turns a parser's complaint of several lines into one. */
    static CheckpointException malformed(String file, IOException e) {
        String why = e instanceof JsonProcessingException json ? json.getOriginalMessage() : e.getMessage();
        JsonLocation at = e instanceof JsonProcessingException json ? json.getLocation() : null;
        String where = at == null ? file : file + ":" + at.getLineNr() + " (column " + at.getColumnNr() + ")";
        return new CheckpointException("expected well-formed JSON, found an error in " + where + ": "
                + quote(String.valueOf(why)), e);
    }

    /** A text out of a file as one short printable line. */
    static String quote(String text) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < text.length() && out.length() < MAX_QUOTE; i++) {
            char c = text.charAt(i);
            out.append(Character.isISOControl(c) ? ' ' : c);
        }
        return out.length() < text.length() ? out + "…" : out.toString();
    }
}
