package org.spin4j.training.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.spin4j.engine.Decoder;
import org.spin4j.engine.Generator;
import org.spin4j.engine.Sample;
import org.spin4j.engine.Sampling;
import org.spin4j.kernels.Kernels;
import org.spin4j.training.AnswerText;
import org.spin4j.training.BadInputException;
import org.spin4j.training.Fingerprint;
import org.spin4j.training.Interrupt;
import org.spin4j.training.JsonLines;
import org.spin4j.training.ModelText;
import org.spin4j.training.Progress;
import org.spin4j.training.RowParser;
import org.spin4j.training.TextData;
import org.spin4j.training.UnfinishedRows;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Continues prompts. */
@Command(name = "generate", description = {"Continues prompts, many at once.", "",
        "  {\"prompt\":\"…\"} or {\"messages\":[…]} or {\"prompt_ids\":[…]}",
        "     -> the row plus {\"output_ids\":[…],\"output\":\"…\",\"finish_reason\":\"stop\" or \"length\"}",
        "        or, of several, {\"candidates\":[{\"output_ids\":…},…]}", "",
        "Sample i depends on the seed, its prompt and i alone, not on threads or streams. Rows done so far are in "
                + "FILE.partial; the same command goes on where it was stopped."}, footer = {"", "Example:",
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

    @Mixin
    private SamplingOptions options;

    @Option(names = "--candidates", paramLabel = "N", defaultValue = "1", description = "Samples of each prompt, which is computed once (default: ${DEFAULT-VALUE}).")
    private int candidates;

    @Option(names = "--streams", paramLabel = "N", defaultValue = "32", description = "Continuations that grow at once (default: ${DEFAULT-VALUE}).")
    private int streams;

    @Option(names = "--logprobs", description = "Write the log-probability of each token under the model.")
    private boolean logProbs;

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

    /** A row as it was read, and its prompt as ids. */
    private record Asked(ObjectNode row, int[] prompt) {}

    @Override
    public Integer call() {
        if (quiet) {
            Spin4j.quietLog();
        }
        Progress progress = new Progress(quiet);
        return Failure.stoppable(spec.commandLine().getErr(), "the same command goes on from there",
                interrupt -> generate(progress, interrupt));
    }

    private void generate(Progress progress, Interrupt interrupt) {
        Kernels kernels = machine.kernels();
        try (Decoder decoder = adapter.load(model.path(), weights, kernels)) {
            TextData text = TextData.open(
                    ModelText.of(model.path(), Optional.ofNullable(tokenizer), template.chosen()), decoder.config(),
                    Integer.MAX_VALUE, Integer.MAX_VALUE);
            Sampling sampling = options.sampling(text, 1, candidates, streams);
            List<String> stops = options.stops(text);
            List<Asked> rows = JsonLines.readAll(data, line -> {
                var prompt = RowParser.generate(line).prompt();
                return new Asked(line.object(),
                        line.located(() -> usable(text.prompt(prompt), decoder, sampling)));
            });
            if (text.cuts() > 0) {
                progress.say(
                        "spin4j: " + text.cuts() + " prompts were longer than the model's positions and lost their "
                                + "beginning");
            }
            try (UnfinishedRows results = UnfinishedRows.open(out, settings(sampling), rows.size());
                    Work work = new Work(rows, text, stops, results, progress, interrupt)) {
                if (results.done() > 0) {
                    progress.say("spin4j: going on after " + results.done() + " of " + rows.size() + " rows");
                }
                new Generator(decoder, kernels).generate(work.requests(), sampling, options.seed(), work);
                results.finish();
                print(rows.size(), work);
            }
        }
    }

    private static int[] usable(int[] ids, Decoder decoder, Sampling sampling) {
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
        if (sampling.maxLength() > 0 && ids.length >= sampling.maxLength()) {
            throw BadInputException.of(
                    "expected a prompt shorter than --max-length %d, found one of %d tokens; raise it",
                    sampling.maxLength(), ids.length);
        }
        return ids;
    }

    /** All that the rows depend on. */
    private ObjectNode settings(Sampling sampling) {
        ObjectNode settings = new ObjectMapper().createObjectNode();
        settings.put("model", model.path().toString()).put("model files", Fingerprint.ofNamesAndTimes(model.path()))
                .put("data", Fingerprint.of(data)).put("tokenizer", tokenizer == null ? "" : tokenizer.toString())
                .put("chat-template", template.chosen().orElse("")).put("dtype", weights.name())
                .put("adapter", adapter.fingerprint()).put("backend", machine.backend()).put("logprobs", logProbs);
        options.describe(sampling, settings);
        return settings;
    }

    private void print(int rows, Work work) {
        double seconds = work.seconds();
        if (json) {
            spec.commandLine().getOut().println(new ObjectMapper().createObjectNode().put("rows", rows)
                    .put("tokens", work.tokens).put("stopped", work.ended).put("seconds", seconds)
                    .put("out", out.toString()));
        } else {
            spec.commandLine().getOut().println(String.format(Locale.ROOT,
                    "%,d continuations of %,d tokens, %,d of them ended, %.1f s, %,.0f tokens/s", work.samples,
                    work.tokens, work.ended, seconds, work.tokens / seconds));
        }
    }

    /** Rows under way: writes each as soon as it is finished, and counts. */
    private final class Work implements Generator.Listener, AutoCloseable {
        private final List<Asked> rows;
        private final TextData text;
        private final List<String> stops;
        private final UnfinishedRows results;
        private final Interrupt interrupt;
        private final Progress.Task task;
        private final long begin = System.nanoTime();
        private long samples;
        private long tokens;
        private long ended;

        Work(List<Asked> rows, TextData text, List<String> stops, UnfinishedRows results, Progress progress,
                Interrupt interrupt) {
            this.rows = rows;
            this.text = text;
            this.stops = stops;
            this.results = results;
            this.interrupt = interrupt;
            task = progress.start("generate", "responses", rows.size());
            task.from(results.done());
        }

        Iterator<Generator.Request> requests() {
            return IntStream.range(0, rows.size()).filter(i -> !results.has(i))
                    .mapToObj(i -> new Generator.Request(i, rows.get(i).prompt())).iterator();
        }

        double seconds() {
            return (System.nanoTime() - begin) / 1e9;
        }

        @Override
        public IntPredicate begins(Generator.Request request, int candidate) {
            if (stops.isEmpty()) {
                return id -> false;
            }
            AnswerText answer = new AnswerText(text.tokenizer(), stops);
            return id -> {
                answer.accept(id);
                return answer.stopped();
            };
        }

        @Override
        public void finished(Generator.Request request, List<Sample> found) {
            int index = (int) request.number();
            ObjectNode line = rows.get(index).row().deepCopy();
            if (candidates == 1) {
                write(found.getFirst(), line);
            } else {
                ArrayNode all = line.putArray("candidates");
                found.forEach(sample -> write(sample, all.addObject()));
            }
            results.put(index, line);
        }

        private void write(Sample sample, ObjectNode line) {
            ArrayNode ids = line.putArray("output_ids");
            for (int id : sample.ids()) {
                ids.add(id);
            }
            if (text.hasTokenizer()) {
                AnswerText answer = new AnswerText(text.tokenizer(), stops);
                StringBuilder output = new StringBuilder();
                for (int id : sample.ids()) {
                    output.append(answer.accept(id));
                }
                line.put("output", output.append(answer.finish()).toString());
            }
            line.put("finish_reason", sample.finish() == Sample.Finish.STOP ? "stop" : "length");
            if (logProbs) {
                ArrayNode values = line.putArray("logprobs");
                for (double value : sample.logProbs()) {
                    values.add((float) value);
                }
            }
            samples++;
            ended += sample.finish() == Sample.Finish.STOP ? 1 : 0;
        }

        @Override
        public void passed(int more) {
            tokens += more;
            task.to(results.done(), more, "");
            if (interrupt.requested()) {
                throw new Interrupt.Stopped("stopped after " + results.done() + " of " + rows.size() + " rows");
            }
        }

        @Override
        public void close() {
            task.close();
        }
    }
}
