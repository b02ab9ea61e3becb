package org.spin4j.training.report;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.spin4j.training.AtomicFiles;

/**
 * What a report says, apart from how it looks: a title and sections in order. All text is plain text; the page escapes it.
 *
 * @param title the page's title
 * @param sections in the order of the page
 */
public record Report(String title, List<Section> sections) {

    /** The list is copied. */
    public Report {
        sections = List.copyOf(sections);
    }

    /** Writes the report as one HTML file that needs nothing else; it appears complete or not at all. */
    public void write(Path file) {
        AtomicFiles.writeText(file, toHtml());
    }

    /** The report as HTML. */
    public String toHtml() {
        return new ReportPage(PlotSvg::render).html(this);
    }

    /** A part of the report. */
    public sealed interface Section {}

    /**
     * Name and value of what the run is: model, seed, time.
     *
     * @param heading the section's heading
     * @param facts in the order of the map
     */
    public record Facts(String heading, Map<String, String> facts) implements Section {}

    /**
     * A table. Cells that are numbers stand at the right.
     *
     * @param heading the section's heading
     * @param header names of the columns
     * @param rows cells, as many per row as the header has
     * @param caption a line below the table, may be empty
     */
    public record Table(String heading, List<String> header, List<List<String>> rows,
            String caption) implements Section {
        /** Every row is as long as the header. */
        public Table {
            header = List.copyOf(header);
            rows = rows.stream().map(List::copyOf).toList();
            for (List<String> row : rows) {
                if (row.size() != header.size()) {
                    throw new IllegalArgumentException("expected rows of " + header.size() + " cells, found " + row);
                }
            }
        }
    }

    /**
     * A line plot.
     *
     * @param heading the section's heading
     * @param xLabel name of the horizontal axis, with its unit
     * @param yLabel name of the vertical axis, with its unit
     * @param series the lines
     * @param caption a line below the plot, may be empty
     */
    public record Plot(String heading, String xLabel, String yLabel, List<Series> series, String caption)
            implements
                Section {
        /** The list is copied. */
        public Plot {
            series = List.copyOf(series);
        }
    }

    /**
     * A line of a plot.
     *
     * @param name its name in the legend, unique in the plot
     * @param points by rising x; points that are not finite are left out
     */
    public record Series(String name, List<Point> points) {
        /** The list is copied. */
        public Series {
            points = List.copyOf(points);
        }
    }

    /**
     * A point of a line, with an interval where {@code low} and {@code high} are finite.
     *
     * @param x horizontal
     * @param y vertical
     * @param low lower end of the interval, or NaN
     * @param high upper end of the interval, or NaN
     */
    public record Point(double x, double y, double low, double high) {
        /** A point without an interval. */
        public static Point of(double x, double y) {
            return new Point(x, y, Double.NaN, Double.NaN);
        }

        /** Whether the point has an interval. */
        public boolean hasInterval() {
            return Double.isFinite(low) && Double.isFinite(high);
        }
    }

    /**
     * Texts side by side: a prompt per row, an answer per column. Line breaks and spaces are kept.
     *
     * @param heading the section's heading
     * @param columns "prompt" and who answered, the iterations for instance
     * @param rows cells, as many per row as there are columns
     */
    public record Samples(String heading, List<String> columns, List<List<String>> rows) implements Section {
        /** The lists are copied. */
        public Samples {
            columns = List.copyOf(columns);
            rows = rows.stream().map(List::copyOf).toList();
        }
    }

    /**
     * A paragraph.
     *
     * @param heading the section's heading
     * @param text plain text; an empty line starts a new paragraph
     */
    public record Note(String heading, String text) implements Section {}
}
