package org.spin4j.training;

import java.io.PrintStream;
import java.time.Duration;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * Tells a person how far long work is: a bar with rate and time left on a terminal, a line now and then elsewhere. Written to
 * standard error, so that standard output holds results only.
 */
public final class Progress {
    private static final long SILENT_SECONDS = 30;

    private final boolean terminal;
    private final boolean quiet;
    private final PrintStream out = System.err;

    /**
     * Progress on standard error.
     *
     * @param quiet say nothing
     */
    @SuppressWarnings("SystemConsoleNull") // java.base's own console, the default again since JDK 25, may be null
    public Progress(boolean quiet) {
        this.quiet = quiet;
        this.terminal = System.console() != null && System.console().isTerminal();
    }

    /** One line of information. */
    public void say(String line) {
        if (!quiet) {
            out.println(line);
        }
    }

    /** Begins a task of {@code total} units, named as {@code unit} in the plural. */
    public Task start(String name, String unit, long total) {
        return new Task(name, unit, total);
    }

    /** A task under way. */
    public final class Task implements AutoCloseable {
        private final String name;
        private final String unit;
        private final long total;
        private final ProgressBar bar;
        private final long begin = System.nanoTime();
        private long lastSaid = begin;
        private long start;
        private long done;
        private long tokens;

        private Task(String name, String unit, long total) {
            this.name = name;
            this.unit = unit;
            this.total = total;
            this.bar = terminal && !quiet
                    ? new ProgressBarBuilder().setTaskName(name).setInitialMax(total).setUnit(" " + unit, 1)
                            .setStyle(ProgressBarStyle.ASCII).setUpdateIntervalMillis(250).continuousUpdate().build()
                    : null;
        }

        /** Work begins here, after {@code at} units that an earlier process did. */
        public void from(long at) {
            start = at;
            done = at;
            if (bar != null) {
                bar.stepTo(at);
            }
        }

        /** {@code at} units are done; {@code more} tokens went through the model; {@code note} is shown beside the bar. */
        public void to(long at, long more, String note) {
            done = at;
            tokens += more;
            double seconds = (System.nanoTime() - begin) / 1e9;
            String rate = tokens == 0 ? "" : String.format("%,.0f tokens/s ", tokens / seconds);
            if (bar != null) {
                bar.stepTo(at);
                bar.setExtraMessage(rate + note);
            } else if (!quiet && System.nanoTime() - lastSaid > SILENT_SECONDS * 1_000_000_000L) {
                lastSaid = System.nanoTime();
                Duration left = Duration.ofSeconds((long) (seconds * (total - at) / Math.max(1, at - start)));
                out.printf("%s: %,d of %,d %s, %s%s, %d:%02d left%n", name, at, total, unit, rate, note,
                        left.toMinutes(),
                        left.toSecondsPart());
            }
        }

        /** Ends the task. */
        @Override
        public void close() {
            double seconds = (System.nanoTime() - begin) / 1e9;
            if (bar != null) {
                bar.close();
            } else if (!quiet) {
                out.printf("%s: %,d %s in %.1f s%s%n", name, done - start, unit, seconds,
                        tokens == 0 ? "" : String.format(", %,.0f tokens/s", tokens / seconds));
            }
        }
    }
}
