package org.spin4j.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.spin4j.tokenizer.Message;
import org.spin4j.training.JsonLines.Line;

class JsonLinesTest {
    @TempDir
    Path folder;

    @Test
    void readsLinesWithTheirNumbers() throws IOException {
        Path file = write("\uFEFF{\"a\":\"ü\"}\r\n\n  \n{\"a\":2}");
        List<Line> lines = JsonLines.readAll(file, line -> line);
        assertThat(lines).extracting(Line::number).containsExactly(1, 4);
        assertThat(lines.getFirst().object().get("a").textValue()).isEqualTo("ü");
        assertThat(lines.getLast().where()).isEqualTo(file + ":4");
        assertThat(JsonLines.readAll(write(""), line -> line)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {"{\"a\":1|expected a JSON object, found '{\"a\":1'",
            "[1]|expected a JSON object, found '[1]'", "{\"a\":1} x|expected a JSON object",
            "{\"a\":1,\"a\":2}|Duplicate",
            "null|found 'null'", "{\"a\":NaN}|expected a JSON object", "{'a':1}|expected a JSON object"})
    void brokenLineIsOneClearLine(String text, String message) throws IOException {
        Path file = write("{}\n" + text + "\n");
        assertThatThrownBy(() -> JsonLines.readAll(file, line -> line)).isInstanceOf(BadInputException.class)
                .hasMessageContaining(message).hasMessageContaining("in " + file + ":2; ")
                .hasMessageNotContaining("\n");
    }

    @Test
    void bytesThatAreNotUtf8AndFilesThatAreNotThere() throws IOException {
        Path file = Files.write(folder.resolve("latin1.jsonl"), "{\"a\":\"ü\"}".getBytes(StandardCharsets.ISO_8859_1));
        assertThatThrownBy(() -> JsonLines.readAll(file, line -> line))
                .hasMessageContaining("expected UTF-8, found other");
        assertThatThrownBy(() -> JsonLines.open(folder.resolve("no.jsonl"))).isInstanceOf(BadInputException.class)
                .hasMessageContaining("found nothing at");
        assertThatThrownBy(() -> JsonLines.open(folder)).hasMessageContaining("found a folder at");
    }

    @Test
    void writesAllOrNothing() throws IOException {
        Path file = folder.resolve("deep/out.jsonl");
        ObjectNode row = JsonLines.JSON.createObjectNode().put("text", "line\nbreak ü");
        JsonLines.writeAll(file, List.of(row, row));
        assertThat(JsonLines.readAll(file, Line::object)).containsExactly(row, row);
        Iterable<ObjectNode> failing = () -> {
            throw new IllegalStateException("the source of rows failed");
        };
        assertThatThrownBy(() -> JsonLines.writeAll(file, failing)).hasMessageContaining("source of rows");
        assertThat(JsonLines.readAll(file, Line::object)).hasSize(2);
        try (var left = Files.list(file.getParent())) {
            assertThat(left).containsExactly(file);
        }
    }

    @Test
    void sftRows() throws IOException {
        assertThat(parse(RowParser::sft, "{'input_ids':[5,6,7],'labels':[-100,6,7]}"))
                .isEqualTo(new Row.Labelled(new Row.Ids(List.of(5, 6, 7)), List.of(-100, 6, 7)));
        assertThat(parse(RowParser::sft, "{'prompt':'a','completion':'b','note':1}"))
                .isEqualTo(new Row.Completion(new Row.Text("a"), new Row.Text("b")));
        assertThat(parse(RowParser::sft, "{'text':'a'}")).isEqualTo(new Row.PlainText("a"));
        assertThat(parse(RowParser::sft,
                "{'messages':[{'role':'user','content':'q'},{'role':'assistant','content':'r'}]}"))
                .isEqualTo(new Row.Conversation(
                        new Row.Chat(List.of(new Message("user", "q"), new Message("assistant", "r")))));
    }

    @Test
    void pairRows() throws IOException {
        Row ids = new Row.Pair(new Row.Ids(List.of(1)), new Row.Ids(List.of(2)), new Row.Ids(List.of(3, 4)));
        assertThat(parse(RowParser::dpo, "{'prompt_ids':[1],'chosen_ids':[2],'rejected_ids':[3,4]}")).isEqualTo(ids);
        assertThat(parse(RowParser::score, "{'prompt_ids':[1],'chosen_ids':[2],'rejected_ids':[3,4]}")).isEqualTo(ids);
        assertThat(parse(RowParser::spin, "{'prompt_ids':[1],'real_ids':[2],'generated_ids':[3,4]}")).isEqualTo(ids);
        assertThat(parse(RowParser::dpo, "{'prompt':'p','chosen':'c','rejected':'r'}"))
                .isEqualTo(new Row.Pair(new Row.Text("p"), new Row.Text("c"), new Row.Text("r")));
        Row chat = new Row.Pair(new Row.Chat(List.of(new Message("user", "q"))),
                new Row.Chat(List.of(new Message("assistant", "good"))),
                new Row.Chat(List.of(new Message("assistant", "bad"))));
        assertThat(parse(RowParser::spin,
                "{'real':[{'role':'user','content':'q'},{'role':'assistant','content':'good'}],"
                        + "'generated':[{'role':'user','content':'q'},{'role':'assistant','content':'bad'}]}"))
                .isEqualTo(chat);
        assertThat(parse(RowParser::dpo, "{'prompt':[{'role':'user','content':'q'}],"
                + "'chosen':[{'role':'assistant','content':'good'}],'rejected':[{'role':'assistant','content':'bad'}]}"))
                .isEqualTo(chat);
        assertThat(parse(RowParser::spin, "{'text':'a'}")).isEqualTo(new Row.PlainText("a"));
    }

    @Test
    void promptsAndSequences() throws IOException {
        assertThat(parse(RowParser::score, "{'input_ids':[1,2]}"))
                .isEqualTo(new Row.Sequence(new Row.Ids(List.of(1, 2))));
        assertThat(parse(RowParser::generate, "{'prompt_ids':[1]}")).isEqualTo(new Row.Prompt(new Row.Ids(List.of(1))));
        assertThat(parse(RowParser::generate, "{'prompt':'p'}")).isEqualTo(new Row.Prompt(new Row.Text("p")));
        assertThat(parse(RowParser::generate, "{'messages':[{'role':'user','content':'q'}]}"))
                .isEqualTo(new Row.Prompt(new Row.Chat(List.of(new Message("user", "q")))));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
            "{'input_ids':[1,2],'labels':[1]}|as many labels as input_ids (2), found 1",
            "{'input_ids':[1,-1],'labels':[1,1]}|a list of token ids in input_ids, found -1",
            "{'input_ids':[1],'labels':[-99]}|token ids or -100 in labels, found -99",
            "{'input_ids':[1]}|in labels, found no such key", "{'input_ids':[1.5],'labels':[1]}|found 1.5",
            "{'input_ids':[4294967297],'labels':[1]}|found 4294967297", "{'input_ids':'x','labels':[1]}|found \"x\"",
            "{'input_ids':[],'labels':[]}|at least one token id",
            "{'prompt':'a','completion':3}|a string in completion, found 3",
            "{'messages':[]}|a list of messages", "{'messages':'hi'}|a list of messages in messages, found \"hi\"",
            "{'messages':[{'role':'user'}]}|messages {\"role\"",
            "{'messages':[{'role':'user','content':'q'}]}|a turn of role assistant",
            "{'real':[{'role':'user','content':'q'}],'generated':'x'}|both as text or both as messages",
            "{'real':'a','generated':'b'}|expected a prompt beside real and generated",
            "{'real':[{'role':'user','content':'q'}],'generated':[{'role':'user','content':'q'}]}|found a single turn",
            "{'real_ids':[1],'generated_ids':[2]}|token ids in prompt_ids, found no such key",
            "{'question':'a','answer':'b'}|found the keys question, answer", "{}|found no key"})
    void rowsThatCannotBeUsed(String row, String message) throws IOException {
        assertThatThrownBy(() -> parse(RowParser::spin, row)).isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("expected ").hasMessageContaining(message)
                .hasMessageContaining("rows.jsonl:1; ")
                .hasMessageNotContaining("\n");
    }

    private <T> T parse(Function<Line, T> parser, String row) throws IOException {
        return JsonLines.readAll(write(row.replace('\'', '"')), parser).getFirst();
    }

    private Path write(String text) throws IOException {
        return Files.writeString(folder.resolve("rows.jsonl"), text);
    }
}
