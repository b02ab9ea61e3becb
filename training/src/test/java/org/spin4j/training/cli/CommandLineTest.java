package org.spin4j.training.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.spin4j.training.BadInputException;
import org.spin4j.training.Interrupt;
import org.spin4j.training.TinyRuns;

/** What the commands print and how they end. */
class CommandLineTest {
    @TempDir
    private Path dir;

    /** What a command left: its exit code, and what it printed. */
    record Ended(int code, String out, String err) {}

    static Ended run(String... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int code = Spin4j.run(args, new PrintWriter(out, true), new PrintWriter(err, true));
        return new Ended(code, out.toString(), err.toString().strip());
    }

    /** A command line with $DIR in it, one word between two spaces. */
    private Ended run(String line) {
        return run(line.replace("$DIR", dir.toString()).split(" "));
    }

    private void refused(String line, String message) {
        Ended ended = run(line);
        assertThat(ended.err()).isEqualTo("spin4j: " + message.replace("$DIR", dir.toString()));
        assertThat(ended.code()).isEqualTo(2);
        assertThat(ended.out()).isEmpty();
    }

    @Test
    void anAdapterIsAddedToWeightsInF32() {
        refused("score --quiet --model $DIR --data $DIR --out $DIR/x --adapter $DIR --dtype bf16",
                "expected --dtype f32 with --adapter, found BF16; leave --dtype out");
    }

    @Test
    void aTypeThatIsNoneIsNamedWithThoseThatAre() {
        Ended ended = run("score --model $DIR --data $DIR --out $DIR/x --dtype bogus");
        assertThat(ended.code()).isEqualTo(2);
        assertThat(ended.err()).startsWith("spin4j: expected ").contains("--dtype to be one of ", "bf16", "q8_0",
                "found 'bogus'");
    }

    @ParameterizedTest
    @ValueSource(strings = {"demo", "doctor", "tokenizer", "tokenizer train", "tokenizer encode", "tokenizer decode",
            "sft", "dpo", "spin", "self-reward", "generate", "chat", "score", "convert", "report"})
    void everyCommandExplainsItself(String command) {
        PrintStream stderr = System.err;
        ByteArrayOutputStream warnings = new ByteArrayOutputStream();
        Ended help;
        try (PrintStream heard = new PrintStream(warnings, true, StandardCharsets.UTF_8)) {
            System.setErr(heard);
            help = run(command + " --help");
        } finally {
            System.setErr(stderr);
        }
        assertThat(warnings.toString(StandardCharsets.UTF_8)).as("what the library says of a text").isEmpty();

        assertThat(help.code()).isZero();
        assertThat(help.out()).contains("Usage: spin4j " + command).contains("--help");
        if (!command.equals("tokenizer")) {
            assertThat(help.out()).contains("Example:").contains("spin4j " + command);
        }
        assertThat(help.err()).isEmpty();
    }

