package org.spin4j.training.selfreward;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.spin4j.engine.Decoder;
import org.spin4j.engine.Generator;
import org.spin4j.engine.RandomStream;
import org.spin4j.engine.Sample;
import org.spin4j.engine.Sampling;
import org.spin4j.tokenizer.Message;
import org.spin4j.training.JsonLines;
import org.spin4j.training.Progress;
import org.spin4j.training.Row;
import org.spin4j.training.RunContext;
import org.spin4j.training.TextData;
import org.spin4j.training.UnfinishedRows;

/**
 * What a model answers to a prompt, several times (Self-Rewarding, section 2.2, step 2).
 *
 * @param prompt    the text of the prompt, one turn of the user
 * @param promptIds what the model read
 * @param responses its answers
 */
record Candidates(String prompt, int[] promptIds, List<Response> responses) {
    /**
     * One answer.
     *
     * @param ids   its tokens; without an end token where it was cut by the length limit
     * @param ended whether the model ended it
     */
    record Response(String text, int[] ids, boolean ended) {}

    /** Candidates of all prompts, from the stage where it is there already. */
    static List<Candidates> of(RunContext context, String stage, Decoder model, TextData text, List<String> prompts,
            Map<String, String> inputs) {
        Path file = RowStage.run(context, stage, "candidates.jsonl", inputs, prompts.size(),
                rows -> sample(context, stage, model, text, prompts, rows));
        return JsonLines.readAll(file, line -> of(line.object()));
    }

    /** The conversation that a prompt is. */
    static List<Message> conversation(String prompt) {
        return List.of(new Message("user", prompt));
    }

    private static void sample(RunContext context, String stage, Decoder model, TextData text, List<String> prompts,
            UnfinishedRows rows) {
        List<int[]> ids = prompts.stream().map(p -> text.prompt(new Row.Chat(conversation(p)))).toList();
        Sampling sampling = context.config().sampling(text.endIds()).withCandidates(context.config().candidates());
        Iterator<Generator.Request> requests = IntStream.range(0, ids.size()).filter(i -> !rows.has(i))
                .mapToObj(i -> new Generator.Request(i, ids.get(i))).iterator();
        try (Progress.Task task = context.progress().start(stage, "prompts", ids.size())) {
            task.from(rows.done());
            new Generator(model, context.kernels()).generate(requests, sampling,
                    RandomStream.of(context.config().seed(), stage, 0).nextLong(), new Generator.Listener() {
                        @Override
                        public void finished(Generator.Request request, List<Sample> samples) {
                            int i = (int) request.number();
                            rows.put(i, new Candidates(prompts.get(i), request.prompt(), samples.stream()
                                    .map(s -> new Response(text.text(s.ids()), s.ids(),
                                            s.finish() == Sample.Finish.STOP))
                                    .toList()).json());
                        }

                        @Override
                        public void passed(int tokens) {
                            task.to(rows.done(), tokens, "");
                            context.stopIfAsked(stage);
                        }
                    });
        }
    }

    private ObjectNode json() {
        ObjectNode row = JsonLines.JSON.createObjectNode().put("prompt", prompt);
        ArrayNode list = row.putArray("responses");
        for (Response r : responses) {
            list.addObject().put("text", r.text()).put("finish_reason", r.ended() ? "stop" : "length").set("ids",
                    JsonLines.ids(r.ids()));
        }
        row.set("prompt_ids", JsonLines.ids(promptIds));
        return row;
    }

    private static Candidates of(ObjectNode row) {
        List<Response> responses = new ArrayList<>();
        for (JsonNode r : row.path("responses")) {
            responses.add(new Response(r.path("text").asText(), JsonLines.ids(r.path("ids")),
                    r.path("finish_reason").asText().equals("stop")));
        }
        return new Candidates(row.path("prompt").asText(), JsonLines.ids(row.path("prompt_ids")), responses);
    }
}
