package org.spin4j.training.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import org.spin4j.training.Method;
import org.spin4j.training.selfreward.SelfRewardDemo;
import org.spin4j.training.selfreward.SelfRewardDemoReport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Learns from its own judgement; without settings, a demo of that. */
@Command(name = "self-reward", description = {
        "Self-rewarding: the model answers prompts that it made up, judges its answers, and learns to prefer the better ones.",
        "",
        "Without --config and settings it is a demo: from nothing to M3, with a table and a report. Run it again to go on",
        "where it stopped.", "", "Rows of train_data, eval_data and eft_data, one JSON object a line:",
        "  {\"messages\":[{\"role\":\"user\",\"content\":…},{\"role\":\"assistant\",\"content\":…}]}",
        "Rows of ranked_data, from which judge examples are built:",
        "  {\"prompt\":…,\"responses\":[…,…],\"ranks\":[1,2]}   the best has the lowest rank",
        "Rows of judge_data, for a verifier:",
        "  {\"prompt\":…,\"answer\":…}   an answer or a list of them"})
final class SelfRewardCommand extends TrainCommand {
    @Option(names = "--quick", description = "Demo: a smaller one.")
    private boolean quick;

    @Option(names = "--out", paramLabel = "DIR", description = "Demo: where everything goes (default: runs/self-reward-demo, with --quick runs/self-reward-demo-quick).")
    private Path folder;

    @Option(names = "--seed", paramLabel = "N", description = "Demo: seed of data, weights and samples (default: 1).")
    private long seed = 1;

    SelfRewardCommand() {
        super(Method.SELF_REWARD, "spin4j self-reward model=models/base train_data=chats.jsonl "
                + "ranked_data=ranked.jsonl eval_data=held-out.jsonl output_dir=runs/self-reward");
    }

    @Override
    public Integer call() {
        if (describesRun()) {
            return super.call();
        }
        Path to = folder != null ? folder : Path.of("runs", quick ? "self-reward-demo-quick" : "self-reward-demo");
        return stoppable("run it again to go on", (kernels, progress, interrupt) -> {
            SelfRewardDemo demo = new SelfRewardDemo(kernels, to,
                    quick ? SelfRewardDemo.Scale.QUICK : SelfRewardDemo.Scale.FULL, seed, progress, interrupt);
            SelfRewardDemoReport report = demo.run();
            Path page = demo.writeReport(report);
            PrintWriter writer = out();
            if (json()) {
                writer.println(report.json());
            } else {
                writer.print(report.text());
                writer.println("report  " + page);
            }
        });
    }
}
