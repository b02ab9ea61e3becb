package org.spin4j.training.selfreward;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.spin4j.training.Demo;
import org.spin4j.training.Interval;
import org.spin4j.training.Intervals;
import org.spin4j.training.JsonLines;
import org.spin4j.training.judge.RewardModelReport;
import org.spin4j.training.report.Report;
import org.spin4j.training.report.TextTable;

/** What the self-rewarding demo found, as tables for the terminal and as a page with plots; whichever way the figures fall. */
public final class SelfRewardDemoReport {
    /**
     * A model.
     *
     * @param score  answers to the test prompts
     * @param reward as a judge of ranked answers to the test prompts: names and values of {@link RewardModelReport#numbers}
     * @param duels  its answers against those of the model before, by the true score; empty for the first model
     * @param pairs  of the preference pairs it was trained on, how many have the better answer chosen, equal ones, the worse chosen, no task
     */
    record Row(Demo.Score score, Map<String, Double> reward, Map<String, Double> duels, int[] pairs) {}

    private static final List<String> ANSWERS = List.of("model", "greedy EM [95 %]", "sampled EM [95 %]", "NLL/answer",
            "tokens", "greedy gain over M1 [95 %]", "sampled gain over M1 [95 %]");

    private final List<Row> rows;

    SelfRewardDemoReport(List<Row> rows) {
        this.rows = List.copyOf(rows);
    }

    private static Interval share(double[] right) {
        return Intervals.proportion((int) Arrays.stream(right).sum(), right.length);
    }

    private static String signed(Interval i) {
        return String.format(Locale.ROOT, "%+.3f [%+.3f, %+.3f]", i.estimate(), i.low(), i.high());
    }

    private Demo.Score m1() {
        return rows.stream().map(Row::score).filter(s -> s.model().equals("M1")).findFirst().orElseThrow();
    }

    private List<List<String>> answers() {
        List<List<String>> cells = new ArrayList<>();
        boolean after = false;
        for (Row row : rows) {
            Demo.Score s = row.score();
            cells.add(List.of(s.model(), share(s.greedy()).toString(), share(s.sampled()).toString(),
                    String.format(Locale.ROOT, "%.3f", s.nll()), String.format(Locale.ROOT, "%.1f", s.length()),
                    after ? signed(Intervals.pairedDifference(s.greedy(), m1().greedy())) : "",
                    after ? signed(Intervals.pairedDifference(s.sampled(), m1().sampled())) : ""));
            after |= s.model().equals("M1");
        }
        return cells;
    }

    private static List<String> judgeHeader() {
        List<String> header = new ArrayList<>(List.of("model as a judge"));
        header.addAll(RewardFigures.NAMES.values());
        return header;
    }

    private List<List<String>> judges() {
        List<List<String>> cells = new ArrayList<>();
        for (Row row : rows) {
            List<String> line = new ArrayList<>(List.of(row.score().model()));
            RewardFigures.NAMES.keySet().forEach(name -> line
                    .add(RewardFigures.interval(row.reward(), name).map(Interval::toString).orElse("–")));
            cells.add(line);
        }
        return cells;
    }

    private static final List<String> DUELS = List.of("answers of", "win [95 %]", "tie", "loss [95 %]", "characters",
            "training pairs right / equal / wrong / no task");

    private List<List<String>> duels() {
        List<List<String>> cells = new ArrayList<>();
        for (int i = 1; i < rows.size(); i++) {
            Map<String, Double> d = rows.get(i).duels();
            int[] pairs = rows.get(i).pairs();
            cells.add(List.of(rows.get(i).score().model() + " against " + rows.get(i - 1).score().model(),
                    interval(d, "win"), String.format(Locale.ROOT, "%.3f", d.getOrDefault("tie", Double.NaN)),
                    interval(d, "loss"),
                    String.format(Locale.ROOT, "%.1f / %.1f", d.getOrDefault("first_length", Double.NaN),
                            d.getOrDefault("second_length", Double.NaN)),
                    Arrays.stream(pairs).sum() == 0
                            ? "–"
                            : pairs[0] + " / " + pairs[1] + " / " + pairs[2] + " / " + pairs[3]));
        }
        return cells;
    }

    private static String interval(Map<String, Double> numbers, String name) {
        return RewardFigures.interval(numbers, name).map(Interval::toString).orElse("–");
    }

