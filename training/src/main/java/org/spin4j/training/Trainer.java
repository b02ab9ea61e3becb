package org.spin4j.training;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.spin4j.engine.Decoder;
import org.spin4j.engine.Dropout;
import org.spin4j.engine.RandomStream;
import org.spin4j.engine.Tape;
import org.spin4j.engine.Workspace;
import org.spin4j.kernels.Kernels;

/**
 * The loop all methods share: shuffled batches, forward and backward passes through an {@link Objective}, clipping, one
 * optimiser update, a log line, now and then a checkpoint. Every choice is a function of (seed, step), so a training that
 * goes on from a checkpoint ends bit for bit like one that was never stopped.
 */
final class Trainer {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String STATE = "trainer_state.json";
    private static final String OPTIMIZER = "optimizer.safetensors";

    /**
     * One training.
     *
     * @param name         names its random stream, for example {@code spin-iteration-0}
     * @param learningRate peak rate
     * @param inputs       everything the result depends on, by name: a checkpoint made from other inputs is refused
     * @param checkpoints  folder for {@code checkpoint-N} folders
     * @param tokenizer    folder whose tokenizer files go into checkpoints, or null
     * @param checks       may end it early
     */
    record Plan(String name, double learningRate, Map<String, String> inputs, Path checkpoints, Path tokenizer,
            Checks checks) {}

    /** Who is told of progress. */
    interface Listener {
        /** A training begins, or goes on after {@code step} of {@code total} steps. */
        void started(int step, int total);

        /**
         * A step was done.
         *
         * @param metrics what to log, or null where this step is not logged
         * @param tokens  tokens of this step
         */
        void stepped(int step, Map<String, Number> metrics, long tokens);
    }

    private final Kernels kernels;
    private final TrainConfig config;
    private final Interrupt interrupt;

    Trainer(Kernels kernels, TrainConfig config, Interrupt interrupt) {
        this.kernels = kernels;
        this.config = config;
        this.interrupt = interrupt;
    }

    /** Optimiser steps that a training over {@code items} rows takes. */
    int totalSteps(int items) {
        return config.maxSteps() > 0
                ? config.maxSteps()
                : (int) Math.ceil(config.numTrainEpochs() * stepsPerEpoch(items));
    }

    private int batch() {
        return config.perDeviceTrainBatchSize() * config.gradientAccumulationSteps();
    }

    private int stepsPerEpoch(int items) {
        return (items + batch() - 1) / batch();
    }

    /**
     * Trains the policy in place, from its latest checkpoint where there is one.
     *
     * @throws Interrupt.Stopped after saving a checkpoint, where the user asked to stop
     */
    <T> void train(Decoder policy, List<T> items, Objective<T> objective, Plan plan, Listener listener) {
        if (items.isEmpty()) {
            throw BadInputException.of("expected at least one training row, found none for %s", plan.name());
        }
        policy.parameters().requireGradients();
        int total = totalSteps(items.size());
        LearningRateSchedule schedule = LearningRateSchedule.of(config.lrSchedulerType(), config.warmupSteps(),
                config.warmupRatio(), total, config.minLrRate());
        try (Optimizer optimizer = new Optimizer(kernels, config, policy.parameters());
                Workspace workspace = new Workspace(policy.parameters().data().type())) {
            int done = 0;
            long seen = 0;
            MetricSums metrics = new MetricSums();
            Optional<Path> latest = latestCheckpoint(plan.checkpoints());
            if (latest.isPresent()) {
                ObjectNode state = readState(latest.get());
                RunDirectory.requireSame(state.path("inputs"), plan.inputs(), latest.get().resolve(STATE));
                done = state.get("step").asInt();
                seen = state.get("num_tokens").asLong();
                metrics = MetricSums.ofJson(state.get("metrics"));
                policy.restore(latest.get());
                optimizer.load(latest.get().resolve(OPTIMIZER));
            }
            listener.started(done, total);
            int[] order = null;
            int orderEpoch = -1;
            int step = done;
            for (; step < total && !(plan.checks().due(step) && plan.checks().enough(step, policy)); step++) {
                int perEpoch = stepsPerEpoch(items.size());
                int epoch = step / perEpoch;
                if (epoch != orderEpoch) {
                    order = shuffled(items.size(), RandomStream.of(config.seed(), plan.name() + "/shuffle", epoch));
                    orderEpoch = epoch;
                }
                int from = step % perEpoch * batch();
                List<T> global = new ArrayList<>();
                for (int i = from; i < Math.min(items.size(), from + batch()); i++) {
                    global.add(items.get(order[i]));
                }
                long tokens = global.stream().mapToLong(objective::tokens).sum();
                seen += tokens;
                double units = global.stream().mapToDouble(objective::units).sum();
                policy.parameters().grad().zero();
                for (int m = 0; m < global.size(); m += config.perDeviceTrainBatchSize()) {
                    List<T> micro = global.subList(m, Math.min(global.size(), m + config.perDeviceTrainBatchSize()));
                    Dropout dropout = new Dropout(objective.dropout(), RandomStream
                            .of(config.seed(), plan.name() + "/dropout", (long) step * batch() + m).nextLong());
                    objective.accumulate(Tape.recording(kernels, workspace, dropout), policy, micro, units, metrics);
                }
                Optimizer.Clip clip = optimizer.clip();
                if (!Double.isFinite(clip.norm())) {
                    throw BadInputException.of("expected a finite gradient, found norm %s at step %d of %s; lower "
                            + "learning_rate or set max_grad_norm", clip.norm(), step + 1, plan.name());
                }
                double rate = plan.learningRate() * schedule.factor(step);
                optimizer.step(rate, clip.factor(), step + 1);
                boolean logged = (step + 1) % config.loggingSteps() == 0 || step + 1 == total || step == 0;
                Map<String, Number> row = null;
                if (logged) {
                    row = new LinkedHashMap<>();
                    row.putAll(metrics.means());
                    row.put("learning_rate", rate);
                    row.put("grad_norm", clip.norm());
                    row.put("epoch", (step + 1) / (double) perEpoch);
                    row.put("num_tokens", seen);
                    metrics = new MetricSums();
                }
                listener.stepped(step + 1, row, tokens);
                boolean stop = interrupt.requested();
                if (step + 1 < total && (stop || (step + 1) % config.saveSteps() == 0)) {
                    save(policy, optimizer, plan, step + 1, seen, metrics);
                }
                if (stop && step + 1 < total) {
                    throw new Interrupt.Stopped(
                            "stopped after step " + (step + 1) + " of " + total + " of " + plan.name());
                }
            }
            plan.checks().choose(step, policy);
        }
    }

