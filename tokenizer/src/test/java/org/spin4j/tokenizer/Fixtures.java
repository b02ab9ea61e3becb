package org.spin4j.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.StreamSupport;

/** Reads what the tests of this room compare with. */
final class Fixtures {
    private Fixtures() {}

    static JsonNode resource(String name) {
        return lines(new String(resourceBytes(name), StandardCharsets.UTF_8), true).getFirst();
    }

    static List<JsonNode> resourceLines(String name) {
        return lines(new String(resourceBytes(name), StandardCharsets.UTF_8), false);
    }

    static String resourceText(String name) {
        return new String(resourceBytes(name), StandardCharsets.UTF_8);
    }

    static List<JsonNode> lines(Path file) {
        try {
            return lines(Files.readString(file), false);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    static JsonNode json(Path file) {
        return lines(read(file), true).getFirst();
    }

    static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    static int[] ints(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false).mapToInt(JsonNode::intValue).toArray();
    }

    static List<String> strings(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false).map(JsonNode::textValue).toList();
    }

    static List<Message> messages(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false)
                .map(Message::of).toList();
    }

    static Tokenizer tokenizer(JsonNode json) {
        return Tokenizer.parse(json.toString().getBytes(StandardCharsets.UTF_8), "a fixture");
    }

    /** The text of a decoder fed one id at a time. */
    static String streamed(Tokenizer tokenizer, int[] ids, boolean skipSpecial) {
        TokenStream stream = tokenizer.stream(skipSpecial);
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append(stream.accept(id));
        }
        return text.append(stream.finish()).toString();
    }

    private static byte[] resourceBytes(String name) {
        try (InputStream in = Fixtures.class.getResourceAsStream(name)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static List<JsonNode> lines(String text, boolean whole) {
        List<JsonNode> rows = new ArrayList<>();
        try {
            for (String line : whole ? List.of(text) : text.lines().toList()) {
                rows.add(Json.Mapping.MAPPER.readTree(line));
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return rows;
    }
}
