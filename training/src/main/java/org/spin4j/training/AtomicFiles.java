package org.spin4j.training;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.stream.Stream;

/**
 * Files and folders that are either whole or not there, whatever moment the process is killed at: written under a temporary
 * name, forced to the disk, renamed.
 */
public final class AtomicFiles {
    /** What every temporary name ends in; such files and folders may be deleted when nobody writes. */
    static final String TEMPORARY = ".tmp";

    private AtomicFiles() {}

    /** Something that writes to a path and may fail. */
    @FunctionalInterface
    public interface Writer {
        /** Writes to a file that does not exist yet, or into an empty folder. */
        void write(Path path) throws IOException;
    }

    /** Writes UTF-8 text to {@code file}, replacing what was there. */
    public static void writeText(Path file, String text) {
        writeFile(file, temporary -> Files.write(temporary, text.getBytes(StandardCharsets.UTF_8)));
    }

    /** Lets {@code writer} write a file and puts it in the place of {@code file}. If it throws, nothing has changed. */
    public static void writeFile(Path file, Writer writer) {
        try {
            Path temporary = temporaryOf(file);
            try {
                writer.write(temporary);
                force(temporary);
                move(temporary, file);
            } finally {
                Files.deleteIfExists(temporary);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Lets {@code writer} fill an empty folder and gives it the name {@code folder}, which must not exist. */
    public static void writeFolder(Path folder, Writer writer) {
        try {
            Path temporary = temporaryOf(folder);
            try {
                Files.createDirectory(temporary);
                writer.write(temporary);
                forceTree(temporary);
                move(temporary, folder);
            } finally {
                deleteTree(temporary);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Deletes a file, or a folder with all it holds; links are deleted, not followed. Nothing there is no error. */
    public static void deleteTree(Path path) throws IOException {
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        Files.walkFileTree(path, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path folder, IOException failure) throws IOException {
                if (failure != null) {
                    throw failure;
                }
                Files.delete(folder);
                return FileVisitResult.CONTINUE;
            }
        });
    }

    /** The names of the plain files directly in a folder, sorted. */
    static List<String> names(Path folder) {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(Files::isRegularFile).map(p -> p.getFileName().toString()).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A free temporary name beside {@code path}; what an earlier, killed process left there is deleted. */
    static Path temporaryOf(Path path) throws IOException {
        Path absolute = path.toAbsolutePath();
        Files.createDirectories(absolute.getParent());
        Path temporary = absolute.resolveSibling("." + absolute.getFileName() + TEMPORARY);
        deleteTree(temporary);
        return temporary;
    }

    /** Renames, replacing a file that is there, and forces the new name to the disk. */
    static void move(Path from, Path to) throws IOException {
        Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        force(to.toAbsolutePath().getParent());
    }

    /** Forces the content of a file, or the names in a folder, to the disk. */
    static void force(Path path) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    private static void forceTree(Path folder) throws IOException {
        List<Path> all;
        try (Stream<Path> walk = Files.walk(folder)) {
            all = walk.toList();
        }
        for (Path path : all) {
            force(path);
        }
    }
}
