package org.spin4j.bench;

import java.io.PrintStream;
import java.util.List;
import org.spin4j.bench.Report.Section;

/**
 * spin4j beside its peers, in one run: {@code [--out FILE] [--alone spin4j|libtorch] [SECTION …]}. Every section measured
 * replaces its like in the file of results. What {@code --alone} measures is printed only.
 */
public final class Compare {
    private Compare() {}

    /** Prints the tables in Markdown and puts them into the file of results. */
    public static void main(String[] args) {
        PrintStream out = System.out;
        boolean failed = false;
        try {
            Arguments arguments = Arguments.parse(args, sections("").stream().map(Section::name).toList(),
                    Report.STANDARD);
            Report report = new Report(arguments.out());
            for (Section section : sections(arguments.alone())) {
                if (!arguments.sections().contains(section.name())) {
                    continue;
                }
                try {
                    if (arguments.alone().isEmpty()) {
                        report.run(section, out);
                    } else {
                        section.body().accept(out);
                    }
                } catch (IllegalStateException e) {
                    // One that found no agreement, say. The others are worth measuring nevertheless.
                    System.err.println(section.name() + ": " + e.getMessage());
                    failed = true;
                }
            }
        } catch (IllegalArgumentException e) {
            System.err.println("bench: " + e.getMessage());
            System.exit(2);
        }
        // Says so explicitly: threads of a peer may be alive still.
        System.exit(failed ? 1 : 0);
    }

    private static List<Section> sections(String alone) {
        return List.of(CompareMatmul.SECTION, CompareMatvec.SECTION, CompareSizes.SECTION, LadderRun.SECTION,
                new Section("training", "training steps beside libtorch", out -> CompareTraining.run(out, alone)),
                new Section("memory", "peak memory of training beside libtorch", CompareMemory::run),
                new Section("pairs", "SPIN steps beside libtorch", ComparePairs::run),
                new Section("attention", "attention beside libtorch", CompareAttention::run),
                CompareTokenizer.SECTION);
    }
}
