package org.spin4j.training;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.spin4j.engine.Decoder;
import org.spin4j.engine.Sample;
import org.spin4j.engine.Sampling;
import org.spin4j.tokenizer.Message;

/**
 * Self-play fine-tuning (arXiv 2401.01335, algorithm 1) as a run. Iteration t starts from the model of iteration t-1, which
 * is also its frozen opponent: the opponent answers every prompt, and the policy learns to tell the real response from the
 * generated one (eq. 4.7), with the pairs of the iteration before mixed in. Stages per iteration: {@code generated},
 * {@code reference}, {@code model}, {@code evaluation}; one that is there already is not made again.
 */
public final class Spin {
    /**
     * What the game is played with.
     *
     * @param train     prompts with real responses
     * @param heldOut   the same, for evaluation; may be empty
     * @param text      for readable text in the files
     * @param inputs    fingerprints of the start model and the data
     * @param tokenizer folder whose tokenizer files go along, or null
     * @param given     responses that the opponent of iteration 0 gave before, one for each of {@code train}; empty: it is
     *                  asked
     */
    record Game(List<Examples.Response> train, List<Examples.Response> heldOut, TextData text,
            Map<String, String> inputs, Path tokenizer, List<int[]> given) {
        /** A game in which every opponent is asked. */
        Game(List<Examples.Response> train, List<Examples.Response> heldOut, TextData text,
                Map<String, String> inputs, Path tokenizer) {
            this(train, heldOut, text, inputs, tokenizer, List.of());
        }
    }

    /**
     * What an iteration left behind.
     *
     * @param iteration number, from 0; -1 for the model the game started from
     * @param model     folder of the trained model; null for -1
     * @param numbers   evaluation: name to value
     * @param samples   prompt, real response, response of the model of this iteration: a few, to be read
     */
    record Result(int iteration, Path model, Map<String, Double> numbers, List<Shown> samples) {}

    /** An answer to be read by a person. */
    public record Shown(String prompt, String real, String generated) {}

    private static final int SHOWN = 12;

    private final RunContext context;
    private final Game game;

    private Spin(RunContext context, Game game) {
        this.context = context;
        this.game = game;
    }

    /** Plays all iterations; trains the policy in place. */
    static List<Result> run(RunContext context, Decoder policy, Game game) {
        return new Spin(context, game).play(policy);
    }

    private List<Result> play(Decoder policy) {
        TrainConfig config = context.config();
        List<Result> results = new ArrayList<>();
        results.add(evaluate(policy, null, null, -1, List.of(), game.inputs()));
        List<Examples.Pair> previous = List.of();
        Map<String, String> inputs = game.inputs();
        for (int t = 0; t < config.iterations(); t++) {
            String at = "iteration-" + t + "/";
            try (Decoder opponent = policy.copy()) {
                Path generated = generate(at + "generated", opponent, t, inputs);
                List<Examples.Pair> fresh = readPairs(generated.resolve("pairs.jsonl"));
                List<Examples.Pair> pairs = new ArrayList<>(fresh);
                pairs.addAll(previous);
                if (config.dropEqualPairs()) {
                    pairs.removeIf(Examples.Pair::equalResponses);
                }
                if (pairs.isEmpty()) {
                    throw BadInputException.of(
                            "expected at least one pair whose responses differ, found none of %d in %s; the "
                                    + "model already answers as the data does: use harder data or stop here",
                            fresh.size(), generated);
                }
                inputs = new LinkedHashMap<>(inputs);
                inputs.put("iteration-" + t + " pairs", Fingerprint.of(generated));
                Path model = Dpo.run(context, new Dpo.Place(at, t, Map.of("iteration", t), Checks.NONE), policy,
                        opponent, pairs, inputs, game.tokenizer());
                Result result = evaluate(policy, opponent, generated, t, pairs, inputs);
                results.add(new Result(t, model, result.numbers(), result.samples()));
                context.progress().say(line(t, result.numbers()));
                previous = config.mixPrevious() ? fresh : List.of();
            }
        }
        return results;
    }

    private static String line(int t, Map<String, Double> numbers) {
        StringBuilder s = new StringBuilder("iteration " + t + ":");
        numbers.forEach((name, value) -> s.append(String.format("  %s %.4f", name, value)));
        return s.toString();
    }

    // ---- the opponent's turn -----------------------------------------------------------------------------------------

    private Sampling sampling() {
        return context.config().sampling(game.text().endIds());
    }

    private List<Sample> sample(String name, Decoder model, List<Examples.Response> rows, Sampling sampling,
            long stream) {
        return context.sample(name, model, rows.stream().map(Examples.Response::prompt).toList(), sampling, stream);
    }

    /** The given responses as if they had just been sampled; whether they ended can be seen from their last token. */
    private List<Sample> given() {
        return game.given().stream().map(ids -> new Sample(ids, new double[0],
                ids.length > 0 && game.text().endIds().contains(ids[ids.length - 1])
                        ? Sample.Finish.STOP
                        : Sample.Finish.LENGTH))
                .toList();
    }

