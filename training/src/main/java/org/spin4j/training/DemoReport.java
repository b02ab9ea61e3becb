package org.spin4j.training;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.spin4j.training.report.Report;
import org.spin4j.training.report.TextTable;

/** What the demo found, as a table for the terminal and as a page with plots. The table says what the figures say, whichever way they fall. */
public final class DemoReport {
    private static final List<String> HEADER = List.of("model", "greedy EM [95 %]", "sampled EM [95 %]", "NLL/answer",
            "tokens", "greedy gain over SFT [95 %]");

    private final List<Demo.Score> scores;

    /** A report on the scores of a demo, in the order of the table. */
    public DemoReport(List<Demo.Score> scores) {
        this.scores = List.copyOf(scores);
    }

    private static Interval share(double[] right) {
        return Intervals.proportion((int) Arrays.stream(right).sum(), right.length);
    }

    private Demo.Score sft() {
        return scores.stream().filter(s -> s.model().equals(Demo.SFT)).findFirst().orElseThrow();
    }

    private List<Demo.Score> spin() {
        return scores.stream().filter(s -> s.model().startsWith(Demo.SPIN)).toList();
    }

    /** The rows of the table; the gain is paired, prompt by prompt. */
    List<List<String>> rows() {
        List<List<String>> rows = new ArrayList<>();
        boolean after = false;
        for (Demo.Score s : scores) {
            String gain = after ? signed(Intervals.pairedDifference(s.greedy(), sft().greedy())) : "";
            after |= s.model().equals(Demo.SFT);
            rows.add(List.of(s.model(), share(s.greedy()).toString(), share(s.sampled()).toString(),
                    String.format(Locale.ROOT, "%.3f", s.nll()), String.format(Locale.ROOT, "%.1f", s.length()), gain));
        }
        return rows;
    }

    private static String signed(Interval i) {
        return String.format(Locale.ROOT, "%+.3f [%+.3f, %+.3f]", i.estimate(), i.low(), i.high());
    }

    /** What may be said of SPIN here, and what may not. */
    public List<String> findings() {
        if (spin().isEmpty()) {
            return List.of();
        }
        Demo.Score last = spin().getLast();
        List<String> lines = new ArrayList<>();
        Interval greedy = Intervals.pairedDifference(last.greedy(), sft().greedy());
        Interval sampled = Intervals.pairedDifference(last.sampled(), sft().sampled());
        lines.add(verdict(greedy.low() > 0 && sampled.low() > 0, greedy.high() < 0 || sampled.high() < 0)
                + " over SFT after " + spin().size() + " iterations: greedy " + signed(greedy) + ", sampled "
                + signed(sampled) + ".");
        scores.stream().filter(s -> s.model().equals(Demo.CONTINUED)).findFirst().ifPresent(c -> {
            Interval d = Intervals.pairedDifference(last.greedy(), c.greedy());
            Interval e = Intervals.pairedDifference(last.sampled(), c.sampled());
            lines.add("Against continued SFT on as many tokens: greedy " + signed(d) + ", sampled " + signed(e)
                    + (d.high() < 0 || e.high() < 0 ? "; plain SFT is ahead here." : "."));
        });
        return lines;
    }

    private static String verdict(boolean gains, boolean loses) {
        return gains ? "SPIN gains" : loses ? "SPIN LOSES: it does worse" : "SPIN shows no clear gain";
    }

    /** The table for a terminal, with the findings below it. */
    public String text() {
        StringBuilder out = new StringBuilder(TextTable.of(HEADER, rows()));
        findings().forEach(f -> out.append(f).append('\n'));
        return out.toString();
    }

    /**
     * Writes the page.
     *
     * @param facts what the demo was run with
     * @param more  further sections, those of the SPIN run
     */
    public void write(Path file, Map<String, String> facts, List<Report.Section> more) {
        List<Report.Section> sections = new ArrayList<>();
        sections.add(new Report.Note("Findings", String.join("\n\n", findings())));
        sections.add(new Report.Table("Held-out exact match", HEADER, rows(),
                "Share of held-out prompts answered exactly right, with Wilson 95 % intervals; the gain is the paired "
                        + "difference on the same prompts."));
        sections.add(new Report.Plot("Held-out exact match per iteration", "iteration (-1: SFT)", "share right",
                List.of(series("greedy", true), series("sampled", false)), "Bars are Wilson 95 % intervals."));
        sections.add(new Report.Facts("Run", new LinkedHashMap<>(facts)));
        sections.addAll(more);
        new Report("spin4j demo", sections).write(file);
    }

    private Report.Series series(String name, boolean greedy) {
        List<Report.Point> points = new ArrayList<>();
        List<Demo.Score> line = new ArrayList<>(List.of(sft()));
        line.addAll(spin());
        for (int i = 0; i < line.size(); i++) {
            Interval share = share(greedy ? line.get(i).greedy() : line.get(i).sampled());
            points.add(new Report.Point(i - 1.0, share.estimate(), share.low(), share.high()));
        }
        return new Report.Series(name, points);
    }
}
