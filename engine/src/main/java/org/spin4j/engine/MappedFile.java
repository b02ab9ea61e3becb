package org.spin4j.engine;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.BiFunction;

/** Weight files are mapped into memory, read-only, whatever their format. */
final class MappedFile {
    private MappedFile() {}

    /**
     * Maps a file and has it read.
     *
     * @param kind   what is expected there, for the message
     * @param reader given the arena that unmaps the file when it is closed, and all of its bytes; if it throws, the file is unmapped
     * @return what the reader makes of it, which has the arena to close
     * @throws CheckpointException when the file cannot be read
     */
    static <T> T open(Path file, String kind, BiFunction<Arena, MemorySegment, T> reader) {
        Arena arena = Arena.ofShared();
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            if (!Files.isRegularFile(file)) {
                throw new CheckpointException("expected " + kind + ", found something else at " + file);
            }
            return reader.apply(arena, channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena));
        } catch (IOException e) {
            arena.close();
            throw CheckpointJson.unreadable(file, e);
        } catch (RuntimeException e) {
            arena.close();
            throw e;
        }
    }
}
