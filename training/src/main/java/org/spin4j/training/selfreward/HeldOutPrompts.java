package org.spin4j.training.selfreward;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.spin4j.engine.Decoder;
import org.spin4j.engine.RandomStream;
import org.spin4j.engine.Sample;
import org.spin4j.tokenizer.Message;
import org.spin4j.training.Examples;
import org.spin4j.training.JsonLines;
import org.spin4j.training.Progress;
import org.spin4j.training.RunContext;
import org.spin4j.training.TextData;
import org.spin4j.training.judge.HeadToHead;
import org.spin4j.training.judge.PairJudge;

/**
 * Prompts that no model trains on and all of them answer, to be compared.
 *
 * @param rows prompts, each with the response that the data has
 */
record HeldOutPrompts(TextData text, List<Examples.Response> rows) {
    /** Name of the file of answers in a stage's folder. */
    private static final String FILE = "answers.jsonl";

    boolean isEmpty() {
        return rows.isEmpty();
    }

    /** The first prompts. */
    HeldOutPrompts first(int most) {
        return new HeldOutPrompts(text, rows.subList(0, Math.min(most, rows.size())));
    }

    /** The turns of a prompt. */
    List<Message> conversation(int index) {
        return rows.get(index).source().orElseThrow().turns();
    }

    /** Answers of a model, sampled as candidates are, one to each prompt; written into a stage's folder. */
    List<String> answers(RunContext context, String name, Decoder model, Path folder) {
        // The same stream for every model: what differs between answers is the model alone.
        List<Sample> samples = context.sample(name, model, rows.stream().map(Examples.Response::prompt).toList(),
                context.config().sampling(text.endIds()), context.config().seed());
        List<ObjectNode> lines = new ArrayList<>();
        List<String> answers = new ArrayList<>();
        for (int i = 0; i < samples.size(); i++) {
            String answer = text.text(samples.get(i).ids());
            ObjectNode line = JsonLines.JSON.createObjectNode();
            conversation(i).forEach(turn -> line.withArray("messages").add(turn.json()));
            lines.add(line.put("answer", answer).put("tokens", samples.get(i).ids().length));
            answers.add(answer);
        }
        JsonLines.writeAll(folder.resolve(FILE), lines);
        return answers;
    }

    /**
     * Answers against others to the same prompts.
     *
     * @param name of the work; names the random stream
     */
    HeadToHead duels(RunContext context, PairJudge judge, List<String> answers, List<String> others, String name) {
        List<PairJudge.Duel> duels = new ArrayList<>();
        for (int i = 0; i < answers.size(); i++) {
            duels.add(new PairJudge.Duel(i, conversation(i), answers.get(i), others.get(i)));
        }
        try (Progress.Task task = context.progress().start("compare " + name, "duels", duels.size())) {
            return HeadToHead.of(judge, duels, RandomStream.of(context.config().seed(), "duels " + name, 0).nextLong(),
                    n -> {
                        task.to(n, 0, "");
                        context.stopIfAsked("compare " + name);
                    });
        }
    }

    /** The answers in a stage's folder. */
    static List<String> read(Path folder) {
        return JsonLines.readAll(folder.resolve(FILE), line -> line.object().path("answer").asText());
    }
}
