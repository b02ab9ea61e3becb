package org.spin4j.training.cli;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.spin4j.training.RunReport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Writes the report of a run again. */
@Command(name = "report", description = "Writes report.html of a run again, from the run's files.", footer = {"",
        "Example:", "  spin4j report --run runs/spin"})
final class ReportCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(names = "--run", required = true, paramLabel = "DIR", description = "The run's folder, finished or not.")
    private Path run;

    @Override
    public Integer call() {
        spec.commandLine().getOut().println(RunReport.write(run));
        return 0;
    }
}
