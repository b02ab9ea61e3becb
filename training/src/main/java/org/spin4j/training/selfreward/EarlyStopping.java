package org.spin4j.training.selfreward;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.spin4j.engine.Decoder;
import org.spin4j.training.AtomicFiles;
import org.spin4j.training.Checks;
import org.spin4j.training.JsonLines;
import org.spin4j.training.RunContext;
import org.spin4j.training.judge.HeadToHead;
import org.spin4j.training.judge.PairJudge;

/**
 * Early stopping by pairwise judgement (Self-Rewarding, section 3.1.3): every so many steps the model in training answers held-out
 * prompts, and a judge compares the answers with those of the best moment so far. The best is what is kept. A look is a stage,
 * {@code checks/step-N}, so that a run that was stopped decides as one that was not.
 */
final class EarlyStopping implements Checks {
    /**
     * What a look came to.
     *
     * @param step   steps of training so far
     * @param best   the step whose answers are the best up to here
     * @param counts duels against the best before, by their outcome; FIRST is this step's
     */
    record Verdict(int step, int best, Map<PairJudge.Outcome, Integer> counts) {
        static final String FILE = "verdict.json";

        static Verdict read(Path file) {
            JsonNode node = JsonLines.readWhole(file);
            Map<PairJudge.Outcome, Integer> counts = new EnumMap<>(PairJudge.Outcome.class);
            for (PairJudge.Outcome outcome : PairJudge.Outcome.values()) {
                counts.put(outcome, node.path(name(outcome)).asInt());
            }
            return new Verdict(node.path("step").asInt(), node.path("best").asInt(), counts);
        }

        /** All looks of a training that are there, in the order of their steps. */
        static List<Verdict> all(Path checks) {
            if (!Files.isDirectory(checks)) {
                return List.of();
            }
            try (Stream<Path> stages = Files.list(checks)) {
                return stages.map(stage -> stage.resolve(FILE)).filter(Files::exists).map(Verdict::read)
                        .sorted(Comparator.comparingInt(Verdict::step)).toList();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** Wins, ties, losses, duels without a verdict. */
        List<Integer> inOrder() {
            return Stream.of(PairJudge.Outcome.FIRST, PairJudge.Outcome.TIE, PairJudge.Outcome.SECOND,
                    PairJudge.Outcome.UNJUDGED).map(o -> counts.getOrDefault(o, 0)).toList();
        }

        void write(Path folder) {
            ObjectNode node = JsonLines.JSON.createObjectNode().put("step", step).put("best", best);
            counts.forEach((outcome, n) -> node.put(name(outcome), n));
            AtomicFiles.writeText(folder.resolve(FILE), node.toPrettyString() + "\n");
        }

        private static String name(PairJudge.Outcome outcome) {
            return switch (outcome) {
                case FIRST -> "wins";
                case SECOND -> "losses";
                case TIE -> "ties";
                case UNJUDGED -> "unjudged";
            };
        }
    }

    private final RunContext context;
    private final String prefix;
    private final HeldOutPrompts prompts;
    private final PairJudge judge;
    private final Map<String, String> inputs;

    /**
     * Looks at one training.
     *
     * @param prefix of the names of the training's stages
     * @param inputs what the trained model depends on
     */
    EarlyStopping(RunContext context, String prefix, HeldOutPrompts prompts, PairJudge judge,
            Map<String, String> inputs) {
        this.context = context;
        this.prefix = prefix;
        this.prompts = prompts;
        this.judge = judge;
        this.inputs = inputs;
    }

    private int every() {
        return prompts.isEmpty() ? 0 : context.config().earlyStoppingSteps();
    }

    @Override
    public boolean due(int step) {
        return every() > 0 && step > 0 && step % every() == 0;
    }

    @Override
    public boolean enough(int step, Decoder policy) {
        look(step, policy);
        List<Verdict> all = verdicts(step);
        int patience = context.config().earlyStoppingPatience();
        long sinceBest = all.stream().filter(v -> v.step() > all.getLast().best()).count();
        boolean enough = patience > 0 && sinceBest >= patience;
        if (enough) {
            context.progress().say(prefix + "model: stopped early after " + step + " steps");
        }
        return enough;
    }

    @Override
    public void choose(int step, Decoder policy) {
        if (every() == 0) {
            return;
        }
        Verdict last = look(step, policy);
        context.progress()
                .say(prefix + "model: the answers after " + last.best() + " of " + step + " steps are the best");
        if (last.best() != step) {
            policy.restore(weights(last.best()));
        }
    }

    private Path weights(int step) {
        return context.run().resolve("checkpoints/" + prefix + "model/best-" + step);
    }

    private Path stage(int step) {
        return context.run().resolve(prefix + "checks/step-" + step);
    }

    /** All looks up to a step that are there, in order; the last step of a training need not be a multiple. */
    private List<Verdict> verdicts(int step) {
        List<Verdict> all = new ArrayList<>();
        for (int s = every(); s <= step; s += every()) {
            all.add(Verdict.read(stage(s).resolve(Verdict.FILE)));
        }
        return all;
    }

    private Verdict look(int step, Decoder policy) {
        List<Verdict> before = verdicts(step - 1);
        Map<String, String> all = new TreeMap<>(inputs);
        all.put("step", Integer.toString(step));
        Path folder = context.run().stage(prefix + "checks/step-" + step, context.inputs(all), temporary -> {
            List<String> answers = prompts.answers(context, prefix + "check " + step, policy, temporary);
            Map<PairJudge.Outcome, Integer> counts = new EnumMap<>(PairJudge.Outcome.class);
            int best = step;
            if (!before.isEmpty()) {
                int champion = before.getLast().best();
                HeadToHead duels = prompts.duels(context, judge, answers, HeldOutPrompts.read(stage(champion)),
                        prefix + "checks");
                counts.put(PairJudge.Outcome.FIRST, duels.wins());
                counts.put(PairJudge.Outcome.TIE, duels.ties());
                counts.put(PairJudge.Outcome.SECOND, duels.losses());
                counts.put(PairJudge.Outcome.UNJUDGED, duels.unjudged());
                best = duels.wins() > duels.losses() ? step : champion;
            }
            new Verdict(step, best, counts).write(temporary);
        });
        Verdict verdict = Verdict.read(folder.resolve(Verdict.FILE));
        // Also where the look was there already: a model that is made again has lost the weights of its best moment.
        if (verdict.best() == step && !Files.exists(weights(step))) {
            AtomicFiles.writeFolder(weights(step), empty -> {
                // The model makes its folder itself.
                Files.delete(empty);
                policy.save(empty, "F32", null);
            });
        }
        return verdict;
    }
}
