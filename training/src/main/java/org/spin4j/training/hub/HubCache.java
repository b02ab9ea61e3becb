package org.spin4j.training.hub;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * One repository in the cache, in the hub's own layout
 * (https://huggingface.co/docs/huggingface_hub/guides/manage-cache): {@code blobs} holds each file once under its checksum,
 * {@code snapshots/COMMIT} links names to them, {@code refs/REVISION} says which commit a name meant when it was last asked for.
 */
final class HubCache {
    /** A lock of the operating system does not part threads of one process. */
    private static final ReentrantLock THREADS = new ReentrantLock();

    private final Path folder;
    private final Path locks;

    HubCache(Path cache, String repository) {
        String name = "models--" + repository.replace("/", "--");
        folder = cache.resolve(name);
        locks = cache.resolve(".locks").resolve(name);
    }

    /** Where the file with that checksum lies or is to lie. */
    Path blob(String checksum) {
        return folder.resolve("blobs").resolve(checksum);
    }

    /** Where the part of it that has come so far lies. */
    Path partOf(String checksum) {
        return folder.resolve("blobs").resolve(checksum + ".part");
    }

    /** The files of a commit under their names. */
    Path snapshot(String commit) {
        return folder.resolve("snapshots").resolve(commit);
    }

    /** The commit that a revision was when it was last asked for. */
    Optional<String> commit(HubName name) throws IOException {
        if (name.isCommit()) {
            return Optional.of(name.revision());
        }
        Path ref = folder.resolve("refs").resolve(name.revision());
        if (!Files.isRegularFile(ref) || Files.size(ref) > 100) {
            return Optional.empty();
        }
        return Optional.of(Files.readString(ref).strip()).filter(HubName::isCommit);
    }

    /** Notes which commit a revision is. */
    void setCommit(HubName name, String commit) throws IOException {
        if (!name.isCommit() && !commit(name).equals(Optional.of(commit))) {
            Path ref = folder.resolve("refs").resolve(name.revision());
            Files.createDirectories(ref.getParent());
            Path temporary = Files.createTempFile(ref.getParent(), "." + ref.getFileName(), ".tmp");
            Files.writeString(temporary, commit);
            Files.move(temporary, ref, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /** Gives a blob its name in a snapshot. */
    void link(String commit, String file, String checksum) throws IOException {
        Path link = snapshot(commit).resolve(file);
        Path blob = blob(checksum);
        Files.createDirectories(link.getParent());
        if (Files.exists(link) && Files.isSameFile(link, blob)) {
            return;
        }
        Files.deleteIfExists(link);
        try {
            Files.createSymbolicLink(link, link.getParent().relativize(blob));
        } catch (FileAlreadyExistsException e) {
            if (!Files.isSameFile(link, blob)) {
                throw e;
            }
        } catch (UnsupportedOperationException | IOException e) {
            // Windows lets not everyone make symbolic links.
            Files.createLink(link, blob);
        }
    }

    /** Keeps other processes and threads from fetching the same file at the same time. */
    Lock lock(String checksum) throws IOException {
        Files.createDirectories(locks);
        THREADS.lock();
        try {
            FileChannel channel = FileChannel.open(locks.resolve(checksum + ".lock"), StandardOpenOption.CREATE,
                    StandardOpenOption.WRITE);
            return new Lock(channel, channel.lock());
        } catch (IOException | RuntimeException e) {
            THREADS.unlock();
            throw e;
        }
    }

    /** A lock that is held. */
    record Lock(FileChannel channel, FileLock lock) implements AutoCloseable {
        @Override
        public void close() throws IOException {
            try {
                lock.release();
                channel.close();
            } finally {
                THREADS.unlock();
            }
        }
    }
}
