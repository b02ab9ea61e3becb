package org.spin4j.training;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A run: the folder that holds everything one command produced, usable again after the process was killed at any moment.
 *
 * <p>Work is done in stages. A stage is a folder that appears whole, with a {@code manifest.json} written last that names the
 * fingerprints of what went in and what came out. A stage that is there is not made again; a stage that was made from
 * something else is an error, never silently reused. One process at a time may hold a run.
 */
public final class RunDirectory implements AutoCloseable {
    /** The last file of every stage. */
    public static final String MANIFEST = "manifest.json";

    private final Path path;
    private final FileChannel lockFile;
    private final FileLock lock;

    private RunDirectory(Path path, FileChannel lockFile, FileLock lock) {
        this.path = path;
        this.lockFile = lockFile;
        this.lock = lock;
    }

    /**
     * Opens a run, creating its folder where there is none, and holds it until {@link #close}.
     *
     * @throws BadInputException if another process holds it, or a file is in its place
     */
    public static RunDirectory open(Path path) {
        try {
            Files.createDirectories(path);
            FileChannel channel = FileChannel.open(path.resolve(".lock"), StandardOpenOption.CREATE,
                    StandardOpenOption.WRITE);
            FileLock lock = tryLock(channel);
            if (lock == null) {
                channel.close();
                throw BadInputException.of(
                        "expected a run that nobody else writes to, found another process at work in %s; wait for it or use another output_dir",
                        path);
            }
            return new RunDirectory(path, channel, lock);
        } catch (FileAlreadyExistsException e) {
            throw new BadInputException("expected a folder for the run, found a file at " + path
                    + "; use another output_dir", e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The run's folder. */
    public Path path() {
        return path;
    }

    /** A path inside the run; {@code name} is relative and stays inside. */
    public Path resolve(String name) {
        Path resolved = path.resolve(name).normalize();
        if (name.isEmpty() || !resolved.startsWith(path.normalize()) || resolved.equals(path.normalize())) {
            throw new IllegalArgumentException("expected a name inside the run, found '" + name + "'");
        }
        return path.resolve(name);
    }

    /** Writes the resolved configuration, {@code config.yaml}. */
    public void writeConfig(TrainConfig config) {
        AtomicFiles.writeText(resolve("config.yaml"), config.toYaml());
    }

    /**
     * Makes a stage unless it is there already.
     *
     * @param name folder of the stage inside the run, {@code iteration-0/pairs} for instance
     * @param inputs everything the result depends on, by name: fingerprints, values of configuration keys
     * @param writer fills the empty folder it is given
     * @return the stage's folder
     * @throws BadInputException if the stage is there but was made from other inputs, or its files are damaged
     */
    public Path stage(String name, Map<String, String> inputs, AtomicFiles.Writer writer) {
        Path folder = resolve(name);
        if (isComplete(name, inputs)) {
            return folder;
        }
        AtomicFiles.writeFolder(folder, temporary -> {
            writer.write(temporary);
            writeManifest(temporary, name, inputs);
        });
        return folder;
    }

    /**
     * Whether a stage is there, made from these inputs.
     *
     * @throws BadInputException if it is there but was made from other inputs, or its files are damaged
     */
    public boolean isComplete(String name, Map<String, String> inputs) {
        Path folder = resolve(name);
        if (!Files.exists(folder.resolve(MANIFEST))) {
            if (Files.exists(folder)) {
                throw BadInputException.of(
                        "expected %s in the stage %s, found a folder without it; delete that folder or use another output_dir",
                        MANIFEST, folder);
            }
            return false;
        }
        JsonNode manifest = readManifest(folder);
        requireSame(manifest.path("inputs"), inputs, folder.resolve(MANIFEST));
        manifest.path("outputs").properties()
                .forEach(output -> requireWhole(folder, output.getKey(), output.getValue()));
        return true;
    }

    /** Deletes a stage, so that the next call makes it again; nothing there is no error. */
    public void delete(String name) {
        Path folder = resolve(name);
        try {
            // Renamed first: what is left of a deletion that was cut off has a temporary name and is no stage.
            if (Files.exists(folder)) {
                Path temporary = AtomicFiles.temporaryOf(folder);
                AtomicFiles.move(folder, temporary);
                AtomicFiles.deleteTree(temporary);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * The metrics of the run, {@code metrics.jsonl}, ready for the step after {@code lastStep}: later lines, which an
     * interrupted run left, are cut off.
     *
     * @param lastStep the step that the run goes on from; -1 at the start
     */
    public MetricsLog metrics(long lastStep) {
        return MetricsLog.open(resolve("metrics.jsonl"), lastStep);
    }

    /** TensorBoard events of the run, in the folder {@code tensorboard}. */
    public TensorBoardLog tensorBoard(long lastStep) {
        return TensorBoardLog.open(resolve("tensorboard"), lastStep);
    }

    /** Lets go of the run. */
    @Override
    public void close() {
        try {
            lock.release();
            lockFile.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException e) {
            return null; // held by this very process, which is no better
        }
    }

    private static void writeManifest(Path folder, String name, Map<String, String> inputs) throws IOException {
        ObjectNode manifest = JsonLines.JSON.createObjectNode();
        manifest.put("stage", name);
        ObjectNode in = manifest.putObject("inputs");
        new TreeMap<>(inputs).forEach(in::put);
        ObjectNode out = manifest.putObject("outputs");
        for (String file : Fingerprint.names(folder)) {
            Path output = folder.resolve(file);
            // Before the manifest, so that a manifest never speaks of bytes that a power cut could still take away.
            AtomicFiles.force(output);
            out.putObject(file).put("sha256", Fingerprint.of(output)).put("bytes", Files.size(output));
        }
        String text = JsonLines.JSON.writerWithDefaultPrettyPrinter().writeValueAsString(manifest);
        Files.write(folder.resolve(MANIFEST), (text + "\n").getBytes(StandardCharsets.UTF_8));
    }

    private static JsonNode readManifest(Path folder) {
        Path file = folder.resolve(MANIFEST);
        try {
            return JsonLines.JSON.readTree(Files.readString(file));
        } catch (JsonProcessingException e) {
            throw new BadInputException("expected a JSON object, found broken JSON in " + file
                    + "; delete that folder or use another output_dir", e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Compares recorded inputs with those of now.
     *
     * @param manifest where they are recorded, for the message
     * @throws BadInputException naming the first that differs
     */
    static void requireSame(JsonNode recorded, Map<String, String> inputs, Path manifest) {
        TreeSet<String> names = new TreeSet<>(inputs.keySet());
        recorded.fieldNames().forEachRemaining(names::add);
        for (String name : names) {
            String now = inputs.getOrDefault(name, "nothing");
            String then = recorded.path(name).asText("nothing");
            if (!now.equals(then)) {
                throw BadInputException.of(
                        "expected %s %s, found %s in %s, which was made with that; use another output_dir",
                        name, BadInputException.excerpt(now), BadInputException.excerpt(then), manifest);
            }
        }
    }

    private static void requireWhole(Path folder, String name, JsonNode output) {
        try {
            Path file = folder.resolve(name).normalize();
            long bytes = file.startsWith(folder.normalize()) && Files.isRegularFile(file) ? Files.size(file) : -1;
            if (bytes != output.path("bytes").asLong()) {
                throw BadInputException.of(
                        "expected %d bytes, found %s in %s; delete the folder %s, it will be made again",
                        output.path("bytes").asLong(), bytes < 0 ? "no file" : Long.toString(bytes), file, folder);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
