package org.spin4j.training.cli;

import java.io.OutputStreamWriter;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.spin4j.training.Spelling;
import org.spin4j.training.TrainConfig;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.WarmUp;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * The commands of {@code ./spin4j}. Exit code 0: done; 2: the input cannot be used, one line on standard error says why; 130:
 * stopped by the user, everything saved; 1: a fault of spin4j itself.
 */
@Command(name = "spin4j", synopsisSubcommandLabel = "COMMAND", description = {
        "Trains language models with SFT, DPO, SPIN and self-rewarding, on the JVM alone."}, footer = {"",
                "spin4j COMMAND --help tells more; spin4j doctor checks this machine."})
public final class Spin4j implements Runnable {
    /** In the order in which help lists them. */
    private static final Map<String, Class<?>> COMMANDS = commands();

    @Spec
    private CommandSpec spec;

    /** Runs a command and ends the process with its exit code. */
    public static void main(String[] args) {
        // Figures look the same everywhere, and in every report.
        Locale.setDefault(Locale.ROOT);
        if (args.length > 0 && args[0].equals("chat")) {
            // Before anything else, for this is what the first answer waits for longest; most checkpoints are in BF16.
            WarmUp.start(DType.BF16);
        }
        // The backend's line is worth reading; how Java dresses it is not.
        System.setProperty("java.util.logging.SimpleFormatter.format", "spin4j: %5$s%n");
        System.exit(run(args, writer(System.out), writer(System.err)));
    }

    private static Map<String, Class<?>> commands() {
        Map<String, Class<?>> commands = new LinkedHashMap<>();
        commands.put("demo", DemoCommand.class);
        commands.put("doctor", DoctorCommand.class);
        commands.put("tokenizer", TokenizerCommand.class);
        commands.put("sft", TrainCommand.SftCommand.class);
        commands.put("dpo", TrainCommand.DpoCommand.class);
        commands.put("spin", TrainCommand.SpinCommand.class);
        commands.put("self-reward", SelfRewardCommand.class);
        commands.put("generate", GenerateCommand.class);
        commands.put("chat", ChatCommand.class);
        commands.put("score", ScoreCommand.class);
        commands.put("convert", ConvertCommand.class);
        commands.put("report", ReportCommand.class);
        return commands;
    }

    private static PrintWriter writer(PrintStream stream) {
        return new PrintWriter(new OutputStreamWriter(stream, stream.charset()), true);
    }

    /**
     * Runs a command.
     *
     * @param out gets results
     * @param err gets the one line that says what is wrong
     * @return the exit code
     */
    static int run(String[] args, PrintWriter out, PrintWriter err) {
        CommandLine line = new CommandLine(new Spin4j());
        // A command's options are found by reflection, which takes its time: where one is named, the others are left alone.
        Class<?> named = args.length == 0 ? null : COMMANDS.get(args[0]);
        (named == null ? COMMANDS : Map.of(args[0], named)).forEach(line::addSubcommand);
        line.setOut(out).setErr(err).setExecutionStrategy(HubOptions::execute).setCaseInsensitiveEnumValuesAllowed(true)
                .setUsageHelpAutoWidth(true)
                .setParameterExceptionHandler((e, a) -> Failure.refused(err, wrongUse(e)))
                .setExecutionExceptionHandler((e, c, r) -> Failure.report(e, err));
        addHelp(line);
        try {
            return line.execute(args);
        } catch (OutOfMemoryError | StackOverflowError e) {
            return Failure.report(e, err);
        }
    }

    /** A log of what libraries have to say is wanted only where something is wrong. */
    static void quietLog() {
        Logger.getLogger("").setLevel(Level.WARNING);
    }

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    private static void addHelp(CommandLine line) {
        line.getCommandSpec().addOption(OptionSpec.builder("-h", "--help").usageHelp(true)
                .description("Show this help.").build());
        line.getSubcommands().values().forEach(Spin4j::addHelp);
        if (line.getCommand() instanceof TrainCommand train) {
            line.getHelpSectionMap().put(CommandLine.Model.UsageMessageSpec.SECTION_KEY_FOOTER,
                    help -> train.footer());
        }
    }

    // ---- what was typed wrongly --------------------------------------------------------------------------------------

    private static String wrongUse(ParameterException e) {
        CommandLine line = e.getCommandLine();
        String see = "; see " + line.getCommandSpec().qualifiedName() + " --help";
        if (e instanceof UnmatchedArgumentException unknown && !unknown.getUnmatched().isEmpty()) {
            return unknown(line, unknown.getUnmatched().getFirst()) + see;
        }
        List<String> unmatched = line.getUnmatchedArguments();
        if (e instanceof MissingParameterException && !unmatched.isEmpty() && unmatched.getFirst().startsWith("-")) {
            // What is missing may well be what was mistyped.
            return unknown(line, unmatched.getFirst()) + see;
        }
        if (e instanceof MissingParameterException missing && !missing.getMissing().isEmpty()) {
            List<String> names = missing.getMissing().stream()
                    .map(m -> m instanceof OptionSpec o ? o.longestName() + " " + o.paramLabel() : m.paramLabel())
                    .toList();
            return "expected " + String.join(" and ", names) + ", found nothing of that" + see;
        }
        if (e.getArgSpec() instanceof OptionSpec option && e.getValue() != null) {
            String what = option.type().isEnum()
                    ? "one of " + String.join(", ", option.completionCandidates())
                    : "a number";
            return "expected " + option.paramLabel() + " for " + option.longestName() + " to be " + what + ", found '"
                    + Failure.excerpt(e.getValue()) + "'" + see;
        }
        return e.getMessage().lines().findFirst().orElse("wrong use") + see;
    }

    private static String unknown(CommandLine line, String word) {
        boolean training = line.getCommand() instanceof TrainCommand;
        String bare = word.contains("=") ? word.substring(0, word.indexOf('=')) : word;
        List<String> known = new ArrayList<>();
        if (word.startsWith("-")) {
            line.getCommandSpec().options().forEach(o -> known.addAll(List.of(o.names())));
            if (training) {
                // --learning-rate is what many another program calls learning_rate=…
                TrainConfig.keys().forEach(k -> known.add("--" + k.replace('_', '-')));
            }
        } else {
            known.addAll(line.getSubcommands().keySet());
        }
        String what = word.startsWith("-") ? "option" : line.getSubcommands().isEmpty() ? "argument" : "command";
        String nearest = Spelling.nearest(bare.replace('_', '-'), known).orElse("");
        if (training && TrainConfig.keys().contains(nearest.replaceFirst("^--", "").replace('-', '_'))) {
            nearest = nearest.substring(2).replace('-', '_') + "=…";
        }
        return "expected a known " + what + ", found '" + Failure.excerpt(word) + "'"
                + (nearest.isEmpty() ? "" : "; the nearest is " + nearest);
    }
}
