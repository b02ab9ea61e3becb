package org.spin4j.training.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.BiFunction;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.spin4j.training.report.Report.Facts;
import org.spin4j.training.report.Report.Note;
import org.spin4j.training.report.Report.Plot;
import org.spin4j.training.report.Report.Point;
import org.spin4j.training.report.Report.Samples;
import org.spin4j.training.report.Report.Section;
import org.spin4j.training.report.Report.Series;
import org.spin4j.training.report.Report.Table;

/** Turns a report into a page. Everything that comes from data is escaped. */
final class ReportPage {
    private static final Pattern NUMBER = Pattern
            .compile("[+\\-−–]?[.\\d][\\d.,_  ]*(e[+-]?\\d+)?( ?[%±].*| ?\\[.*]| ?\\(.*\\))?");
    private static final String STYLE = """
            :root { color-scheme: light dark; --ink: #1d2430; --soft: #5b6472; --paper: #fbfbfa; --card: #fff; --grid: #d9dce1; \
            --head: #f1f2f4; --accent: #2f80c8 }
            @media (prefers-color-scheme: dark) { :root { --ink: #e4e7ec; --soft: #98a1b0; --paper: #14171c; --card: #1b1f26; \
            --grid: #333943; --head: #232831 } }
            * { box-sizing: border-box }
            body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", \
            Roboto, "DejaVu Sans", sans-serif }
            main { max-width: 1180px; margin: 0 auto; padding: 1.2rem 1rem 3rem; display: grid; gap: 1rem; \
            grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)) }
            h1 { font-size: 1.6rem; line-height: 1.2; margin: .6rem 0 .2rem; grid-column: 1 / -1 }
            h2 { font-size: 1.05rem; margin: 0 0 .6rem }
            section { background: var(--card); border: 1px solid var(--grid); border-radius: .6rem; padding: 1rem; min-width: 0 }
            section.wide { grid-column: 1 / -1 }
            .scroll { overflow-x: auto }
            svg { display: block; width: 100%; height: auto; max-width: 46rem; margin: 0 auto }
            table { border-collapse: collapse; width: 100%; font-size: .92rem }
            th, td { padding: .35rem .6rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--grid) }
            thead th { background: var(--head); font-weight: 600; white-space: nowrap }
            tbody tr:last-child td { border-bottom: 0 }
            .n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
            dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: 0 }
            dt { color: var(--soft) }
            dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums }
            pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; min-width: 8rem; font: .86rem/1.45 ui-monospace, \
            "DejaVu Sans Mono", monospace }
            p { margin: .4rem 0; max-width: 75ch }
            .soft { color: var(--soft); font-size: .88rem }
            @media print { section { break-inside: avoid } }
            """;

    private final BiFunction<Plot, String, String> renderer;
    private int plots;

    /** @param renderer draws a plot as an svg element, given a prefix for its ids */
    ReportPage(BiFunction<Plot, String, String> renderer) {
        this.renderer = renderer;
    }

    String html(Report report) {
        return """
                <!DOCTYPE html>
                <html lang="en">
                <head>
                <meta charset="utf-8">
                <meta name="viewport" content="width=device-width, initial-scale=1">
                <title>%1$s</title>
                <style>
                %2$s</style>
                </head>
                <body>
                <main>
                <h1>%1$s</h1>
                %3$s</main>
                </body>
                </html>
                """.formatted(escape(report.title()), STYLE,
                report.sections().stream().map(this::section).collect(Collectors.joining()));
    }

    private String section(Section section) {
        return switch (section) {
            case Facts f -> frame(f.heading(), false, f.facts().entrySet().stream()
                    .map(e -> "<dt>" + escape(e.getKey()) + "</dt><dd>" + escape(e.getValue()) + "</dd>")
                    .collect(Collectors.joining("\n", "<dl>", "</dl>")));
            case Table t -> frame(t.heading(), t.header().size() > 4, table(t.header(), t.rows()) + soft(t.caption()));
            case Plot p -> frame(p.heading(), false, plot(p) + soft(p.caption()));
            case Samples s -> frame(s.heading(), true, samples(s));
            case Note n -> frame(n.heading(), true, n.text().strip().lines().collect(Collectors.joining("\n"))
                    .transform(ReportPage::paragraphs));
        };
    }

    private static String frame(String heading, boolean wide, String body) {
        return "<section" + (wide ? " class=\"wide\"" : "") + ">\n<h2>" + escape(heading) + "</h2>\n" + body
                + "\n</section>\n";
    }

