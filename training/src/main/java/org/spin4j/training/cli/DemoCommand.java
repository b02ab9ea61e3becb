package org.spin4j.training.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.spin4j.kernels.Kernels;
import org.spin4j.training.Demo;
import org.spin4j.training.DemoReport;
import org.spin4j.training.Progress;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** From nothing to a model that has played against itself. */
@Command(name = "demo", description = {
        "Makes data, trains a tokenizer and a small model, then SFT, SPIN, and beside it continued SFT and DPO;",
        "prints held-out accuracy of each with 95 %% intervals and writes report.html. Run it again to go on",
        "where it stopped. The same seed gives the same table, whatever the threads."}, footer = {"", "Example:",
                "  spin4j demo --quick"})
final class DemoCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(names = "--quick", description = "A smaller demo, in a minute.")
    private boolean quick;

    @Option(names = "--out", paramLabel = "DIR", description = "Where everything goes (default: runs/demo, with --quick runs/demo-quick).")
    private Path out;

    @Option(names = "--seed", paramLabel = "N", description = "Seed of data, weights and samples (default: 1).")
    private long seed = 1;

    @Option(names = "--quiet", description = "No progress on standard error.")
    private boolean quiet;

    @Option(names = "--json", description = "Print the table as JSON.")
    private boolean json;

    @Mixin
    private Machine machine;

    @Override
    public Integer call() {
        if (quiet) {
            Spin4j.quietLog();
        }
        Path folder = out != null ? out : Path.of("runs", quick ? "demo-quick" : "demo");
        Kernels kernels = machine.kernels();
        return Failure.stoppable(spec.commandLine().getErr(), "run it again to go on", interrupt -> {
            Demo demo = new Demo(kernels, folder, quick ? Demo.Scale.QUICK : Demo.Scale.FULL, seed, new Progress(quiet),
                    interrupt);
            List<Demo.Score> scores = demo.run();
            Path page = demo.writeReport(scores);
            print(scores, page);
        });
    }

    private void print(List<Demo.Score> scores, Path page) {
        PrintWriter writer = spec.commandLine().getOut();
        DemoReport report = new DemoReport(scores);
        if (json) {
            ObjectNode node = new ObjectMapper().createObjectNode();
            for (Demo.Score s : scores) {
                node.putObject(s.model()).put("greedy_exact_match", s.greedyMean())
                        .put("sampled_exact_match", s.sampledMean()).put("nll_per_answer", s.nll())
                        .put("sampled_tokens", s.length());
            }
            report.findings().forEach(node.putArray("findings")::add);
            writer.println(node);
        } else {
            writer.print(report.text());
            writer.println("report  " + page);
        }
    }
}