    @Test
    void trainingCommandsListTheirKeys() {
        assertThat(run("spin --help").out()).contains("iterations").contains("max_new_tokens");
        assertThat(run("sft --help").out()).contains("learning_rate").doesNotContain("iterations");
        assertThat(run(new String[0]).out()).contains("sft", "dpo", "spin", "doctor");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
            "sfft | expected a known command, found 'sfft'; the nearest is sft; see spin4j --help",
            "tokenizer trin | expected a known command, found 'trin'; the nearest is train; see spin4j tokenizer --help",
            "score --modl x | expected a known option, found '--modl'; the nearest is --model; see spin4j score --help",
            "doctor --jsn | expected a known option, found '--jsn'; the nearest is --json; see spin4j doctor --help",
            "dpo --learning-rate=1 | expected a known option, found '--learning-rate=1'; the nearest is learning_rate=…; see spin4j dpo --help",
            "score --model x | expected --data FILE and --out FILE, found nothing of that; see spin4j score --help",
            "report | expected --run DIR, found nothing of that; see spin4j report --help",
            "doctor --threads x | expected N for --threads to be a number, found 'x'; see spin4j doctor --help",
            "doctor --threads -1 | expected 0 to 4096 threads, found -1; use 0 for all cores",
            "doctor --backend cuda | expected backend auto, scalar, vector, vector! or tornado, found \"cuda\"; correct the backend setting",
            "spin output_dr=x | expected a known key, found 'output_dr' on the command line; the nearest is output_dir",
            "sft learning_rate | expected key=value, found 'learning_rate' on the command line; write for instance learning_rate=1e-4",
            "sft | expected a path for output_dir, found none; write output_dir=PATH or put it in the file of --config",
            "sft output_dir=$DIR/run | expected a path for model, found none; write model=PATH or put it in the file of --config",
            "report --run $DIR | expected a run with config.yaml, found none in $DIR; give the output_dir of a run",
            "generate --model $DIR/none --data x --out y | expected a model folder, found none at $DIR/none",
            "score --model hf:a/b/c --data x --out y | expected hf:OWNER/NAME or hf:OWNER/NAME@REVISION, found 'hf:a/b/c'",
            "tokenizer encode --tokenizer hf:a/../b --data x --out y | expected hf:OWNER/NAME or hf:OWNER/NAME@REVISION, found 'hf:a/../b'",
            "sft output_dir=$DIR/run model=hf:a/b@ train_data=x | expected hf:OWNER/NAME or hf:OWNER/NAME@REVISION, found 'hf:a/b@'",
            "tokenizer encode --tokenizer $DIR --data x --out y | expected a tokenizer (tokenizer.json, tokenizer.model, vocab.json with merges.txt, *.tiktoken or tok*.bin), found none in $DIR; check the path",
            "tokenizer train --data $DIR --vocab-size 300 --out $DIR/t | expected a file of text, found a folder at $DIR; check the path",
            "tokenizer train --data $DIR --vocab-size 3 --out $DIR/t | expected a vocabulary of 257 (256 bytes and 1 special tokens) to 4194304 tokens, found 3 in vocab_size; choose another size"})
    void wrongUseGetsOneLine(String line, String message) {
        refused(line, message);
    }

    @Test
    void badFilesGetOneLine() throws IOException {
        TinyRuns.model(dir.resolve("model"));
        Files.writeString(dir.resolve("bad.jsonl"), "{\"input_ids\":[3,99],\"labels\":[-100,99]}\n");
        Files.writeString(dir.resolve("torn.jsonl"), "{\"prompt_ids\":[3]}\n{\"prompt_ids\":\n");
        Files.writeString(dir.resolve("empty.jsonl"), "\n");
        Files.writeString(dir.resolve("run.yaml"), "learning_rate: fast\n");

        refused("sft model=$DIR/model output_dir=$DIR/run train_data=$DIR/bad.jsonl",
                "expected token ids below 48 (vocab_size), found 99; use the model's tokenizer (row at $DIR/bad.jsonl:1)");
        refused("dpo model=$DIR/model output_dir=$DIR/run train_data=$DIR/bad.jsonl",
                "expected a row with prompt, chosen and rejected, or the same three with _ids, found the keys "
                        + "input_ids, labels in $DIR/bad.jsonl:1; rename the keys");
        refused("spin model=$DIR/model output_dir=$DIR/run train_data=$DIR/empty.jsonl",
                "expected at least one row, found none in $DIR/empty.jsonl; check the path");
        refused("score --model $DIR/model --data $DIR/none.jsonl --out $DIR/out.jsonl",
                "expected a file of JSON lines, found nothing at $DIR/none.jsonl; check the path");
        refused("sft --config $DIR/none.yaml output_dir=$DIR/run",
                run("sft --config $DIR/none.yaml").err().substring(8));
        assertThat(run("generate --model $DIR/model --data $DIR/torn.jsonl --out $DIR/out.jsonl").err())
                .startsWith("spin4j: expected a JSON object, found").contains("torn.jsonl:2").doesNotContain("\n");
        assertThat(run("sft --config $DIR/run.yaml").err()).contains("run.yaml:1").contains("'fast'")
                .doesNotContain("\n");
        assertThat(dir.resolve("run")).doesNotExist();
        assertThat(dir.resolve("out.jsonl")).doesNotExist();
    }

    @Test
    void scoresRowsOfIds() throws IOException {
        TinyRuns.model(dir.resolve("model"));
        Files.write(dir.resolve("rows.jsonl"), List.of("{\"input_ids\":[3,4,5]}", "{\"input_ids\":[3]}",
                "{\"prompt_ids\":[3],\"chosen_ids\":[4,5],\"rejected_ids\":[6]}"));

        Ended ended = run("score --quiet --model $DIR/model --data $DIR/rows.jsonl --out $DIR/out.jsonl");

        assertThat(ended.out()).matches("\\d\\.\\d{4} nats per response token over 5 tokens in 3 rows\\R");
        List<String> rows = Files.readAllLines(dir.resolve("out.jsonl"));
        assertThat(rows).hasSize(3);
        assertThat(rows.get(1)).isEqualTo("{\"logprobs\":[]}");
        String logProbs = rows.get(0).substring("{\"logprobs\":".length(), rows.get(0).length() - 1);
        assertThat(rows.get(2)).contains("\"chosen_logprobs\":" + logProbs);
    }

    @Test
    void generatesTheSameHoweverManyAtOnce() throws IOException {
        TinyRuns.model(dir.resolve("model"));
        Files.write(dir.resolve("rows.jsonl"),
                List.of("{\"prompt_ids\":[3,4],\"id\":7}", "{\"prompt_ids\":[5]}", "{\"prompt_ids\":[6,7,8]}"));
        String line = "generate --quiet --max-new-tokens 12 --model $DIR/model --data $DIR/rows.jsonl --out $DIR/";

        assertThat(run(line + "a.jsonl").code()).isZero();
        assertThat(run(line + "b.jsonl --streams 1 --threads 1").code()).isZero();
        assertThat(run(line + "c.jsonl --ignore-eos --json").out()).contains("\"tokens\":36").contains("\"stopped\":0");

        assertThat(dir.resolve("b.jsonl")).hasSameBinaryContentAs(dir.resolve("a.jsonl"));
        assertThat(Files.readAllLines(dir.resolve("a.jsonl")).getFirst()).startsWith("{\"prompt_ids\":[3,4],\"id\":7,")
                .contains("\"output_ids\":[").contains("\"finish_reason\":");
    }

    @Test
    void tokenizerGoesThereAndBack() throws IOException {
        Files.write(dir.resolve("texts.jsonl"), List.of("{\"text\":\"the cat and the hat\"}", "{\"text\":\"über\"}"));

        assertThat(run("tokenizer train --data $DIR/texts.jsonl --vocab-size 270 --out $DIR/t --special <s>").out())
                .contains("tokens from 2 texts");
        assertThat(run("tokenizer encode --tokenizer $DIR/t --data $DIR/texts.jsonl --out $DIR/ids.jsonl").code())
                .isZero();
        assertThat(run("tokenizer decode --tokenizer $DIR/t --data $DIR/ids.jsonl --out $DIR/back.jsonl").code())
                .isZero();

        assertThat(dir.resolve("back.jsonl")).hasSameTextualContentAs(dir.resolve("texts.jsonl"));
        refused("tokenizer decode --tokenizer $DIR/t --data $DIR/texts.jsonl --out $DIR/x.jsonl",
                "expected a list of token ids in ids, found no such key in $DIR/texts.jsonl:1; repair that line");
    }

    @Test
    void encodedRowsTellWhereTokensComeFrom() throws IOException {
        Files.write(dir.resolve("rows.jsonl"),
                List.of("{\"text\":\"a😀b\"}", "{\"text\":\"ab\",\"text_pair\":\"c\"}"));
        assertThat(run("tokenizer train --data $DIR/rows.jsonl --vocab-size 257 --out $DIR/t --special <s>").code())
                .isZero();

        Ended ended = run(
                "tokenizer encode --tokenizer $DIR/t --data $DIR/rows.jsonl --out $DIR/ids.jsonl --offsets --max-length 5");

        assertThat(ended.out()).contains("8 tokens in 2 rows");
        assertThat(Files.readAllLines(dir.resolve("ids.jsonl"))).containsExactly(
                "{\"ids\":[65,173,254,247,223],\"offsets\":[[0,1],[1,3],[1,3],[1,3],[1,3]]}",
                "{\"ids\":[65,66,67],\"type_ids\":[0,0,1],\"offsets\":[[0,1],[1,2],[0,1]]}");
        refused("tokenizer encode --tokenizer $DIR/t --data $DIR/rows.jsonl --out $DIR/x.jsonl --max-length -1",
                "expected a length and a stride of at least 0, found length -1 and stride 0; correct them");
    }

    /** More rows than are in memory at a time: in order, and the first bad one is named. */
    @Test
    void manyRowsKeepTheirOrder() throws IOException {
        List<String> rows = new ArrayList<>();
        for (int i = 0; i < 9000; i++) {
            rows.add("{\"text\":\"row " + i + "\"}");
        }
        Files.write(dir.resolve("rows.jsonl"), rows);
        run("tokenizer train --data $DIR/rows.jsonl --vocab-size 257 --out $DIR/t --special <s>");
        assertThat(
                run("tokenizer encode --quiet --tokenizer $DIR/t --data $DIR/rows.jsonl --out $DIR/ids.jsonl").code())
                .isZero();
        assertThat(run("tokenizer decode --quiet --tokenizer $DIR/t --data $DIR/ids.jsonl --out $DIR/b.jsonl").code())
                .isZero();
        assertThat(dir.resolve("b.jsonl")).hasSameTextualContentAs(dir.resolve("rows.jsonl"));

        rows.set(8100, "{\"text\":1}");
        rows.set(8900, "{}");
        Files.write(dir.resolve("rows.jsonl"), rows);
        refused("tokenizer encode --quiet --tokenizer $DIR/t --data $DIR/rows.jsonl --out $DIR/bad.jsonl",
                "expected a string in text, found 1 in $DIR/rows.jsonl:8101; repair that line");
        assertThat(dir.resolve("bad.jsonl")).doesNotExist();
    }

    @Test
    void trainingPrintsItsResult() throws IOException {
        TinyRuns.model(dir.resolve("model"));
        TinyRuns.sftRows(dir.resolve("rows.jsonl"), 8);
        String line = "sft --quiet model=$DIR/model train_data=$DIR/rows.jsonl eval_data=$DIR/rows.jsonl max_steps=2 output_dir=$DIR/run";

        Ended first = run(line);
        assertThat(first.code()).isZero();
        assertThat(first.out()).contains("nll_per_token").contains("start").contains("report");
        Ended again = run("sft --quiet --resume --json output_dir=$DIR/run");
        assertThat(again.err()).isEmpty();
        assertThat(again.out()).contains("\"results\":{\"start\":{\"nll_per_token\":").doesNotContain("\n ");
        assertThat(run("report --run $DIR/run").out()).contains("report.html");
        refused(line,
                "expected a new output_dir, found a run in $DIR/run; add --resume to go on with it, or use another output_dir");
    }

    @Test
    void failuresEndWithTheirCode() {
        StringWriter err = new StringWriter();
        int code = Failure.stoppable(new PrintWriter(err, true), "go on with --resume", interrupt -> {
            throw new Interrupt.Stopped("stopped after step 3");
        });
        assertThat(code).isEqualTo(130);
        assertThat(err.toString().strip()).isEqualTo("spin4j: stopped after step 3; go on with --resume");
        assertThat(ended(new BadInputException("expected a, found b")))
                .isEqualTo(new Ended(2, "", "spin4j: expected a, found b"));
        assertThat(ended(new OutOfMemoryError("no room")).err()).contains("lower per_device_train_batch_size");
        assertThat(ended(new IllegalStateException("x"))).isEqualTo(new Ended(1, "",
                "spin4j: java.lang.IllegalStateException: x; this is a bug, set SPIN4J_DEBUG=1 to see where"));
    }

    private static Ended ended(Throwable failure) {
        StringWriter err = new StringWriter();
        int code = Failure.report(failure, new PrintWriter(err, true));
        return new Ended(code, "", err.toString().strip());
    }
}
