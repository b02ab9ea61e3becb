package org.spin4j.training;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.spin4j.engine.Decoder;
import org.spin4j.engine.Generator;
import org.spin4j.engine.Sample;
import org.spin4j.engine.Sampling;
import org.spin4j.kernels.Kernels;

/** How a demo's models do on tasks held out from all of them; kept as stages, so that going on with a demo finds them again. */
public final class DemoScores {
    /** Longest answer. */
    public static final int MAX_NEW_TOKENS = 40;
    /** Answers that grow at once. */
    public static final int STREAMS = 128;

    private final Kernels kernels;
    private final RunDirectory demo;
    private final DemoModel made;
    private final List<DemoTasks.Example> test;
    private final long seed;
    private final Progress progress;

    /** Scores kept in a demo's folder. */
    public DemoScores(Kernels kernels, RunDirectory demo, DemoModel made, List<DemoTasks.Example> test, long seed,
            Progress progress) {
        this.kernels = kernels;
        this.demo = demo;
        this.made = made;
        this.test = test;
        this.seed = seed;
        this.progress = progress;
    }

    /**
     * Scores a model.
     *
     * @param name        in the table
     * @param modelFolder of the model, inside the demo's
     */
    public Demo.Score of(String name, String modelFolder, Decoder model) {
        Path stage = demo.stage("scores/" + modelFolder.replace('/', '-'),
                Map.of("model", Fingerprint.of(demo.resolve(modelFolder).resolve("model.safetensors"))),
                temporary -> {
                    ObjectNode out = JsonLines.JSON.createObjectNode();
                    measure(model, out);
                    Files.writeString(temporary.resolve("score.json"), out.toString());
                });
        JsonNode node = JsonLines.readWhole(stage.resolve("score.json"));
        Demo.Score score = new Demo.Score(name, numbers(node.path("greedy")), numbers(node.path("sampled")),
                node.path("nll").asDouble(), node.path("length").asDouble());
        progress.say(String.format("%-22s greedy %.3f  sampled %.3f  nll %.3f", name, score.greedyMean(),
                score.sampledMean(), score.nll()));
        return score;
    }

    private void measure(Decoder model, ObjectNode out) {
        Set<Integer> stop = new HashSet<>(made.text().endIds());
        List<Examples.Response> rows = test.stream().map(e -> made.example(e.prompt(), e.answer())).toList();
        List<int[]> prompts = rows.stream().map(Examples.Response::prompt).toList();
        Generator generator = new Generator(model, kernels);
        List<Sample> greedy = generator.generate(prompts, Sampling.greedy(MAX_NEW_TOKENS, stop, STREAMS), seed,
                n -> {});
        List<Sample> sampled = generator.generate(prompts, Sampling.pure(MAX_NEW_TOKENS, stop, STREAMS), seed + 77,
                n -> {});
        double nll = 0;
        for (double[] logProbs : PairLogProbs.ofResponses(model, kernels, rows, n -> {})) {
            for (double p : logProbs) {
                nll -= p;
            }
        }
        right(greedy, out.putArray("greedy"));
        right(sampled, out.putArray("sampled"));
        out.put("nll", nll / rows.size());
        out.put("length", sampled.stream().mapToInt(s -> s.ids().length).average().orElseThrow());
    }

    private void right(List<Sample> samples, ArrayNode out) {
        for (int i = 0; i < samples.size(); i++) {
            Sample s = samples.get(i);
            boolean ended = s.finish() == Sample.Finish.STOP;
            out.add(ended && DemoTasks.correct(test.get(i), made.text().text(s.ids())) ? 1 : 0);
        }
    }

    private static double[] numbers(JsonNode array) {
        double[] out = new double[array.size()];
        for (int i = 0; i < out.length; i++) {
            out[i] = array.get(i).asDouble();
        }
        return out;
    }
}