    /** What may be said, and what may not. */
    public List<String> findings() {
        List<String> lines = new ArrayList<>();
        Demo.Score last = rows.getLast().score();
        if (!last.model().equals("M1") && !last.model().equals("SFT")) {
            Interval greedy = Intervals.pairedDifference(last.greedy(), m1().greedy());
            Interval sampled = Intervals.pairedDifference(last.sampled(), m1().sampled());
            lines.add(verdict(greedy.low() > 0 || sampled.low() > 0, greedy.high() < 0 || sampled.high() < 0)
                    + " from M1 to "
                    + last.model() + ": greedy " + signed(greedy) + ", sampled " + signed(sampled) + ".");
            double before = pairwise("M1");
            double after = pairwise(last.model());
            lines.add(String.format(Locale.ROOT, "As a judge, pairwise accuracy goes from %.3f (M1) to %.3f (%s)%s",
                    before,
                    after, last.model(), after > before ? "." : ": it does not improve."));
        }
        return lines;
    }

    private double pairwise(String model) {
        return rows.stream().filter(r -> r.score().model().equals(model)).findFirst().orElseThrow().reward()
                .getOrDefault("pairwise_accuracy", Double.NaN);
    }

    private static String verdict(boolean gains, boolean loses) {
        return gains && !loses
                ? "Its own judgement makes it better"
                : loses && !gains
                        ? "Its own judgement makes it WORSE"
                        : gains ? "Its own judgement makes it better at one and WORSE at the other" : "No clear change";
    }

    /** The tables for a terminal, with the findings below them. */
    public String text() {
        StringBuilder out = new StringBuilder(TextTable.of(ANSWERS, answers()));
        out.append('\n').append(TextTable.of(judgeHeader(), judges()));
        out.append('\n').append(TextTable.of(DUELS, duels())).append('\n');
        findings().forEach(f -> out.append(f).append('\n'));
        return out.toString();
    }

    /** The same as JSON. */
    public ObjectNode json() {
        ObjectNode node = JsonLines.JSON.createObjectNode();
        for (Row row : rows) {
            ObjectNode model = node.putObject(row.score().model());
            model.put("greedy_exact_match", row.score().greedyMean()).put("sampled_exact_match",
                    row.score().sampledMean()).put("nll_per_answer", row.score().nll())
                    .put("sampled_tokens", row.score().length());
            row.reward().forEach(model.putObject("reward_model")::put);
            row.duels().forEach(model.putObject("against_the_model_before")::put);
        }
        findings().forEach(node.putArray("findings")::add);
        return node;
    }

    /**
     * Writes the page.
     *
     * @param facts what the demo was run with
     * @param more  further sections, those of the run
     */
    void write(Path file, Map<String, String> facts, List<Report.Section> more) {
        List<Report.Section> sections = new ArrayList<>();
        sections.add(new Report.Note("Findings", String.join("\n\n", findings())));
        sections.add(new Report.Table("Answers to held-out prompts", ANSWERS, answers(),
                "Share of test prompts answered exactly right, with Wilson 95 % intervals; gains are paired, prompt by "
                        + "prompt. SFT learns instruction data alone, M1 judge data too."));
        sections.add(new Report.Table("Judgement of ranked answers", judgeHeader(), judges(),
                "Against the true ranking of answers to the test prompts, with 95 % bootstrap intervals over prompts. "
                        + RewardModelReport.RULES));
        sections.add(new Report.Table("Answers against those of the model before", DUELS, duels(),
                "Sampled answers to the test prompts, compared by their true scores. Training pairs: whether the answer that "
                        + "the model itself chose has the better true score."));
        sections.add(plot("Held-out exact match", "share right", List.of(
                series("greedy", r -> share(r.score().greedy())), series("sampled", r -> share(r.score().sampled())))));
        sections.add(plot("The model as a judge", "agreement with the true ranking",
                RewardFigures.NAMES.entrySet().stream().map(e -> series(e.getValue(),
                        r -> RewardFigures.interval(r.reward(), e.getKey())
                                .orElse(new Interval(Double.NaN, Double.NaN, Double.NaN))))
                        .toList()));
        sections.add(plot("Length of answers", "tokens", List.of(series("sampled",
                r -> new Interval(r.score().length(), Double.NaN, Double.NaN)))));
        sections.add(new Report.Facts("Run", new LinkedHashMap<>(facts)));
        sections.addAll(more);
        new Report("spin4j self-reward: demo", sections).write(file);
    }

    /** A figure of a model. */
    @FunctionalInterface
    private interface Figure {
        Interval of(Row row);
    }

    private static Report.Plot plot(String heading, String label, List<Report.Series> series) {
        return new Report.Plot(heading, "model (0: SFT, 1: M1, 2: M2, …)", label, series, "Bars are 95 % intervals.");
    }

    private Report.Series series(String name, Figure figure) {
        List<Report.Point> points = new ArrayList<>();
        for (int i = 0; i < rows.size(); i++) {
            Interval value = figure.of(rows.get(i));
            points.add(new Report.Point(i, value.estimate(), value.low(), value.high()));
        }
        return new Report.Series(name, points);
    }
}
