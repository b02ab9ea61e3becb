package org.spin4j.training.cli;

import java.nio.file.Path;
import org.spin4j.training.Progress;
import org.spin4j.training.hub.Hub;
import picocli.CommandLine.ExecutionException;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.RunLast;

/**
 * Where a command takes the path of a model or a tokenizer it also takes {@code hf:owner/name@revision}: before the command begins,
 * that becomes the folder in the hub's cache.
 */
final class HubOptions {
    private HubOptions() {}

    /** Runs what was typed. */
    static int execute(ParseResult parsed) {
        ParseResult command = parsed;
        while (command.hasSubcommand()) {
            command = command.subcommand();
        }
        if (!command.isUsageHelpRequested()) {
            Progress progress = new Progress(command.hasMatchedOption("--quiet"));
            for (ArgSpec arg : command.matchedArgs()) {
                if (arg.getValue() instanceof Path path && Hub.isName(path)) {
                    resolve(command, arg, path, progress);
                }
            }
        }
        return new RunLast().execute(parsed);
    }

    private static void resolve(ParseResult command, ArgSpec arg, Path name, Progress progress) {
        boolean tokenizer = arg instanceof OptionSpec option && option.longestName().equals("--tokenizer");
        try {
            arg.setValue(Hub.local(name, tokenizer ? Hub.Part.TOKENIZER : Hub.Part.MODEL, progress));
        } catch (RuntimeException e) {
            throw new ExecutionException(command.commandSpec().commandLine(), "the hub", e);
        }
    }
}
