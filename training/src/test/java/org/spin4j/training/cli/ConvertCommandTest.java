package org.spin4j.training.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.spin4j.training.cli.CommandLineTest.run;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.spin4j.training.SharedData;
import org.spin4j.training.cli.CommandLineTest.Ended;

/** Models in other formats: read, converted there and back, trained. */
class ConvertCommandTest {
    @TempDir
    private Path dir;

    private JsonNode generated(Path model) throws IOException {
        Path prompts = Files.writeString(dir.resolve("prompts.jsonl"), "{\"prompt\":\"\"}\n");
        Path out = dir.resolve("answers.jsonl");
        Ended ended = run("generate", "--model", model.toString(), "--data", prompts.toString(), "--out",
                out.toString(), "--temperature", "0", "--max-new-tokens", "200", "--quiet");
        assertThat(ended.err()).isEmpty();
        return new ObjectMapper().readTree(Files.readString(out));
    }

    private void converted(Path from, Path to, String... more) {
        String[] line = java.util.stream.Stream
                .concat(List.of("convert", "--model", from.toString(), "--out", to.toString()).stream(),
                        List.of(more).stream())
                .toArray(String[]::new);
        Ended ended = run(line);
        assertThat(ended.err()).isEmpty();
        assertThat(ended.out()).contains(to.toString()).contains("260,032 parameters");
    }

    /** The text that llama2.c's own program writes, from each of its formats and from what they are converted to. */
    @Test
    void storiesAreToldAlikeFromEveryFormat() throws IOException {
        Path stories = SharedData.require("data/models/stories260K");
        String golden = Files.readString(stories.resolve("golden_greedy_run_c_200steps.txt")).strip();
        JsonNode told = generated(stories.resolve("hf"));
        assertThat(told.get("output").textValue().strip()).isEqualTo(golden);
        assertThat(told.get("output_ids")).hasSize(200);
        converted(stories.resolve("stories260K.bin"), dir.resolve("a.gguf"));
        converted(dir.resolve("a.gguf"), dir.resolve("folder"));
        converted(dir.resolve("folder"), dir.resolve("b.gguf"));
        for (Path model : List.of(stories.resolve("stories260K-f32.gguf"), stories.resolve("stories260K.bin"),
                dir.resolve("a.gguf"), dir.resolve("folder"), dir.resolve("b.gguf"))) {
            JsonNode other = generated(model);
            assertThat(other.get("output_ids")).as(model.toString()).isEqualTo(told.get("output_ids"));
            assertThat(other.get("output")).as(model.toString()).isEqualTo(told.get("output"));
        }
        assertThat(dir.resolve("folder").toFile().list()).containsExactlyInAnyOrder("config.json", "model.safetensors",
                "tokenizer.json", "tokenizer_config.json");
        assertThat(dir.toFile().list()).doesNotContain("a.gguf.incomplete");
    }

    @Test
    void typesAreConverted() throws IOException {
        Path stories = SharedData.require("data/models/stories260K/hf");
        long before = 0;
        for (String type : List.of("q8_0", "bf16", "f32")) {
            Path file = dir.resolve(type + ".gguf");
            converted(stories, file, "--dtype", type);
            assertThat(Files.size(file)).as(type).isGreaterThan(before);
            before = Files.size(file);
            assertThat(generated(file).get("output").textValue()).startsWith("Once upon a time");
        }
        converted(dir.resolve("q8_0.gguf"), dir.resolve("wide"));
        assertThat(Files.readString(dir.resolve("wide/config.json"))).contains("float32");
        converted(dir.resolve("bf16.gguf"), dir.resolve("half"));
        assertThat(Files.readString(dir.resolve("half/config.json"))).contains("bfloat16");
    }

    @Test
    void aModelInOneFileIsScoredAndTrained() throws IOException {
        Path stories = SharedData.require("data/models/stories260K");
        Path data = Files.writeString(dir.resolve("data.jsonl"),
                "{\"prompt\":\"Once upon\",\"completion\":\" a time\"}\n");
        for (String model : List.of("stories260K-f32.gguf", "stories260K.bin")) {
            Path out = dir.resolve(model + "-run");
            Ended ended = run("sft", "model=" + stories.resolve(model), "train_data=" + data, "output_dir=" + out,
                    "max_steps=1", "seed=1");
            assertThat(ended.code()).as(ended.err()).isZero();
            assertThat(generated(out.resolve("model")).get("output").textValue()).isNotEmpty();
            Path ids = Files.writeString(dir.resolve("ids.jsonl"), "{\"input_ids\":[1,403,407,261,378]}\n");
            Ended scored = run("score", "--model", stories.resolve(model).toString(), "--data", ids.toString(),
                    "--out", dir.resolve("scores.jsonl").toString(), "--quiet");
            assertThat(scored.code()).as(scored.err()).isZero();
            assertThat(scored.out()).contains("4 tokens");
        }
    }

    @Test
    void whatCannotBeWrittenIsSaidBeforeAnythingIs() throws IOException {
        Path stories = SharedData.require("data/models/stories260K/hf");
        refused(stories, "x.bin", "files of llama2.c are only read");
        refused(stories, "x", "found q8_0; write a .gguf file", "--dtype", "q8_0");
        Files.writeString(dir.resolve("there.gguf"), "mine");
        refused(stories, "there.gguf", "expected a new file, found one at " + dir.resolve("there.gguf"));
        assertThat(dir.resolve("there.gguf")).hasContent("mine");
        refused(dir.resolve("absent.gguf"), "y.gguf", "absent.gguf");
        refused(dir.resolve("there.gguf"), "y.gguf", "there.gguf");
        refused(SharedData.require("data/models/tinystories-instruct-3m-chat-q4/hf"), "neo.gguf", "'gpt_neo'");
        assertThat(dir.toFile().list()).containsExactly("there.gguf");
    }

    private void refused(Path from, String to, String told, String... more) {
        String[] line = java.util.stream.Stream.concat(
                List.of("convert", "--model", from.toString(), "--out", dir.resolve(to).toString()).stream(),
                List.of(more).stream()).toArray(String[]::new);
        Ended ended = run(line);
        assertThat(ended.err()).startsWith("spin4j: expected ").contains(told).doesNotContain("\n");
        assertThat(ended.code()).isEqualTo(2);
    }
}
