package org.spin4j.training.report;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.DoubleSummaryStatistics;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.knowm.xchart.ChartEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.markers.SeriesMarkers;
import org.spin4j.training.report.Report.Plot;
import org.spin4j.training.report.Report.Point;
import org.spin4j.training.report.Report.Series;

/** Draws a plot as SVG that stands inside an HTML page and takes the page's text colour, light or dark. */
final class PlotSvg {
    private static final int WIDTH = 560;
    private static final int HEIGHT = 360;
    /** More points than this cannot be told apart at this width. */
    private static final int MOST_POINTS = 600;
    /** Up to so many points, each gets a marker and its interval a whisker; above, a band. */
    private static final int FEW_POINTS = 24;
    /** Colours that the page replaces by its own: no series may have them. */
    private static final Color INK = new Color(1, 2, 3);
    private static final Color GRID = new Color(4, 5, 6);
    private static final Color CLEAR = new Color(0, 0, 0, 0);
    /** Told apart on white and on black, by colour-blind eyes too (after Okabe and Ito, a little darkened). */
    private static final List<Color> PALETTE = List.of(new Color(0x2F80C8), new Color(0xD97706), new Color(0x159A6C),
            new Color(0xC2557F), new Color(0x8A6BC9), new Color(0x7A7F87));
    private static final Pattern ID = Pattern.compile("clip-?[0-9]+");

    private PlotSvg() {}