    private Path generate(String stage, Decoder opponent, int t, Map<String, String> inputs) {
        return context.run().stage(stage, context.inputs(inputs), temporary -> {
            long seed = context.config().seed() * 1_000_003 + t;
            writePairs(temporary.resolve("pairs.jsonl"), game.train(),
                    t == 0 && !game.given().isEmpty()
                            ? given()
                            : sample("generate " + t, opponent, game.train(), sampling(), seed));
            if (!game.heldOut().isEmpty()) {
                writePairs(temporary.resolve("held-out.jsonl"), game.heldOut(),
                        sample("generate held-out " + t, opponent, game.heldOut(), sampling(), seed + 500_000));
            }
        });
    }

    /** SPIN's own format, real and generated conversation, with the exact ids beside them. */
    private void writePairs(Path file, List<Examples.Response> rows, List<Sample> samples) {
        List<ObjectNode> lines = new ArrayList<>();
        for (int i = 0; i < rows.size(); i++) {
            Examples.Response row = rows.get(i);
            Sample sample = samples.get(i);
            ObjectNode line = JsonLines.JSON.createObjectNode();
            String real = game.text().text(row.response());
            String generated = game.text().text(sample.ids());
            Examples.Source source = row.source().orElseGet(() -> new Examples.Source(
                    List.of(new Message("user", game.text().text(row.prompt()))), real));
            line.set("real", conversation(source.turns(), source.answer()));
            line.set("generated", conversation(source.turns(), withoutLead(generated, real, source.answer())));
            line.set("prompt_ids", JsonLines.ids(row.prompt()));
            line.set("real_ids", JsonLines.ids(row.response()));
            line.set("generated_ids", JsonLines.ids(sample.ids()));
            line.put("finish_reason", sample.finish() == Sample.Finish.STOP ? "stop" : "length");
            lines.add(line);
        }
        JsonLines.writeAll(file, lines);
    }

    private static ArrayNode conversation(List<Message> prompt, String answer) {
        ArrayNode turns = JsonLines.JSON.createArrayNode();
        prompt.forEach(turn -> turns.add(turn.json()));
        turns.addObject().put("role", "assistant").put("content", answer);
        return turns;
    }

    /** A generated answer without what the template puts before every answer, a space for instance, as the real one shows. */
    static String withoutLead(String generated, String real, String answer) {
        int at = real.indexOf(answer);
        return at > 0 && generated.startsWith(real.substring(0, at)) ? generated.substring(at) : generated;
    }

    private static List<Examples.Pair> readPairs(Path file) {
        return JsonLines.readAll(file, line -> new Examples.Pair(JsonLines.ids(line.object().path("prompt_ids")),
                JsonLines.ids(line.object().path("real_ids")), JsonLines.ids(line.object().path("generated_ids"))));
    }

    // ---- evaluation --------------------------------------------------------------------------------------------------

    /** Numbers and samples of a model, as a stage; against its opponent where it has one. */
    private Result evaluate(Decoder model, Decoder opponent, Path generated, int t, List<Examples.Pair> trained,
            Map<String, String> inputs) {
        String stage = t < 0 ? "start/evaluation" : "iteration-" + t + "/evaluation";
        Path folder = context.run().stage(stage, context.inputs(inputs), temporary -> {
            Map<String, Double> numbers = new LinkedHashMap<>();
            if (!game.heldOut().isEmpty()) {
                HeldOut heldOut = HeldOut.of(context, model, game.heldOut());
                numbers.put("nll_per_token", heldOut.nllPerToken());
            }
            if (opponent != null) {
                if (Files.exists(generated.resolve("held-out.jsonl"))) {
                    HeldOutPairs.of(context, model, opponent, readPairs(generated.resolve("held-out.jsonl")),
                            context.config().beta(t)).ifPresent(pairs -> numbers.putAll(pairs.numbers()));
                }
                pairFacts(readPairs(generated.resolve("pairs.jsonl")), numbers);
                numbers.put("train_pairs", (double) trained.size());
                numbers.put("train_tokens", context.config().numTrainEpochs()
                        * trained.stream().mapToLong(Examples.Pair::tokens).sum());
            }
            List<Examples.Response> rows = game.heldOut().isEmpty() ? game.train() : game.heldOut();
            List<Examples.Response> asked = rows.subList(0, Math.min(SHOWN, rows.size()));
            List<Sample> answers = sample("samples " + t, model, asked, sampling(), context.config().seed());
            List<Shown> samples = new ArrayList<>();
            for (int i = 0; i < asked.size(); i++) {
                samples.add(new Shown(game.text().text(asked.get(i).prompt()),
                        game.text().text(asked.get(i).response()), game.text().text(answers.get(i).ids())));
            }
            new Evaluation(numbers, samples).write(temporary);
        });
        Evaluation done = Evaluation.read(folder.resolve(Evaluation.FILE));
        return new Result(t, null, done.numbers(), done.samples());
    }

    private static void pairFacts(List<Examples.Pair> pairs, Map<String, Double> numbers) {
        double real = 0;
        double generated = 0;
        int equal = 0;
        for (Examples.Pair p : pairs) {
            real += p.chosen().length;
            generated += p.rejected().length;
            equal += p.equalResponses() ? 1 : 0;
        }
        numbers.put("real_length", real / pairs.size());
        numbers.put("generated_length", generated / pairs.size());
        numbers.put("equal_pairs", equal / (double) pairs.size());
    }
}
