package org.spin4j.training.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.spin4j.engine.Decoder;
import org.spin4j.engine.DecoderConfig;
import org.spin4j.kernels.DType;
import org.spin4j.tokenizer.BpeTrainer;
import org.spin4j.tokenizer.Tokenizer;

/** A chat with the lines of standard input. */
class ChatTest {
    @TempDir
    private Path dir;

    @BeforeEach
    void model() {
        Tokenizer tokenizer = BpeTrainer.train(List.of("one two three four", "user assistant"),
                new BpeTrainer.Config(270, 1, List.of("<|im_start|>", "<|im_end|>")))
                .withSpecial(null, "<|im_end|>", "<|im_end|>");
        DecoderConfig config = DecoderConfig.llama(tokenizer.vocabSize(), 16, 2, 2, 1, 32, 150, true)
                .withTokens(OptionalInt.empty(), List.of(tokenizer.eosId().orElseThrow()), OptionalInt.empty());
        try (Decoder model = Decoder.random(config, DType.F32, 3)) {
            model.save(dir.resolve("model"), "F32", null);
        }
        tokenizer.saveFolder(dir.resolve("model"), Optional.empty());
    }

    private CommandLineTest.Ended chat(String lines, String... more) {
        List<String> command = new ArrayList<>(List.of("chat", "--model", dir.resolve("model").toString(),
                "--chat-template", "chatml", "--max-new-tokens", "6"));
        command.addAll(List.of(more));
        InputStream in = System.in;
        System.setIn(new ByteArrayInputStream(lines.getBytes(StandardCharsets.UTF_8)));
        try {
            return CommandLineTest.run(command.toArray(String[]::new));
        } finally {
            System.setIn(in);
        }
    }

    @Test
    void answersEachLineAndSavesTheConversation() throws IOException {
        CommandLineTest.Ended ended = chat("one\n\n//two\n/save " + dir.resolve("talk.jsonl") + "\n", "--system",
                "three",
                "--stats");
        assertThat(ended.err()).isEmpty();
        assertThat(ended.code()).isZero();
        assertThat(ended.out()).contains("5 messages in ")
                .containsPattern("\\d+ of \\d+ prompt tokens read, first token");
        String row = Files.readString(dir.resolve("talk.jsonl"));
        assertThat(row).startsWith("{\"messages\":[{\"role\":\"system\",\"content\":\"three\"},"
                + "{\"role\":\"user\",\"content\":\"one\"},{\"role\":\"assistant\",").contains("\"content\":\"/two\"");
        // What was said is what generate says to the same conversation, greedily.
        assertThat(chat("one\n", "--temperature", "0").out())
                .isEqualTo(chat("one\n/exit\ntwo\n", "--temperature", "0").out());
    }

    @Test
    void saysTheSameAsGenerate() throws IOException {
        assertThat(chat("one\n/save " + dir.resolve("talk.jsonl") + "\n", "--temperature", "0").code()).isZero();
        Files.writeString(dir.resolve("rows.jsonl"), "{\"messages\":[{\"role\":\"user\",\"content\":\"one\"}]}\n");
        assertThat(CommandLineTest.run("generate", "--quiet", "--model", dir.resolve("model").toString(), "--data",
                dir.resolve("rows.jsonl").toString(), "--out", dir.resolve("out.jsonl").toString(), "--temperature",
                "0", "--max-new-tokens", "6", "--chat-template", "chatml").code()).isZero();
        String said = Files.readString(dir.resolve("talk.jsonl")).replaceAll(".*\"content\":(\".*\")}]}\\R", "$1");
        assertThat(Files.readString(dir.resolve("out.jsonl"))).contains("\"output\":" + said + ",");
    }

    @Test
    void onlyNewTurnsAreComputedAndOldOnesLeftOutInTheEnd() {
        String out = chat("one\n" + "two three\n".repeat(12), "--stats").out();
        assertThat(out).contains("longer than the model's 150 positions: its first turns are left out");
        String afresh = chat("one\ntwo\n/reset\none\n", "--stats", "--temperature", "0").out();
        assertThat(afresh).contains("the conversation begins anew").containsPattern("\n1 of \\d+ prompt tokens read");
    }

    @Test
    void wrongLinesAreNamedAndTheChatGoesOn() {
        String out = chat(
                "/rest\n/save\n/save /\n/save /proc/none/x\n/system\n/help\n" + "one ".repeat(200) + "\none\n").out();
        assertThat(out).contains("expected a command, found '/rest'; the nearest is /reset")
                .contains("expected a file, found none; write /save FILE")
                .contains("expected a file to write, found a folder at /;")
                .contains("expected to write /proc/none/x, found '").contains("/system TEXT")
                .contains("expected a message that leaves room for an answer within 150 tokens")
                .contains("tokens; --max-new-tokens allows more");
    }
}
