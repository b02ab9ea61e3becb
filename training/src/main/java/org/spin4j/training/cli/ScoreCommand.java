package org.spin4j.training.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.spin4j.engine.Decoder;
import org.spin4j.kernels.Kernels;
import org.spin4j.training.ModelText;
import org.spin4j.training.Progress;
import org.spin4j.training.Scoring;
import org.spin4j.training.TextData;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Log-probabilities of given responses. */
@Command(name = "score", description = {"Log-probabilities, in nats, that a model gives to rows of data.", "",
        "  {\"input_ids\":[…]}  -> {\"logprobs\":[log p(id[t+1] | id[0..t]) …]}",
        "  {\"prompt_ids\":[…],\"chosen_ids\":[…],\"rejected_ids\":[…]}",
        "                     -> {\"chosen\":sum,\"rejected\":sum,\"chosen_logprobs\":[…],\"rejected_logprobs\":[…]}",
        "  {\"messages\":[…]}   -> {\"logprobs\":[…],\"sum\":…,\"tokens\":n} of the last assistant turn"}, footer = {"",
                "Example:", "  spin4j score --model runs/sft/model --data held-out.jsonl --out scores.jsonl"})
final class ScoreCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelOption model;

    @Option(names = "--data", required = true, paramLabel = "FILE", description = "Rows, one JSON object a line.")
    private Path data;

    @Option(names = "--out", required = true, paramLabel = "FILE", description = "A row of log-probabilities per row.")
    private Path out;

    @Option(names = "--tokenizer", paramLabel = "PATH", description = "Its folder or file (default: the model's).")
    private Path tokenizer;

    @Option(names = "--json", description = "Print the summary as JSON.")
    private boolean json;

    @Option(names = "--quiet", description = "No progress on standard error.")
    private boolean quiet;

    @Mixin
    private TemplateOption template;

    @Mixin
    private Weights weights;

    @Mixin
    private Adapter adapter;

    @Mixin
    private Machine machine;

    @Override
    public Integer call() {
        if (quiet) {
            Spin4j.quietLog();
        }
        Progress progress = new Progress(quiet);
        Scoring result;
        Kernels kernels = machine.kernels();
        try (Decoder decoder = adapter.load(model.path(), weights, kernels)) {
            TextData text = TextData.open(
                    ModelText.of(model.path(), Optional.ofNullable(tokenizer), template.chosen()), decoder.config(),
                    Integer.MAX_VALUE, Integer.MAX_VALUE);
            result = Scoring.of(decoder, kernels, text, data, out, progress);
        }
        if (result.cuts() > 0) {
            progress.say("spin4j: " + result.cuts() + " rows were longer than the model's positions and were cut");
        }
        PrintWriter print = spec.commandLine().getOut();
        if (json) {
            print.println(new ObjectMapper().createObjectNode().put("nats_per_token", result.natsPerToken())
                    .put("nats", result.nats()).put("tokens", result.tokens()).put("rows", result.rows())
                    .put("out", out.toString()));
        } else {
            print.println(result);
        }
        return 0;
    }
}
