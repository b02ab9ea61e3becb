package org.spin4j.training;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.spin4j.training.report.Report;
import org.spin4j.training.report.Report.Plot;
import org.spin4j.training.report.Report.Point;
import org.spin4j.training.report.Report.Section;
import org.spin4j.training.report.Report.Series;
import org.spin4j.training.selfreward.SelfRewardReport;

/** {@code report.html} of a run, made from the files of the run alone, so that it can be made again at any time. */
public final class RunReport {
    /** What the run was made by: command, backend, Java. */
    static final String FACTS = "run.json";
    private static final String PAGE = "report.html";
    private static final List<String> ALWAYS = List.of("model", "ref_model", "train_data", "eval_data", "seed", "optim",
            "learning_rate", "per_device_train_batch_size", "gradient_accumulation_steps", "lr_scheduler_type");
    private static final int LONGEST_TEXT = 1500;

    private final Path run;
    private final Map<String, List<Point>> metrics;
    /** Evaluations by the name of the model, in order. */
    private final Map<String, Evaluation> evaluations;
    private final boolean selfPlay;
    private final boolean selfReward;

    private RunReport(Path run) {
        this.run = run;
        this.metrics = metrics(run.resolve("metrics.jsonl"));
        this.evaluations = evaluations(run);
        this.selfPlay = Files.isDirectory(run.resolve("iteration-0"));
        this.selfReward = Files.isDirectory(run.resolve("m1"));
    }

    /**
     * Writes the report of a run, finished or not.
     *
     * @return the page
     * @throws BadInputException if the folder holds no run
     */
    public static Path write(Path run) {
        if (!Files.exists(run.resolve("config.yaml"))) {
            throw BadInputException.of(
                    "expected a run with config.yaml, found none in %s; give the output_dir of a run",
                    run);
        }
        Path page = run.resolve(PAGE);
        new RunReport(run).report().write(page);
        return page;
    }

    /** The sections of a run's report, for a page that shows more than one run. */
    public static List<Section> sections(Path run) {
        RunReport report = new RunReport(run);
        return report.sections(report.facts());
    }

    private Report report() {
        Map<String, String> facts = facts();
        String name = run.toAbsolutePath().normalize().getFileName().toString();
        return new Report(facts.getOrDefault("command", "run") + ": " + name, sections(facts));
    }

    private List<Section> sections(Map<String, String> facts) {
        List<Section> sections = new ArrayList<>();
        sections.add(new Report.Facts("The run", facts));
        if (!evaluations.isEmpty()) {
            sections.add(table());
            sections.addAll(evaluationPlots());
        }
        if (selfReward) {
            sections.addAll(SelfRewardReport.sections(run));
        }
        sections.addAll(trainingPlots());
        if (evaluations.values().stream().anyMatch(e -> !e.samples().isEmpty())) {
            sections.add(samples());
        }
        sections.add(new Report.Note("How to read this", notes()));
        return sections;
    }

    // ---- what the run is ---------------------------------------------------------------------------------------------

    private Map<String, String> facts() {
        Map<String, String> facts = new LinkedHashMap<>();
        Path file = run.resolve(FACTS);
        if (Files.exists(file)) {
            JsonLines.readWhole(file).properties().forEach(e -> facts.put(e.getKey(), e.getValue().asText()));
        }
        Method method = selfPlay
                ? Method.SPIN
                : selfReward
                        ? Method.SELF_REWARD
                        : Files.exists(run.resolve("reference")) ? Method.DPO : Method.SFT;
        facts.putIfAbsent("command", method.command());
        TrainConfig config = TrainConfig.load(method, Optional.of(run.resolve("config.yaml")), List.of()).config();
        Map<String, String> usual = ConfigKeys.texts(TrainConfig.defaults(method), false);
        ConfigKeys.texts(config, false).forEach((key, text) -> {
            boolean set = !text.isEmpty() && !text.equals("null");
            if (set && (ALWAYS.contains(key) || !text.equals(usual.get(key)))) {
                facts.put(key, text.startsWith("\"") ? text.substring(1, text.length() - 1) : text);
            }
        });
        return facts;
    }

    private static Map<String, List<Point>> metrics(Path file) {
        Map<String, List<Point>> metrics = new LinkedHashMap<>();
        if (!Files.exists(file)) {
            return metrics;
        }
        JsonLines.readAll(file, line -> {
            double step = line.object().path("step").asDouble();
            line.object().properties().forEach(e -> {
                if (e.getValue().isNumber()) {
                    metrics.computeIfAbsent(e.getKey(), n -> new ArrayList<>())
                            .add(Point.of(step, e.getValue().asDouble()));
                }
            });
            return line;
        });
        return metrics;
    }

