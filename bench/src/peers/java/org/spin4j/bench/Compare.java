package org.spin4j.bench;

import java.io.PrintStream;
import java.util.List;

/** spin4j beside its peers, in one run. */
public final class Compare {
    private Compare() {}

    /** Prints the tables in Markdown. */
    public static void main(String[] args) {
        if (args.length > 1 || args.length == 1 && !List.of("spin4j", "libtorch").contains(args[0])) {
            System.err.println("expected no argument, spin4j or libtorch, found " + String.join(" ", args));
            System.exit(2);
        }
        PrintStream out = System.out;
        Machine.describe().forEach(line -> out.println("- " + line));
        CompareTraining.run(out);
    }
}
