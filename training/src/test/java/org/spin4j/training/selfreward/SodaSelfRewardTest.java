package org.spin4j.training.selfreward;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.spin4j.kernels.Backends;
import org.spin4j.training.Interrupt;
import org.spin4j.training.JsonLines;
import org.spin4j.training.Method;
import org.spin4j.training.Progress;
import org.spin4j.training.SharedData;
import org.spin4j.training.TrainConfig;
import org.spin4j.training.TrainingRun;

/** The whole loop on a chat model of 3.4M parameters and real dialogues, a little of it, with judges from outside. */
class SodaSelfRewardTest {
    @TempDir
    private Path dir;

    private Path dialogues(String from, int count) throws IOException {
        Path data = SharedData.require("data/datasets/soda_chat/" + from);
        try (var lines = Files.lines(data)) {
            return Files.write(dir.resolve(from), lines.limit(count).toList());
        }
    }

    private TrainingRun.Outcome run(String output, String... more) throws IOException {
        Path model = SharedData.require("data/models/tinystories-instruct-3m-chat-q4/hf");
        // A model this small makes no prompts of a list in words; it goes on with the last of them.
        Path ask = Files.writeString(dir.resolve("ask.txt"), "{{ examples }}");
        List<String> all = new ArrayList<>(List.of("model=" + model, "train_data=" + dialogues("train.jsonl", 24),
                "eval_data=" + dialogues("eval.jsonl", 6), "output_dir=" + dir.resolve(output),
                "prompt_template=" + ask,
                "new_prompts=8", "seed_shots=2", "generated_shots=1", "prompt_max_new_tokens=30", "max_new_tokens=24",
                "candidates=4", "temperature=1", "sft_max_steps=2", "max_steps=2", "learning_rate=1e-5",
                "early_stopping_steps=1", "max_length=256", "max_prompt_length=220", "iterations=1"));
        all.addAll(List.of(more));
        TrainConfig config = TrainConfig.defaults(Method.SELF_REWARD).with(all.toArray(String[]::new));
        try (Interrupt interrupt = new Interrupt()) {
            return TrainingRun.run(Method.SELF_REWARD, config, false, Backends.choose("auto", 2), new Progress(true),
                    interrupt);
        }
    }

    @Test
    void judgedByAnEndpoint() throws IOException {
        // Longer is better; an answer without a question mark gets no score at all.
        try (StubJudge judge = new StubJudge(question -> question.contains("Verdict")
                ? "Verdict: tie"
                : question.length() % 7 == 0 ? "I would rather not say." : "Score: " + question.length() % 6)) {
            TrainingRun.Outcome outcome = run("endpoint", "judge=" + judge.judge());

            assertThat(outcome.model().resolve("model.safetensors")).isRegularFile();
            PairSummary summary = PairSummary.read(dir.resolve("endpoint/m2/pairs").resolve(SelfReward.SUMMARY));
            assertThat(summary.prompts()).isEqualTo(8);
            assertThat(summary.pairs()).isPositive();
            assertThat(summary.pairs() + summary.ties() + summary.equal() + summary.unjudged()).isEqualTo(8);
            int judgements = summary.histogram().values().stream().mapToInt(Integer::intValue).sum()
                    + summary.unusable().values().stream().mapToInt(Integer::intValue).sum();
            assertThat(judgements).isEqualTo(8 * 4 * 3);
            assertThat(Files.readString(outcome.report())).contains("Preference pairs", "unusable judgements",
                    "Scores that the judge gave", "why others were refused");
        }
    }

    /** A table of answers: the model is to greet as the first responses of the dialogues do. */
    @Test
    void judgedByAVerifier() throws IOException {
        List<String> rows = new ArrayList<>();
        // The prompts are not known before the model has made them: a first run says which they are.
        try (StubJudge judge = new StubJudge(question -> "Score: " + question.length() % 6)) {
            run("first", "judge=" + judge.judge(), "pairwise=scores", "early_stopping_steps=0");
        }
        for (JsonNode row : JsonLines.readAll(dir.resolve("first/m2/candidates/candidates.jsonl"),
                line -> line.object())) {
            ObjectNode known = JsonLines.JSON.createObjectNode().put("prompt", row.get("prompt").asText());
            rows.add(known.put("answer", row.at("/responses/1/text").asText()).toString());
        }
        Path answers = Files.write(dir.resolve("answers.jsonl"), rows.subList(0, 7));
        TrainingRun.Outcome outcome = run("verifier", "judge=verifier:exact", "judge_data=" + answers);

        PairSummary summary = PairSummary.read(dir.resolve("verifier/m2/pairs").resolve(SelfReward.SUMMARY));
        assertThat(summary.pairs()).isPositive();
        // The prompt without a right answer is dropped, and it alone.
        assertThat(summary.unjudged()).isEqualTo(1);
        assertThat(summary.unusable()).containsOnlyKeys("no reference");
        assertThat(summary.histogram().keySet()).containsExactly(0.0, 5.0);
        assertThat(Files.readString(outcome.report())).contains("Preference pairs");
    }
}