    private static Map<String, Evaluation> evaluations(Path run) {
        Map<String, Evaluation> found = new LinkedHashMap<>();
        add(found, "start", run.resolve("start/evaluation"));
        add(found, "model", run.resolve("evaluation"));
        Map<Integer, Path> iterations = new TreeMap<>();
        try (var entries = Files.list(run)) {
            entries.filter(p -> p.getFileName().toString().matches("iteration-[0-9]{1,6}")).forEach(p -> iterations
                    .put(Integer.parseInt(p.getFileName().toString().substring("iteration-".length())), p));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        iterations.forEach((t, folder) -> add(found, "iteration " + t, folder.resolve("evaluation")));
        SelfRewardReport.models(run).forEach(name -> add(found, name, run.resolve(name).resolve("evaluation")));
        return found;
    }

    private static void add(Map<String, Evaluation> found, String name, Path stage) {
        if (Files.exists(stage.resolve(Evaluation.FILE))) {
            found.put(name, Evaluation.read(stage.resolve(Evaluation.FILE)));
        }
    }

    // ---- evaluations -------------------------------------------------------------------------------------------------

    private Section table() {
        Set<String> names = new LinkedHashSet<>();
        evaluations.values().forEach(e -> names.addAll(e.numbers().keySet()));
        List<String> header = new ArrayList<>(List.of("model"));
        names.forEach(n -> header.add(n.replace('_', ' ')));
        List<List<String>> rows = new ArrayList<>();
        evaluations.forEach((model, evaluation) -> {
            // The space must not break: a narrow column would tear the number off.
            List<String> row = new ArrayList<>(List.of(model.replace(' ', '\u00A0')));
            names.forEach(n -> row.add(cell(evaluation.numbers(), n)));
            rows.add(row);
        });
        return new Report.Table("Held-out rows", header, rows,
                "nll: nats per response token. In brackets: 95 % Wilson interval.");
    }

    private static String cell(Map<String, Double> numbers, String name) {
        Double value = numbers.get(name);
        if (value == null) {
            return "–";
        }
        return name.equals("reward_accuracy") && numbers.containsKey("held_out_pairs")
                ? accuracy(numbers).toString()
                : number(value);
    }

    /** A number as people read it: whole if it is whole, one digit behind the point if it is large, else four. */
    public static String number(double value) {
        boolean whole = value == Math.rint(value) && Math.abs(value) < 1e15 && value != 0;
        return String.format(Locale.ROOT, whole ? "%,.0f" : Math.abs(value) >= 10 ? "%,.1f" : "%.4f", value);
    }

    private static Interval accuracy(Map<String, Double> numbers) {
        int pairs = numbers.get("held_out_pairs").intValue();
        return Intervals.proportion((int) Math.round(numbers.get("reward_accuracy") * pairs), pairs);
    }

    private List<Section> evaluationPlots() {
        List<Section> plots = new ArrayList<>();
        if (!selfPlay) {
            return plots;
        }
        iterationPlot(plots, "Held-out negative log-likelihood", "nats per token",
                "Rises where the model unlearns its language: margins alone do not show that.", "nll_per_token");
        iterationPlot(plots, "Held-out margin", "β · (Δ real − Δ generated)",
                "Against the opponent of the same iteration, on pairs that were not trained on.", "margin");
        iterationPlot(plots, "Held-out reward accuracy", "share of pairs",
                "How often the real response is preferred; bars: 95 % Wilson intervals.", "reward_accuracy");
        iterationPlot(plots, "Length of responses", "tokens",
                "Generated by the opponent of the iteration. A gap that grows says that the game is about length.",
                "real_length", "generated_length");
        iterationPlot(plots, "Equal pairs", "share of pairs",
                "Pairs whose generated response equals the real one: nothing is left to tell apart.", "equal_pairs");
        return plots;
    }

    private void iterationPlot(List<Section> plots, String heading, String label, String caption, String... names) {
        List<Series> series = new ArrayList<>();
        for (String name : names) {
            List<Point> points = new ArrayList<>();
            evaluations.forEach((model, evaluation) -> {
                Double y = evaluation.numbers().get(name);
                if (y != null) {
                    int x = model.equals("start") ? -1 : Integer.parseInt(model.substring("iteration ".length()));
                    boolean interval = name.equals("reward_accuracy")
                            && evaluation.numbers().containsKey("held_out_pairs");
                    Interval i = interval ? accuracy(evaluation.numbers()) : new Interval(y, Double.NaN, Double.NaN);
                    points.add(new Point(x, y, i.low(), i.high()));
                }
            });
            if (!points.isEmpty()) {
                series.add(new Series(name.replace('_', ' '), points));
            }
        }
        if (!series.isEmpty()) {
            plots.add(new Plot(heading, "iteration (−1: the model at the start)", label, series, caption));
        }
    }

    // ---- training ----------------------------------------------------------------------------------------------------

    private List<Section> trainingPlots() {
        List<Section> plots = new ArrayList<>();
        stepPlot(plots, "Loss", "loss", selfPlay
                ? "Starts each iteration at ln 2 = 0.693: policy and opponent are the same model then."
                : selfReward
                        ? "First of SFT, nats per token; then of preferences, which start each iteration at ln 2 = 0.693."
                        : "",
                "loss");
        stepPlot(plots, "Rewards", "β · (log π − log π_ref)",
                "Of the preferred and the other response, relative to the frozen model.", "rewards/chosen",
                "rewards/rejected");
        stepPlot(plots, "Reward margins", "chosen − rejected", "", "rewards/margins");
        stepPlot(plots, "Reward accuracies", "share of pairs", "Pairs whose preferred response has the greater reward.",
                "rewards/accuracies");
        stepPlot(plots, "Log-probabilities", "nats per response", "Sums over the tokens of a response.",
                "logps/chosen", "logps/rejected");
        stepPlot(plots, "Entropy", "nats per token", "Falls where the model grows sure of itself; near 0 it repeats.",
                "entropy");
        stepPlot(plots, "Token accuracy", "share of tokens", "How often the likeliest token is the one in the data.",
                "mean_token_accuracy");
        stepPlot(plots, "Gradient norm", "l2 norm", "Before clipping.", "grad_norm");
        if (metrics.containsKey("learning_rate")) {
            // In millionths, so that the axis has short numbers.
            List<Point> rates = metrics.get("learning_rate").stream().map(p -> Point.of(p.x(), p.y() * 1e6)).toList();
            plots.add(new Plot("Learning rate", "optimiser step", "10⁻⁶", List.of(new Series("learning_rate", rates)),
                    ""));
        }
        return plots;
    }

    private void stepPlot(List<Section> plots, String heading, String label, String caption, String... names) {
        List<Series> series = new ArrayList<>();
        for (String name : names) {
            if (metrics.containsKey(name)) {
                series.add(new Series(name, metrics.get(name)));
            }
        }
        if (!series.isEmpty()) {
            plots.add(new Plot(heading, "optimiser step", label, series, caption));
        }
    }

    // ---- words -------------------------------------------------------------------------------------------------------

    private Section samples() {
        List<String> columns = new ArrayList<>(List.of("prompt", "real"));
        columns.addAll(evaluations.keySet());
        List<List<String>> rows = new ArrayList<>();
        List<Spin.Shown> first = evaluations.values().iterator().next().samples();
        for (int i = 0; i < first.size(); i++) {
            List<String> row = new ArrayList<>(
                    List.of(shortened(first.get(i).prompt()), shortened(first.get(i).real())));
            for (Evaluation e : evaluations.values()) {
                row.add(i < e.samples().size() ? shortened(e.samples().get(i).generated()) : "");
            }
            rows.add(row);
        }
        return new Report.Samples("Samples", columns, rows);
    }

    private static String shortened(String text) {
        return text.length() <= LONGEST_TEXT ? text : text.substring(0, LONGEST_TEXT) + " …";
    }

    private String notes() {
        if (!metrics.containsKey("rewards/margins")) {
            return """
                    The loss is the mean negative log-likelihood of the labelled tokens, in nats. Training loss that falls while \
                    the held-out figure rises says that the model learns its rows by heart: stop earlier or lower the rate.""";
        }
        String all = """
                The loss only asks that the margin between the two rewards grows. The reward of the preferred response may fall \
                all the same, as long as the other falls faster: both log-probabilities go down while the ranking improves. That \
                is usual, and it is a warning where the held-out negative log-likelihood rises with it: then the model pays for \
                the margin with its language. Lower the learning rate, raise β, or train fewer steps.

                A loss near 0 with an accuracy of 1 early in the run says that the two responses are told apart by something \
                cheap: a length, a phrase, an end token that only one of them has. Look at the samples.""";
        if (selfReward) {
            return all
                    + """


                            A model that judges itself can reward what it likes and not what is right: longer answers, its own turns of \
                            phrase. So the lengths of answers stand beside what the judge says of them, and figures that no model had a \
                            hand in, where there are any, beside both.""";
        }
        return selfPlay
                ? all + """


                        Each iteration compares the policy with the model it started from, so rewards and margins begin at 0 again, \
                        and margins of different iterations cannot be compared; the negative log-likelihood can. The opponent's \
                        answers come closer to the real ones from iteration to iteration; when it can no longer be told from the \
                        data, the accuracy falls to one half and the game is over."""
                : all;
    }
}
