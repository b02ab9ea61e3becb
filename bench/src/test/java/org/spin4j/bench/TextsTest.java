package org.spin4j.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextsTest {
    @Test
    void everyStringOfAFolderIsFound(@TempDir Path folder) throws Exception {
        Files.writeString(folder.resolve("a.json"), "{\"x\": [\"one\", 2, {\"y\": \"two \\ud800\"}]}");
        Path deep = Files.createDirectory(folder.resolve("deep"));
        Files.writeString(deep.resolve("b.jsonl"), "{\"x\": \"three\"}\n{\"x\": \"four\"}\n");
        Files.writeString(deep.resolve("c.csv"), "five,\"six\"\nseven\n");
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(deep.resolve("d.jsonl.gz")))) {
            out.write("{\"x\": \"eight\"}".getBytes(StandardCharsets.UTF_8));
        }
        assertThat(Texts.in(folder)).containsExactly("one", "two ?", "three", "four", "five,\"six\"\nseven\n",
                "five,\"six\"", "seven", "eight");
    }

    @Test
    void randomTextsAreTheSameForASeedAndWellFormed() {
        List<String> texts = Texts.random(2000, 5);
        assertThat(texts).isEqualTo(Texts.random(2000, 5)).isNotEqualTo(Texts.random(2000, 6)).hasSize(2000);
        assertThat(texts).allMatch(TextsTest::isWellFormed);
        String all = String.join("", texts);
        assertThat(all).contains("<|endoftext|>", "\r\n", "\u0301", "\0").containsPattern("\\p{IsHan}{3}")
                .containsPattern("\\p{IsHangul}{3}").containsPattern("[\\x{1F300}-\\x{1F6FF}]{2}");
    }

    @Test
    void everyCodePointIsThere() {
        List<String> texts = Texts.codePoints();
        assertThat(texts).hasSize(2 * (0x110000 - 0x800)).allMatch(TextsTest::isWellFormed).contains("\0", "é", "🙂");
    }

    @Test
    void noMadeUpWordComesTwice() {
        List<String> texts = MadeUpWords.texts(1050);
        assertThat(texts).hasSize(11).allMatch(text -> text.startsWith(" "));
        assertThat(String.join("", texts).strip().split(" ")).hasSize(1050).doesNotHaveDuplicates();
    }

    private static boolean isWellFormed(String text) {
        return StandardCharsets.UTF_8.newEncoder().canEncode(text);
    }
}