    private static int[] shuffled(int n, RandomStream random) {
        int[] order = new int[n];
        for (int i = 0; i < n; i++) {
            int j = random.nextInt(i + 1);
            order[i] = order[j];
            order[j] = i;
        }
        return order;
    }

    // ---- checkpoints -------------------------------------------------------------------------------------------------

    private static void save(Decoder policy, Optimizer optimizer, Plan plan, int step, long seen, MetricSums metrics) {
        Path folder = plan.checkpoints().resolve("checkpoint-" + step);
        try {
            Files.createDirectories(plan.checkpoints());
            AtomicFiles.deleteTree(folder);
            AtomicFiles.writeFolder(folder, temporary -> {
                // The model makes its folder itself.
                Files.delete(temporary);
                policy.save(temporary, "F32", plan.tokenizer());
                optimizer.save(temporary.resolve(OPTIMIZER));
                ObjectNode state = JSON.createObjectNode();
                state.put("step", step).put("num_tokens", seen).set("metrics", metrics.toJson());
                ObjectNode inputs = state.putObject("inputs");
                plan.inputs().forEach(inputs::put);
                Files.writeString(temporary.resolve(STATE), state.toString());
            });
            for (Path older : checkpoints(plan.checkpoints())) {
                if (stepOf(older) < step) {
                    AtomicFiles.deleteTree(older);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write checkpoint " + folder, e);
        }
    }

    /** The newest complete checkpoint in a folder. */
    static Optional<Path> latestCheckpoint(Path folder) {
        List<Path> all = checkpoints(folder);
        return all.isEmpty() ? Optional.empty() : Optional.of(all.getLast());
    }

    private static List<Path> checkpoints(Path folder) {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(p -> p.getFileName().toString().matches("checkpoint-[0-9]{1,9}"))
                    .filter(p -> Files.exists(p.resolve(STATE)))
                    .sorted(Comparator.comparingInt(Trainer::stepOf)).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int stepOf(Path checkpoint) {
        return Integer.parseInt(checkpoint.getFileName().toString().substring("checkpoint-".length()));
    }

    private static ObjectNode readState(Path checkpoint) {
        try {
            return (ObjectNode) JSON.readTree(checkpoint.resolve(STATE).toFile());
        } catch (IOException | ClassCastException e) {
            throw new BadInputException("expected a JSON object in " + checkpoint.resolve(STATE)
                    + "; delete that checkpoint folder and resume from the one before", e);
        }
    }
}