    /**
     * An {@code <svg>} element.
     *
     * @param plot with at least one series that has a finite point
     * @param idPrefix makes ids inside the element unique on its page
     */
    static String render(Plot plot, String idPrefix) {
        XYChart chart = new XYChartBuilder().width(WIDTH).height(HEIGHT).xAxisTitle(plot.xLabel())
                .yAxisTitle(plot.yLabel()).build();
        style(chart.getStyler(), plot);
        int colour = 0;
        for (Series series : plot.series()) {
            List<Point> points = thin(finite(series));
            if (!points.isEmpty()) {
                draw(chart, series.name(), points, PALETTE.get(colour % PALETTE.size()), colour >= PALETTE.size());
            }
            colour++;
        }
        try {
            return embed(new String(ChartEncoder.getBytes(chart, "svg"), StandardCharsets.UTF_8), idPrefix);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The points of a series that can be drawn. */
    static List<Point> finite(Series series) {
        return series.points().stream().filter(p -> Double.isFinite(p.x()) && Double.isFinite(p.y())).toList();
    }

    private static List<Point> thin(List<Point> points) {
        int stride = Math.ceilDiv(points.size(), MOST_POINTS);
        return stride <= 1
                ? points
                : IntStream.range(0, points.size()).filter(i -> i % stride == 0 || i == points.size() - 1)
                        .mapToObj(points::get).toList();
    }

    private static void draw(XYChart chart, String name, List<Point> points, Color colour, boolean dashed) {
        boolean few = points.size() <= FEW_POINTS;
        List<Point> intervals = points.stream().filter(Point::hasInterval).toList();
        if (!few && !intervals.isEmpty()) {
            band(chart, name, intervals, colour);
        } else {
            intervals.forEach(p -> whisker(chart, name, p, colour));
        }
        List<Point> drawn = few ? points : unevenly(points);
        XYSeries line = chart.addSeries(name, drawn.stream().mapToDouble(Point::x).toArray(),
                drawn.stream().mapToDouble(Point::y).toArray());
        line.setLineColor(colour);
        line.setLineStyle(new BasicStroke(2, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND, 1,
                dashed ? new float[]{6, 4} : null, 0));
        line.setMarkerColor(colour);
        line.setMarker(few ? SeriesMarkers.CIRCLE : SeriesMarkers.NONE);
    }

    private static void whisker(XYChart chart, String name, Point p, Color colour) {
        XYSeries whisker = chart.addSeries(name + " interval at " + p.x(), new double[]{p.x(), p.x()},
                new double[]{p.low(), p.high()});
        whisker.setLineColor(colour);
        whisker.setLineStyle(new BasicStroke(1.2f));
        whisker.setMarker(SeriesMarkers.NONE);
        whisker.setShowInLegend(false);
    }

    private static void band(XYChart chart, String name, List<Point> points, Color colour) {
        int n = points.size();
        double[] x = IntStream.range(0, 2 * n).mapToDouble(i -> points.get(i < n ? i : 2 * n - 1 - i).x()).toArray();
        double[] y = IntStream.range(0, 2 * n)
                .mapToDouble(i -> i < n ? points.get(i).high() : points.get(2 * n - 1 - i).low()).toArray();
        XYSeries band = chart.addSeries(name + " interval", x, y);
        band.setXYSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.PolygonArea);
        band.setFillColor(new Color(colour.getRed(), colour.getGreen(), colour.getBlue(), 50));
        band.setLineColor(CLEAR);
        band.setMarker(SeriesMarkers.NONE);
        band.setShowInLegend(false);
    }

    /**
     * The same line with one more point on its first piece: at points in even steps XChart puts its ticks on some of them, 12, 24,
     * 36 for instance, and only otherwise on round numbers.
     */
    private static List<Point> unevenly(List<Point> points) {
        Point a = points.get(0);
        Point b = points.get(1);
        List<Point> more = new ArrayList<>(points);
        more.add(1, Point.of(a.x() + 0.3 * (b.x() - a.x()), a.y() + 0.3 * (b.y() - a.y())));
        return more;
    }

    private static void style(XYStyler style, Plot plot) {
        Font text = new Font(Font.SANS_SERIF, Font.PLAIN, 13);
        style.setChartBackgroundColor(CLEAR).setPlotBackgroundColor(CLEAR).setPlotBorderVisible(false)
                .setChartFontColor(INK).setChartPadding(4).setMarkerSize(7);
        style.setXAxisTitleColor(INK).setYAxisTitleColor(INK);
        style.setLegendBackgroundColor(CLEAR).setLegendBorderColor(CLEAR).setLegendFont(text).setLegendPadding(9)
                .setLegendPosition(Styler.LegendPosition.OutsideS).setLegendLayout(Styler.LegendLayout.Horizontal)
                .setLegendVisible(plot.series().size() > 1);
        style.setAxisTitleFont(text).setAxisTickLabelsFont(text).setAxisTickLabelsColor(INK).setAxisTickMarksColor(GRID)
                .setPlotGridLinesColor(GRID).setPlotGridVerticalLinesVisible(false)
                .setPlotGridLinesStroke(new BasicStroke(0.6f)).setAxisTicksMarksVisible(false)
                .setAxisTicksLineVisible(false);
        style.setLocale(Locale.ROOT);
        style.setYAxisTickLabelsFormattingFunction(PlotSvg::label);
        double[] xs = plot.series().stream().flatMap(s -> finite(s).stream()).mapToDouble(Point::x).toArray();
        DoubleSummaryStatistics range = Arrays.stream(xs).summaryStatistics();
        if (Arrays.stream(xs).allMatch(x -> x == Math.rint(x)) && range.getMax() - range.getMin() <= 20) {
            // Between iteration 1 and 2 there is none: a tick there gets no label.
            style.setXAxisTickLabelsFormattingFunction(
                    x -> Math.abs(x - Math.rint(x)) < 1e-6 ? String.format(Locale.ROOT, "%.0f", x) : "");
        }
    }

    /** A tick's number with no more digits than tell it from its neighbours. */
    private static String label(double y) {
        BigDecimal rounded = new BigDecimal(y).round(new MathContext(5)).stripTrailingZeros();
        boolean plain = y == 0 || Math.abs(y) >= 1e-4 && Math.abs(y) < 1e7;
        return plain ? rounded.toPlainString() : rounded.toString().replace("E", "e");
    }

    /** Takes what stands before the element away, lets it scale with the page and take the page's colours. */
    private static String embed(String document, String idPrefix) {
        String svg = document.substring(document.indexOf("<svg"));
        svg = svg.replaceFirst("height=\"[0-9]+px\"", "").replaceFirst("width=\"[0-9]+px\"", "role=\"img\"");
        svg = svg.replace("rgb(1,2,3)", "currentColor").replace("rgb(4,5,6)", "var(--grid)");
        StringBuilder out = new StringBuilder();
        Matcher id = ID.matcher(svg);
        Map<String, String> names = new HashMap<>();
        while (id.find()) {
            // XChart's ids are random; numbered ones give the same page for the same data.
            id.appendReplacement(out, names.computeIfAbsent(id.group(), k -> idPrefix + "-clip" + names.size()));
        }
        return id.appendTail(out).toString();
    }
}
