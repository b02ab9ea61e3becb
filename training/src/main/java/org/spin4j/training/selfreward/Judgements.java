package org.spin4j.training.selfreward;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.spin4j.engine.RandomStream;
import org.spin4j.training.JsonLines;
import org.spin4j.training.Progress;
import org.spin4j.training.RunContext;
import org.spin4j.training.UnfinishedRows;
import org.spin4j.training.judge.Assessment;
import org.spin4j.training.judge.Judge;

/** What a judge says of every candidate (Self-Rewarding, section 2.2, step 3), as a stage. */
final class Judgements {
    /** Prompts between two moments at which what was judged is kept; no result depends on it. */
    private static final int KEPT_TOGETHER = 64;

    private Judgements() {}

    /** One assessment for each candidate of each prompt, from the stage where it is there already. */
    static List<List<Assessment>> of(RunContext context, String stage, Judge judge, List<Candidates> prompts,
            Map<String, String> inputs) {
        Path file = RowStage.run(context, stage, "judgements.jsonl", inputs, prompts.size(),
                rows -> judge(context, stage, judge, prompts, rows));
        return JsonLines.readAll(file, line -> StreamSupport
                .stream(line.object().path("responses").spliterator(), false)
                .map(r -> line.located(() -> Assessment.of(r.path("judgements")))).toList());
    }

    private static void judge(RunContext context, String stage, Judge judge, List<Candidates> prompts,
            UnfinishedRows rows) {
        long seed = RandomStream.of(context.config().seed(), stage, 0).nextLong();
        int[] open = IntStream.range(0, prompts.size()).filter(i -> !rows.has(i)).toArray();
        try (Progress.Task task = context.progress().start(stage, "prompts", prompts.size())) {
            task.from(rows.done());
            for (int from = 0; from < open.length; from += KEPT_TOGETHER) {
                int[] some = IntStream.range(from, Math.min(open.length, from + KEPT_TOGETHER)).map(i -> open[i])
                        .toArray();
                List<Judge.Answer> asked = new ArrayList<>();
                for (int p : some) {
                    Candidates candidates = prompts.get(p);
                    int width = candidates.responses().size();
                    for (int c = 0; c < width; c++) {
                        asked.add(new Judge.Answer((long) p * width + c, Candidates.conversation(candidates.prompt()),
                                candidates.responses().get(c).text()));
                    }
                }
                int before = rows.done();
                List<Assessment> said = judge.judge(asked, context.config().judgements(), seed, n -> {
                    task.to(before + (long) n * some.length / asked.size(), 0, "");
                    context.stopIfAsked(stage);
                });
                int at = 0;
                for (int p : some) {
                    int width = prompts.get(p).responses().size();
                    rows.put(p, json(prompts.get(p), said.subList(at, at + width)));
                    at += width;
                }
            }
            task.to(rows.done(), 0, "");
        }
    }

    private static ObjectNode json(Candidates candidates, List<Assessment> assessments) {
        ObjectNode row = JsonLines.JSON.createObjectNode().put("prompt", candidates.prompt());
        ArrayNode list = row.putArray("responses");
        for (int c = 0; c < assessments.size(); c++) {
            ObjectNode node = list.addObject().put("text", candidates.responses().get(c).text());
            assessments.get(c).mean().ifPresent(mean -> node.put("score", mean));
            node.set("judgements", assessments.get(c).json());
        }
        return row;
    }
}
