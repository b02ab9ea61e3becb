package org.spin4j.training;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.spin4j.engine.DecoderConfig;
import org.spin4j.kernels.Backends;

/** The demo's pipeline, far too small to learn anything. */
class DemoTest {
    private static final Demo.Scale TINY = new Demo.Scale(40, 1, 16, 40, 2);

    private static List<Demo.Score> run(Path folder, int threads) {
        try (Interrupt interrupt = new Interrupt()) {
            return demo(folder, threads, interrupt).run();
        }
    }

    private static Demo demo(Path folder, int threads, Interrupt interrupt) {
        return new Demo(Backends.choose("vector!", threads), folder, TINY, 3, new Progress(true), interrupt);
    }

    @Test
    void sameTableForAnyThreadsAndAfterGoingOn(@TempDir Path dir) throws Exception {
        List<Demo.Score> one = run(dir.resolve("one"), 1);
        List<Demo.Score> two = run(dir.resolve("two"), 2);
        assertThat(new DemoReport(two).text()).isEqualTo(new DemoReport(one).text());
        assertThat(one.stream().map(Demo.Score::model)).containsExactly("base, half wrong", "SFT", "SPIN 0", "SPIN 1",
                "continued SFT", "DPO, labelled pairs");
        for (String model : List.of("base", "sft", "sft-continued", "dpo", "spin/iteration-1")) {
            assertThat(dir.resolve("two/" + model + "/model/model.safetensors"))
                    .hasSameBinaryContentAs(dir.resolve("one/" + model + "/model/model.safetensors"));
        }
        Path model = dir.resolve("one/spin/iteration-1/model/model.safetensors");
        var made = Files.getLastModifiedTime(model);
        try (Interrupt interrupt = new Interrupt()) {
            Demo again = demo(dir.resolve("one"), 2, interrupt);
            List<Demo.Score> scores = again.run();
            assertThat(new DemoReport(scores).text()).isEqualTo(new DemoReport(one).text());
            assertThat(Files.getLastModifiedTime(model)).isEqualTo(made);
            assertThat(again.writeReport(scores)).content().contains("SPIN 1", "continued SFT", "Wilson");
        }
    }

    @Test
    void generatedPairsReadBackAsSpinsOwnFormat(@TempDir Path dir) {
        run(dir, 2);
        TextData text = TextData.open(ModelText.of(dir.resolve("tokenizer")),
                DecoderConfig.read(dir.resolve("sft/model/config.json")), 96,
                48);
        List<Boolean> finished = JsonLines.readAll(dir.resolve("spin/iteration-0/generated/pairs.jsonl"), line -> {
            ObjectNode spin = line.object().deepCopy().retain("real", "generated");
            Examples.Pair pair = text
                    .pair((Row.Pair) RowParser.spin(new JsonLines.Line(spin, line.file(), line.number())));
            assertThat(pair.prompt()).containsExactly(ids(line.object().get("prompt_ids")));
            assertThat(pair.chosen()).containsExactly(ids(line.object().get("real_ids")));
            return line.object().get("finish_reason").asText().equals("stop");
        });
        assertThat(finished).hasSize(TINY.spinExamples());
    }

    private static int[] ids(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false).mapToInt(JsonNode::asInt).toArray();
    }

    @Test
    void anAnswerLosesWhatTheTemplatePutsBeforeEveryAnswer() {
        assertThat(Spin.withoutLead(" I see", " Well, yes", "Well, yes")).isEqualTo("I see");
        assertThat(Spin.withoutLead("I see", " Well, yes", "Well, yes")).isEqualTo("I see");
        assertThat(Spin.withoutLead("I see", "Well, yes", "Well, yes")).isEqualTo("I see");
    }

    @Test
    void theTableSaysItWhereSpinLoses() {
        double[] right = {1, 1, 1, 1, 1, 1, 1, 1, 1, 0};
        double[] wrong = {0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
        List<Demo.Score> scores = List.of(new Demo.Score("SFT", right, right, 1, 5),
                new Demo.Score("SPIN 0", wrong, wrong, 2, 5));
        assertThat(new DemoReport(scores).text()).contains("SPIN LOSES");
        List<Demo.Score> even = List.of(new Demo.Score("SFT", right, right, 1, 5),
                new Demo.Score("SPIN 0", right, right, 1, 5));
        assertThat(new DemoReport(even).text()).contains("no clear gain");
    }
}
