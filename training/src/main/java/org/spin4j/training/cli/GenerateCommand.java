package org.spin4j.training.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import org.spin4j.engine.Decoder;
import org.spin4j.engine.Generator;
import org.spin4j.engine.Sample;
import org.spin4j.engine.Sampling;
import org.spin4j.training.BadInputException;
import org.spin4j.training.Interrupt;
import org.spin4j.training.JsonLines;
import org.spin4j.training.ModelText;
import org.spin4j.training.Progress;
import org.spin4j.training.RowParser;
import org.spin4j.training.TextData;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Continues prompts. */
@Command(name = "generate", description = {"Continues prompts, many at once.", "",
        "  {\"prompt\":\"…\"} or {\"messages\":[…]} or {\"prompt_ids\":[…]}",
        "     -> the row plus {\"output_ids\":[…],\"output\":\"…\",\"finish_reason\":\"stop\" or \"length\"}", "",
        "Sample i depends on the seed, its prompt and i alone, not on threads or streams."}, footer = {"", "Example:",
                "  spin4j generate --model runs/sft/model --data prompts.jsonl --out answers.jsonl --temperature 0.7"})
final class GenerateCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelOption model;

    @Option(names = "--data", required = true, paramLabel = "FILE", description = "Rows, one JSON object a line.")
    private Path data;

    @Option(names = "--out", required = true, paramLabel = "FILE", description = "The rows with their continuations.")
    private Path out;

    @Option(names = "--tokenizer", paramLabel = "PATH", description = "Its folder or file (default: the model's).")
    private Path tokenizer;

    @Option(names = "--max-new-tokens", paramLabel = "N", defaultValue = "256", description = "Longest continuation (default: ${DEFAULT-VALUE}).")
    private int maxNewTokens;

    @Option(names = "--temperature", paramLabel = "T", defaultValue = "1", description = "0: greedy (default: ${DEFAULT-VALUE}).")
    private double temperature;

    @Option(names = "--top-p", paramLabel = "P", defaultValue = "1", description = "Smallest set of tokens with this probability (default: ${DEFAULT-VALUE}, all).")
    private double topP;

    @Option(names = "--top-k", paramLabel = "K", defaultValue = "0", description = "This many most probable tokens (default: ${DEFAULT-VALUE}, all).")
    private int topK;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "42", description = "Same seed, same samples (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(names = "--streams", paramLabel = "N", defaultValue = "32", description = "Continuations that grow at once (default: ${DEFAULT-VALUE}).")
    private int streams;

    @Option(names = "--ignore-eos", description = "Go on to the longest continuation, past end tokens.")
    private boolean ignoreEos;

    @Option(names = "--json", description = "Print the summary as JSON.")
    private boolean json;

    @Option(names = "--quiet", description = "No progress on standard error.")
    private boolean quiet;

    @Mixin
    private TemplateOption template;

    @Mixin
    private Weights weights;

    @Mixin
    private Machine machine;

    /** A row as it was read, and its prompt as ids. */
    private record Asked(ObjectNode row, int[] prompt) {}

    @Override
    public Integer call() {
        if (quiet) {
            Spin4j.quietLog();
        }
        Progress progress = new Progress(quiet);
        return Failure.stoppable(spec.commandLine().getErr(), "nothing was written",
                interrupt -> generate(progress, interrupt));
    }

    private void generate(Progress progress, Interrupt interrupt) {
        try (Decoder decoder = weights.load(model.path())) {
            TextData text = TextData.open(
                    ModelText.of(model.path(), Optional.ofNullable(tokenizer), template.chosen()), decoder.config(),
                    Integer.MAX_VALUE, Integer.MAX_VALUE);
            Sampling sampling = Sampling.pure(maxNewTokens, ignoreEos ? Set.of() : Set.copyOf(text.endIds()), streams)
                    .with(temperature, topK, topP);
            List<Asked> rows = JsonLines.readAll(data, line -> {
                var prompt = RowParser.generate(line).prompt();
                return new Asked(line.object(), line.located(() -> known(text.prompt(prompt), decoder)));
            });
            if (text.cuts() > 0) {
                progress.say(
                        "spin4j: " + text.cuts() + " prompts were longer than the model's positions and lost their "
                                + "beginning");
            }
            long begin = System.nanoTime();
            List<Sample> samples;
            try (Progress.Task task = progress.start("generate", "responses", rows.size())) {
                samples = new Generator(decoder, machine.kernels()).generate(rows.stream().map(Asked::prompt).toList(),
                        sampling, seed, n -> {
                            task.to(n, 0, "");
                            if (interrupt.requested()) {
                                throw new Interrupt.Stopped("stopped");
                            }
                        });
            }
            double seconds = (System.nanoTime() - begin) / 1e9;
            write(rows, samples, text);
            print(samples, seconds);
        }
    }

    private static int[] known(int[] ids, Decoder decoder) {
        for (int id : ids) {
            if (id >= decoder.config().vocabSize()) {
                throw BadInputException.of(
                        "expected token ids below %d (vocab_size), found %d; use the model's tokenizer",
                        decoder.config().vocabSize(), id);
            }
        }
        if (ids.length == 0) {
            throw BadInputException.of("expected a prompt of at least one token, found an empty one; write some text");
        }
        return ids;
    }

    private void write(List<Asked> rows, List<Sample> samples, TextData text) {
        List<ObjectNode> lines = new ArrayList<>();
        for (int i = 0; i < rows.size(); i++) {
            Sample sample = samples.get(i);
            ObjectNode line = rows.get(i).row().deepCopy();
            ArrayNode ids = line.putArray("output_ids");
            for (int id : sample.ids()) {
                ids.add(id);
            }
            if (text.hasTokenizer()) {
                line.put("output", text.text(sample.ids()));
            }
            line.put("finish_reason", sample.finish() == Sample.Finish.STOP ? "stop" : "length");
            lines.add(line);
        }
        JsonLines.writeAll(out, lines);
    }

    private void print(List<Sample> samples, double seconds) {
        long tokens = samples.stream().mapToLong(s -> s.ids().length).sum();
        long ended = samples.stream().filter(s -> s.finish() == Sample.Finish.STOP).count();
        if (json) {
            spec.commandLine().getOut().println(new ObjectMapper().createObjectNode().put("rows", samples.size())
                    .put("tokens", tokens).put("stopped", ended).put("seconds", seconds).put("out", out.toString()));
        } else {
            spec.commandLine().getOut().println(String.format(Locale.ROOT,
                    "%,d continuations of %,d tokens, %,d of them ended, %.1f s, %,.0f tokens/s", samples.size(),
                    tokens,
                    ended, seconds, tokens / seconds));
        }
    }
}
