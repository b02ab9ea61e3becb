package org.spin4j.training.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.spin4j.kernels.Kernels;
import org.spin4j.training.Interrupt;
import org.spin4j.training.Method;
import org.spin4j.training.Progress;
import org.spin4j.training.RunReport;
import org.spin4j.training.TrainConfig;
import org.spin4j.training.TrainingRun;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** A training command: they differ in their method and their help alone. */
abstract sealed class TrainCommand implements Callable<Integer>
        permits TrainCommand.SftCommand, TrainCommand.DpoCommand, TrainCommand.SpinCommand, SelfRewardCommand {
    @Spec
    private CommandSpec spec;

    @Option(names = "--config", paramLabel = "FILE", description = "YAML file of keys and values.")
    private Path file;

    @Option(names = "--resume", description = "Go on with the run in output_dir; without --config, with its own config.yaml.")
    private boolean resume;

    @Option(names = "--quiet", description = "No progress on standard error.")
    private boolean quiet;

    @Option(names = "--json", description = "Print the result as JSON.")
    private boolean json;

    @Mixin
    private Machine machine;

    @Parameters(paramLabel = "key=value", description = "Settings that win over the file.")
    private List<String> overrides = new ArrayList<>();

    private final Method method;
    private final String example;

    TrainCommand(Method method, String example) {
        this.method = method;
        this.example = example;
    }

    /** Learns responses. */
    @Command(name = "sft", description = {"Supervised fine-tuning: learns the responses in the data.", "",
            "Rows of train_data and eval_data, one JSON object a line:",
            "  {\"messages\":[{\"role\":…,\"content\":…},…]}"
                    + " learns the last assistant turn",
            "  {\"prompt\":…,\"completion\":…}",
            "  {\"input_ids\":[…],\"labels\":[…]}   -100: not learnt", "  {\"text\":…}"})
    static final class SftCommand extends TrainCommand {
        SftCommand() {
            super(Method.SFT, "spin4j sft model=models/base train_data=chats.jsonl eval_data=held-out.jsonl "
                    + "output_dir=runs/sft learning_rate=5e-5");
        }
    }

    /** Learns from preferences. */
    @Command(name = "dpo", description = {"Direct preference optimisation: learns which of two responses is preferred.",
            "", "Rows of train_data and eval_data, one JSON object a line:",
            "  {\"prompt\":…,\"chosen\":…,\"rejected\":…}          text, or messages in the same places",
            "  {\"chosen\":[messages],\"rejected\":[messages]}  whole conversations that differ in the last turn",
            "  {\"prompt_ids\":[…],\"chosen_ids\":[…],\"rejected_ids\":[…]}"})
    static final class DpoCommand extends TrainCommand {
        DpoCommand() {
            super(Method.DPO, "spin4j dpo model=runs/sft/model train_data=pairs.jsonl output_dir=runs/dpo "
                    + "learning_rate=5e-7 beta=0.1");
        }
    }

    /** Learns from playing against itself. */
    @Command(name = "spin", description = {
            "Self-play fine-tuning: learns to tell the data's responses from its own, again and again.", "",
            "Rows of train_data and eval_data, one JSON object a line: those of sft that have a prompt, or",
            "  {\"real\":[messages],\"generated\":[messages]}",
            "  {\"prompt_ids\":[…],\"real_ids\":[…],\"generated_ids\":[…]}",
            "whose generated responses iteration 0 takes instead of sampling its own."})
    static final class SpinCommand extends TrainCommand {
        SpinCommand() {
            super(Method.SPIN, "spin4j spin model=runs/sft/model train_data=chats.jsonl eval_data=held-out.jsonl "
                    + "output_dir=runs/spin iterations=3 learning_rate=5e-7");
        }
    }

    /** What stands below the options: the keys, and an example. */
    String footer() {
        return String.format("%nKeys:%n%s%nExample:%n  %s%n",
                TrainConfig.help(Optional.of(method)).indent(2).stripTrailing(),
                example);
    }

    @Override
    public Integer call() {
        List<String> settings = new ArrayList<>(overrides);
        settings.addAll(machine.settings());
        TrainConfig.Loaded loaded = TrainConfig.load(method, configFile(settings), settings);
        TrainConfig config = loaded.config();
        return stoppable(() -> Machine.open(config.backend(), config.threads()), "go on with --resume",
                (kernels, progress, interrupt) -> {
                    loaded.unused()
                            .forEach(key -> progress.say("spin4j: " + method.command() + " does not use " + key));
                    print(TrainingRun.run(method, config, resume, kernels, progress, interrupt));
                });
    }

    /** Work of a command. */
    @FunctionalInterface
    interface Work {
        /** Does it, until it is done or the user asks to stop. */
        void run(Kernels kernels, Progress progress, Interrupt interrupt);
    }

    /**
     * Does work that Ctrl-C may stop.
     *
     * @param next what the user can do after a stop
     * @return the exit code
     */
    private int stoppable(Supplier<Kernels> kernels, String next, Work work) {
        if (quiet) {
            Spin4j.quietLog();
        }
        Progress progress = new Progress(quiet);
        Kernels opened = kernels.get();
        return Failure.stoppable(spec.commandLine().getErr(), next,
                interrupt -> work.run(opened, progress, interrupt));
    }

    /** The same on the machine that the options describe. */
    int stoppable(String next, Work work) {
        return stoppable(machine::kernels, next, work);
    }

    /** Whether anything was said of a run: a file, a setting, that it is to be gone on with. */
    boolean describesRun() {
        return file != null || resume || !overrides.isEmpty();
    }

    /** Whether the result is wanted as JSON. */
    boolean json() {
        return json;
    }

    /** Where results go. */
    PrintWriter out() {
        return spec.commandLine().getOut();
    }

    /** With {@code --resume} alone, the run knows best what it is. */
    private Optional<Path> configFile(List<String> settings) {
        if (file != null || !resume) {
            return Optional.ofNullable(file);
        }
        return TrainConfig.load(method, Optional.empty(), settings).config().outputDir()
                .map(folder -> folder.resolve("config.yaml")).filter(Files::exists);
    }

    private void print(TrainingRun.Outcome outcome) {
        PrintWriter out = out();
        if (json) {
            ObjectNode node = new ObjectMapper().createObjectNode();
            node.put("run", outcome.run().toString()).put("model", outcome.model().toString()).put("report",
                    outcome.report().toString());
            ObjectNode results = node.putObject("results");
            outcome.results().forEach((model, numbers) -> numbers.forEach(results.withObject("/" + model)::put));
            out.println(node);
            return;
        }
        if (!outcome.results().isEmpty()) {
            table(out, outcome.results());
        }
        out.println("model   " + outcome.model());
        out.println("report  " + outcome.report());
    }

    private static void table(PrintWriter out, Map<String, Map<String, Double>> results) {
        Set<String> names = new LinkedHashSet<>();
        results.values().forEach(numbers -> names.addAll(numbers.keySet()));
        StringBuilder head = new StringBuilder(" ".repeat(14));
        names.forEach(n -> head.append(String.format("  %s", n)));
        out.println(head);
        results.forEach((model, numbers) -> {
            StringBuilder row = new StringBuilder(String.format("%-14s", model));
            names.forEach(n -> row.append(String.format("  %" + n.length() + "s",
                    numbers.containsKey(n) ? RunReport.number(numbers.get(n)) : "–")));
            out.println(row);
        });
    }
}
