package org.spin4j.training.selfreward;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.spin4j.training.JsonLines;
import org.spin4j.training.RunContext;
import org.spin4j.training.UnfinishedRows;

/** A stage that is one file of many rows, each of which is kept as soon as it is made: a stop in the middle loses none. */
final class RowStage {
    private RowStage() {}

    /**
     * Makes the stage unless it is there already.
     *
     * @param file  name of the file in the stage's folder
     * @param count number of rows
     * @param maker makes the rows that are not there yet
     * @return the file
     */
    static Path run(RunContext context, String stage, String file, Map<String, String> inputs, int count,
            Consumer<UnfinishedRows> maker) {
        Map<String, String> all = context.inputs(inputs);
        Path work = context.run().resolve("checkpoints/" + stage + ".jsonl");
        Path folder = context.run().stage(stage, all, temporary -> {
            ObjectNode settings = JsonLines.JSON.createObjectNode();
            new TreeMap<>(all).forEach(settings::put);
            try (UnfinishedRows rows = UnfinishedRows.open(work, settings, count)) {
                if (rows.done() > 0) {
                    context.progress().say(stage + ": goes on after " + rows.done() + " of " + count + " rows");
                }
                maker.accept(rows);
                rows.finish();
            }
            Files.move(work, temporary.resolve(file));
        });
        try {
            // Only where a process was killed between the end of the stage and this line.
            Files.deleteIfExists(work);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return folder.resolve(file);
    }
}