    private static String paragraphs(String text) {
        return List.of(text.split("\n\\s*\n")).stream().map(p -> "<p>" + escape(p) + "</p>")
                .collect(Collectors.joining("\n"));
    }

    private static String soft(String text) {
        return text.isEmpty() ? "" : "\n<p class=\"soft\">" + escape(text) + "</p>";
    }

    private static String table(List<String> header, List<List<String>> rows) {
        List<Boolean> numeric = new ArrayList<>();
        for (int c = 0; c < header.size(); c++) {
            int column = c;
            numeric.add(rows.stream().map(r -> r.get(column).strip())
                    .allMatch(cell -> cell.isEmpty() || cell.equals("–") || NUMBER.matcher(cell).matches()));
        }
        StringBuilder html = new StringBuilder("<div class=\"scroll\"><table>\n<thead><tr>");
        for (int c = 0; c < header.size(); c++) {
            html.append(numeric.get(c) ? "<th class=\"n\">" : "<th>").append(escape(header.get(c))).append("</th>");
        }
        html.append("</tr></thead>\n<tbody>\n");
        for (List<String> row : rows) {
            html.append("<tr>");
            for (int c = 0; c < row.size(); c++) {
                html.append(numeric.get(c) ? "<td class=\"n\">" : "<td>").append(escape(row.get(c))).append("</td>");
            }
            html.append("</tr>\n");
        }
        return html.append("</tbody></table></div>").toString();
    }

    private static String samples(Samples samples) {
        String head = samples.columns().stream().map(c -> "<th>" + escape(c) + "</th>").collect(Collectors.joining());
        String body = samples.rows().stream().map(row -> row.stream()
                .map(cell -> "<td><pre>" + escape(cell) + "</pre></td>")
                .collect(Collectors.joining("", "<tr>", "</tr>\n")))
                .collect(Collectors.joining());
        return "<div class=\"scroll\"><table>\n<thead><tr>" + head + "</tr></thead>\n<tbody>\n" + body
                + "</tbody></table></div>";
    }

    private String plot(Plot plot) {
        if (plot.series().stream().allMatch(s -> PlotSvg.finite(s).isEmpty())) {
            return "<p class=\"soft\">Nothing to plot: no finite value was logged.</p>";
        }
        try {
            String svg = renderer.apply(plot, "plot" + ++plots);
            String label = escape(plot.heading() + ": " + plot.yLabel() + " over " + plot.xLabel());
            return svg.replaceFirst("role=\"img\"", "role=\"img\" aria-label=\"" + label.replace("$", "\\$") + "\"");
        } catch (RuntimeException | LinkageError e) {
            return withoutFonts(plot, e);
        } catch (Error e) {
            // Java's font code throws a bare Error or an InternalError where it finds no font; nothing else here does.
            if (e.getClass() == Error.class || e instanceof InternalError) {
                return withoutFonts(plot, e);
            }
            throw e;
        }
    }

    /** Java draws text, and therefore plots, only where the system has fontconfig and a font: numbers need neither. */
    private static String withoutFonts(Plot plot, Throwable reason) {
        List<List<String>> rows = new ArrayList<>();
        for (Series series : plot.series()) {
            for (Point p : series.points()) {
                rows.add(List.of(series.name(), number(p.x()), number(p.y()),
                        p.hasInterval() ? "[" + number(p.low()) + ", " + number(p.high()) + "]" : ""));
            }
        }
        return soft("Numbers instead of a plot: this machine could not draw text (" + reason
                + "). Install fontconfig and a font (Debian, Ubuntu: apt-get install fontconfig fonts-dejavu-core; Fedora: "
                + "dnf install fontconfig dejavu-sans-fonts) and run ./spin4j report again.")
                + table(List.of("series", plot.xLabel(), plot.yLabel(), "interval"), rows);
    }

    private static String number(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e15
                ? String.format(Locale.ROOT, "%.0f", value)
                : String.format(Locale.ROOT, "%.5g", value);
    }

    private static String escape(String text) {
        StringBuilder escaped = new StringBuilder(text.length() + 16);
        text.codePoints().forEach(c -> {
            switch (c) {
                case '&' -> escaped.append("&amp;");
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '"' -> escaped.append("&quot;");
                case '\'' -> escaped.append("&#39;");
                default -> {
                    // Control characters and lone surrogates are not allowed in HTML.
                    boolean allowed = c == '\n' || c == '\t' || c >= 0x20 && !(c >= 0x7F && c < 0xA0)
                            && !(c >= 0xD800 && c < 0xE000);
                    escaped.appendCodePoint(allowed ? c : 0xFFFD);
                }
            }
        });
        return escaped.toString();
    }
}
