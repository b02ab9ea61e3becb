package org.spin4j.training.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.spin4j.training.report.Report.Facts;
import org.spin4j.training.report.Report.Note;
import org.spin4j.training.report.Report.Plot;
import org.spin4j.training.report.Report.Point;
import org.spin4j.training.report.Report.Samples;
import org.spin4j.training.report.Report.Series;
import org.spin4j.training.report.Report.Table;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;

class ReportTest {
    @TempDir
    Path folder;

    @Test
    void isOneFileThatNeedsNothingElse() {
        Path file = folder.resolve("report.html");
        sample().write(file);
        assertThat(file).content().startsWith("<!DOCTYPE html>").contains("<svg", "prefers-color-scheme: dark")
                .doesNotContainPattern("(src|href)\\s*=").doesNotContain("<script", "@import");
    }

    @Test
    void plotsAreWellFormedAndTakeThePagesColours() throws Exception {
        String html = sample().toHtml();
        List<String> plots = Pattern.compile("<svg.*?</svg>", Pattern.DOTALL).matcher(html).results()
                .map(MatchResult::group).toList();
        assertThat(plots).hasSize(2);
        for (String plot : plots) {
            assertThat(parse(plot).getDocumentElement().getAttribute("aria-label")).isNotEmpty();
            assertThat(plot).contains("currentColor", "var(--grid)").doesNotContain("rgb(1,2,3)", "rgb(4,5,6)");
        }
        List<String> ids = Pattern.compile("id=\"([^\"]+)\"").matcher(html).results().map(m -> m.group(1)).toList();
        assertThat(ids).isNotEmpty().doesNotHaveDuplicates();
        assertThat(sample().toHtml()).as("the same data gives the same page").isEqualTo(html);
    }

    @Test
    void textFromDataCannotBecomeMarkup() {
        String evil = "</pre><script>alert(\"'1'\")</script>&\u0000";
        String html = new Report(evil, List.of(new Facts(evil, Map.of(evil, evil)),
                new Table(evil, List.of(evil), List.of(List.of(evil)), evil),
                new Samples(evil, List.of(evil), List.of(List.of(evil))), new Note(evil, evil),
                new Plot(evil, evil, evil, List.of(new Series(evil, List.of(Point.of(0, 1), Point.of(1, 2)))), evil)))
                .toHtml();
        assertThat(html).doesNotContain("<script", "\u0000")
                .contains("&lt;/pre&gt;&lt;script&gt;alert(&quot;&#39;1&#39;&quot;)");
    }

    @Test
    void withoutFontsTheNumbersAreThere() {
        List<BiFunction<Plot, String, String>> failing = List.of((plot, id) -> {
            throw new IllegalStateException("Fontconfig head is null, check your fonts or fonts configuration");
        }, (plot, id) -> {
            throw new NoClassDefFoundError("Could not initialize class sun.font.FontManagerFactory");
        }, (plot, id) -> {
            throw new InternalError("no fonts");
        });
        for (BiFunction<Plot, String, String> renderer : failing) {
            assertThat(new ReportPage(renderer).html(sample())).contains("apt-get install fontconfig", ">0.81500<",
                    ">[0.77860, 0.84660]<").doesNotContain("<svg");
        }
        assertThatThrownBy(() -> new ReportPage((plot, id) -> {
            throw new OutOfMemoryError("not a matter of fonts");
        }).html(sample())).isInstanceOf(OutOfMemoryError.class);
    }

    @Test
    void valuesThatCannotBeDrawnAreLeftOut() {
        Plot nothing = new Plot("h", "x", "y", List.of(new Series("a", List.of(Point.of(0, Double.NaN)))), "");
        assertThat(new Report("t", List.of(nothing)).toHtml()).contains("Nothing to plot");
        Plot some = new Plot("h", "x", "y", List.of(new Series("empty", List.of()),
                new Series("one", List.of(Point.of(3, 2))),
                new Series("gap", List.of(Point.of(0, 1), Point.of(1, Double.POSITIVE_INFINITY), Point.of(2, 1)))), "");
        assertThat(new Report("t", List.of(some)).toHtml()).contains("<svg");
    }

    @Test
    void longSeriesAreThinned() {
        Series line = new Series("loss", IntStream.range(0, 200_000).mapToObj(i -> Point.of(i, Math.sin(i))).toList());
        assertThat(new Report("t", List.of(new Plot("h", "x", "y", List.of(line), ""))).toHtml().length())
                .isLessThan(200_000);
    }

    @Test
    void rowsFitTheirHeader() {
        assertThatThrownBy(() -> new Table("h", List.of("a", "b"), List.of(List.of("1")), ""))
                .hasMessageContaining("expected rows of 2 cells");
    }

    /** A report with every kind of section. */
    static Report sample() {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("model", "demo, 165,120 parameters");
        facts.put("seed", "42");
        facts.put("command", "spin4j demo --seed 42");
        Series loss = new Series("SPIN 0", IntStream.range(0, 200)
                .mapToObj(i -> Point.of(i, 0.69 * Math.exp(-i / 90.0) + 0.02 * Math.sin(i))).toList());
        Series band = new Series("SPIN 1", IntStream.range(0, 200).mapToObj(i -> new Point(i, 0.5 - i / 600.0,
                0.45 - i / 600.0, 0.55 - i / 600.0)).toList());
        Series greedy = new Series("greedy",
                List.of(new Point(0, 0.761, 0.7216, 0.7962), new Point(1, 0.815, 0.7786, 0.8466),
                        new Point(2, 0.827, 0.7914, 0.8577), new Point(3, 0.843, 0.8086, 0.8722)));
        Series sampled = new Series("sampled",
                List.of(new Point(0, 0.476, 0.4326, 0.5198), new Point(1, 0.559, 0.5152, 0.602),
                        new Point(2, 0.641, 0.598, 0.6819), new Point(3, 0.686, 0.644, 0.7251)));
        return new Report("Self-play on five small tasks", List.of(new Facts("Run", facts),
                new Table("Held-out exact match", List.of("model", "greedy", "sampled", "NLL"),
                        List.of(List.of("SFT", "0.761 [0.722, 0.796]", "0.476", "1.08"),
                                List.of("SPIN 0", "0.815 [0.779, 0.847]", "0.559", "0.87"),
                                List.of("continued SFT", "0.876 [0.844, 0.902]", "0.772", "–")),
                        "500 prompts; 95 % Wilson intervals"),
                new Plot("Held-out exact match per iteration", "iteration", "exact match", List.of(greedy, sampled),
                        "Whiskers: 95 % Wilson intervals."),
                new Plot("Loss", "step", "loss", List.of(loss, band), ""),
                new Samples("Samples", List.of("prompt", "SFT", "SPIN 0", "SPIN 1"),
                        List.of(List.of("reverse lamp", "pmal", "pmal", "pmal"),
                                List.of("spell 342", "three hundred and\nforty-too", "three hundred and forty-two",
                                        "three hundred and forty-two <eos>"))),
                new Note("What one may say",
                        "SPIN lifts the model it starts from, without labels.\n\nIt does not beat continued SFT.")));
    }

    private static Document parse(String xml) throws ParserConfigurationException, SAXException, IOException {
        return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new InputSource(new StringReader(xml)));
    }
}
