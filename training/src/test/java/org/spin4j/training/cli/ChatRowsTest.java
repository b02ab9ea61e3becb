package org.spin4j.training.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.spin4j.tokenizer.BpeTrainer;
import org.spin4j.tokenizer.ChatTemplate;
import org.spin4j.tokenizer.Tokenizer;
import picocli.CommandLine.Help.Ansi;

/** What {@code tokenizer encode --chat} shows and writes. */
class ChatRowsTest {
    @TempDir
    private Path dir;

    @BeforeEach
    void makeTokenizer() throws IOException {
        BpeTrainer.train(List.of(), new BpeTrainer.Config(258, 0, List.of("<|im_start|>", "<|im_end|>")))
                .withSpecial(null, "<|im_end|>", null).saveFolder(dir.resolve("t"), Optional.empty());
        Files.writeString(dir.resolve("rows.jsonl"), "{\"messages\":[{\"role\":\"user\",\"content\":\"a\\u001b\\nb\"},"
                + "{\"role\":\"assistant\",\"content\":\"c @|red d|@\"}]}\n");
    }

    private CommandLineTest.Ended run(String line) {
        return CommandLineTest.run(line.replace("$DIR", dir.toString()).split(" "));
    }

    @Test
    void showsTextIdsAndWhatIsLearnt() {
        CommandLineTest.Ended shown = run(
                "tokenizer encode --chat --chat-template chatml --tokenizer $DIR/t --data $DIR/rows.jsonl");
        assertThat(shown.err()).isEmpty();
        assertThat(shown.out().lines().toList()).containsExactly("conversation 1: 36 tokens, 12 to learn in 1 turn",
                "<|im_start|>user↵", "    0 86 84 70 83 200", "a·↵", "    66 217 200", "b<|im_end|>↵",
                "    67 1 200", "<|im_start|>assistant↵", "    0 66 84 84 74 84 85 66 79 85 200",
                "«c @|red d|@<|im_end|>»↵", "    «68 222 33 93 83 70 69 222 69 93 33 1» 200", "");
    }

    @Test
    void coloursATerminal() {
        Tokenizer tokenizer = Tokenizer.load(dir.resolve("t"));
        StringWriter out = new StringWriter();
        ChatRows.read(dir.resolve("rows.jsonl"), tokenizer, ChatTemplate.choose("chatml", dir), true)
                .print(new PrintWriter(out), tokenizer, Ansi.ON);
        assertThat(out.toString()).contains("\u001b[32mc @|red d|@<|im_end|>\u001b[39m↵").doesNotContain("«");
    }

    @Test
    void writesIdsMaskAndText() throws IOException {
        String command = "tokenizer encode --chat --chat-template chatml --tokenizer $DIR/t --data $DIR/rows.jsonl";
        JsonNode printed = new ObjectMapper().readTree(run(command + " --json").out());
        assertThat(printed.get("text").textValue()).startsWith("<|im_start|>user\n");
        assertThat(printed.get("ids")).hasSize(36);
        assertThat(printed.get("mask").toString()).endsWith(",0,1,1,1,1,1,1,1,1,1,1,1,1,0]");
        assertThat(run(command + " --out $DIR/out.jsonl").out()).startsWith("36 tokens in 1 rows");
        assertThat(new ObjectMapper().readTree(Files.readString(dir.resolve("out.jsonl")))).isEqualTo(printed);
    }

    @Test
    void saysWhatIsMissing() {
        assertThat(run("tokenizer encode --chat --tokenizer $DIR/t --data $DIR/rows.jsonl").err())
                .contains("found neither in").contains("alpaca, chatml");
        assertThat(run("tokenizer encode --tokenizer $DIR/t --data $DIR/rows.jsonl").err())
                .contains("expected --out FILE");
        assertThat(
                run("tokenizer encode --chat-template chatml --tokenizer $DIR/t --data $DIR/rows.jsonl --out x").err())
                .contains("add --chat");
        assertThat(run("tokenizer encode --last-turn --tokenizer $DIR/t --data $DIR/rows.jsonl --out x").err())
                .contains("expected --chat beside --last-turn");
    }
}
