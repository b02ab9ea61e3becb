package org.spin4j.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UnfinishedRowsTest {
    @TempDir
    private Path dir;

    private static ObjectNode row(int i) {
        return JsonLines.JSON.createObjectNode().put("id", i).put("p", -0.1f * i).put("text", "zeile ü\n" + i);
    }

    private static ObjectNode settings(double temperature) {
        return JsonLines.JSON.createObjectNode().put("seed", 42L).put("temperature", temperature);
    }

    private UnfinishedRows open(double temperature, int rows) {
        return UnfinishedRows.open(dir.resolve("out.jsonl"), settings(temperature), rows);
    }

    /** Cut after every single byte: what is whole is kept, the rest is asked for again, and the end is the same. */
    @Test
    void goesOnFromAnyByte() throws IOException {
        Path partial = dir.resolve("out.jsonl.partial");
        byte[] whole;
        try (UnfinishedRows rows = open(1, 3)) {
            for (int i : new int[]{2, 0, 1}) {
                rows.put(i, row(i));
            }
            whole = Files.readAllBytes(partial);
            rows.finish();
        }
        List<String> expected = List.of(row(0).toString(), row(1).toString(), row(2).toString());
        assertThat(Files.readAllLines(dir.resolve("out.jsonl"))).isEqualTo(expected);
        assertThat(partial).doesNotExist();
        for (int length = 0; length <= whole.length; length++) {
            Files.deleteIfExists(dir.resolve("out.jsonl"));
            Files.write(partial, Arrays.copyOf(whole, length));
            try (UnfinishedRows rows = open(1, 3)) {
                for (int i = 0; i < 3; i++) {
                    if (!rows.has(i)) {
                        rows.put(i, row(i));
                    }
                }
                rows.finish();
            }
            assertThat(Files.readAllLines(dir.resolve("out.jsonl"))).as("cut after " + length).isEqualTo(expected);
        }
    }

    @Test
    void refusesOtherSettingsOtherFilesAndASecondProcess() throws IOException {
        Path partial = dir.resolve("out.jsonl.partial");
        try (UnfinishedRows rows = open(1, 2)) {
            rows.put(0, row(0));
            assertThatThrownBy(() -> open(1, 2)).isInstanceOf(BadInputException.class)
                    .hasMessageContaining("found another at work");
        }
        assertThatThrownBy(() -> open(0.5, 2)).isInstanceOf(BadInputException.class)
                .hasMessage("expected temperature as in the rows already in " + partial
                        + " (1.0), found 0.5; run with the settings it was begun with, or delete it to begin again");
        assertThat(partial).exists();
        for (String other : List.of("hello\n", "{\"a\":1}\n", "{\"settings\":{\"seed\":42,\"temperature\":1.0}}\n{}\n",
                "{\"settings\":{\"seed\":42,\"temperature\":1.0}}\n{\"index\":7,\"row\":{}}\n")) {
            Files.writeString(partial, other);
            assertThatThrownBy(() -> open(1, 2)).isInstanceOf(BadInputException.class)
                    .hasMessage("expected unfinished rows in " + partial + ", found something else; delete it");
            assertThat(partial).hasContent(other);
        }
    }
}
