package org.spin4j.training.selfreward;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.spin4j.training.JsonLines;
import org.spin4j.training.report.Report;
import org.spin4j.training.report.Report.Point;
import org.spin4j.training.report.Report.Section;
import org.spin4j.training.report.Report.Series;

/** The sections of a report that only self-rewarding has, made from the files of the run alone. */
public final class SelfRewardReport {
    private final Path run;
    /** Folder names of the models that were made from preferences, in order. */
    private final List<String> models;

    private SelfRewardReport(Path run) {
        this.run = run;
        this.models = models(run).stream().filter(name -> Files.exists(run.resolve(name).resolve("prompts"))).toList();
    }

    /** The models of a run in the order they are made, {@code sft}, {@code m1}, {@code m2}, …; none if it is no such run. */
    public static List<String> models(Path run) {
        TreeMap<Integer, String> numbered = new TreeMap<>();
        try (Stream<Path> entries = Files.list(run)) {
            entries.map(p -> p.getFileName().toString()).filter(name -> name.matches("m[0-9]{1,4}"))
                    .forEach(name -> numbered.put(Integer.parseInt(name.substring(1)), name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        List<String> names = new ArrayList<>();
        if (Files.exists(run.resolve(SelfReward.SFT))) {
            names.add(SelfReward.SFT);
        }
        names.addAll(numbered.values());
        return names;
    }

    /** The sections of a run, finished or not. */
    public static List<Section> sections(Path run) {
        SelfRewardReport report = new SelfRewardReport(run);
        List<Section> sections = new ArrayList<>();
        report.eft(sections);
        Map<String, PairSummary> summaries = report.summaries();
        if (!summaries.isEmpty()) {
            sections.add(report.pairs(summaries));
            sections.add(report.scores(summaries));
        }
        report.refusals(sections);
        report.checks(sections);
        return sections;
    }

    private void eft(List<Section> sections) {
        Path file = run.resolve("eft").resolve(SelfReward.SUMMARY);
        if (!Files.exists(file)) {
            return;
        }
        JsonNode node = JsonLines.readWhole(file);
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("ranked prompts", node.path("prompts").asText());
        facts.put("whose judgements agree with the ranking", node.path("agreeing").asText());
        facts.put("without a usable judgement", node.path("unusable").asText());
        facts.put("examples left out to balance the scores", node.path("thinned").asText());
        facts.put("judge examples", node.path("examples").asText());
        List<String> scores = new ArrayList<>();
        node.path("histogram").properties()
                .forEach(e -> scores.add(PairSummary.number(Double.parseDouble(e.getKey())) + ": " + e.getValue()));
        facts.put("of each score", String.join(", ", scores));
        sections.add(new Report.Facts("Judge examples built from ranked responses", facts));
    }

    private Map<String, PairSummary> summaries() {
        Map<String, PairSummary> summaries = new LinkedHashMap<>();
        for (String model : models) {
            Path file = run.resolve(model).resolve("pairs").resolve(SelfReward.SUMMARY);
            if (Files.exists(file)) {
                summaries.put(model, PairSummary.read(file));
            }
        }
        return summaries;
    }

    private Section pairs(Map<String, PairSummary> summaries) {
        List<List<String>> rows = new ArrayList<>();
        List<String> same = new ArrayList<>();
        summaries.forEach((model, s) -> {
            rows.add(Stream.of(s.prompts(), s.pairs(), s.ties(), s.equal(), s.unjudged(),
                    s.histogram().values().stream().mapToInt(Integer::intValue).sum(),
                    s.unusable().values().stream().mapToInt(Integer::intValue).sum())
                    .map(n -> String.format(Locale.ROOT, "%,d", n)).collect(ArrayList::new, ArrayList::add,
                            ArrayList::addAll));
            rows.getLast().addFirst(model);
            if (s.alwaysTheSame()) {
                same.add("For " + model + " the judge said " + PairSummary.number(s.histogram().firstKey())
                        + " of everything: it cannot tell candidates apart. ");
            }
        });
        return new Report.Table("Preference pairs",
                List.of("for", "prompts", "pairs", "ties", "equal texts", "unjudged", "scores", "unusable judgements"),
                rows, String.join("", same)
                        + "Best against worst candidate of each prompt. A tie, two equal texts or too few scores drop that one "
                        + "prompt.");
    }

    private Section scores(Map<String, PairSummary> summaries) {
        List<Series> series = new ArrayList<>();
        summaries.forEach((model, s) -> {
            double all = s.histogram().values().stream().mapToInt(Integer::intValue).sum();
            List<Point> points = new ArrayList<>();
            s.histogram().forEach((score, n) -> points.add(Point.of(score, n / all)));
            series.add(new Series("for " + model, points));
        });
        return new Report.Plot("Scores that the judge gave", "score", "share of judgements", series,
                "A judge that gives one score to nearly everything rewards nothing.");
    }

    private void refusals(List<Section> sections) {
        Map<String, Map<String, Integer>> refused = new LinkedHashMap<>();
        TreeSet<String> reasons = new TreeSet<>();
        for (String model : models) {
            Path file = run.resolve(model).resolve("prompts").resolve(NewPrompts.REFUSED);
            if (Files.exists(file)) {
                Map<String, Integer> counts = NewPrompts.refusals(file);
                refused.put(model, counts);
                reasons.addAll(counts.keySet());
            }
        }
        if (refused.isEmpty()) {
            return;
        }
        List<String> header = new ArrayList<>(List.of("for", "accepted"));
        header.addAll(reasons);
        List<List<String>> rows = new ArrayList<>();
        refused.forEach((model, counts) -> {
            List<String> row = new ArrayList<>(List.of(model, Integer.toString(
                    JsonLines.readAll(run.resolve(model).resolve("prompts").resolve(NewPrompts.FILE), l -> l).size())));
            reasons.forEach(reason -> row.add(Integer.toString(counts.getOrDefault(reason, 0))));
            rows.add(row);
        });
        sections.add(new Report.Table("New prompts, and why others were refused", header, rows, ""));
    }

    private void checks(List<Section> sections) {
        List<List<String>> rows = new ArrayList<>();
        for (String model : models) {
            for (EarlyStopping.Verdict v : EarlyStopping.Verdict.all(run.resolve(model).resolve("checks"))) {
                List<String> row = new ArrayList<>(List.of(model, Integer.toString(v.step())));
                v.inOrder().forEach(n -> row.add(n.toString()));
                row.add(Integer.toString(v.best()));
                rows.add(row);
            }
        }
        if (!rows.isEmpty()) {
            sections.add(new Report.Table("Early stopping",
                    List.of("model", "step", "wins", "ties", "losses", "unjudged", "best step so far"), rows,
                    "Answers to held-out prompts against those of the best step before, compared by the judge."));
        }
    }
}
