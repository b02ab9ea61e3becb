package org.spin4j.training.hub;

import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.function.LongConsumer;
import org.spin4j.training.BadInputException;
import org.spin4j.training.hub.HubClient.Announced;

/**
 * Fetches one file into the cache: what an earlier try left is gone on with, what has come is checked against the checksum that the hub
 * announced, and only then it gets its name.
 */
final class HubDownload {
    /** Tries in a row that bring nothing new. */
    private static final int TRIES = 5;
    private static final int BUFFER = 1 << 18;

    private final HubClient client;
    private final HubCache cache;
    private final HubName name;
    private final String commit;
    private final long pauseMillis;

    /** @param pauseMillis before the first repetition; twice as long before each further one */
    HubDownload(HubClient client, HubCache cache, HubName name, String commit, long pauseMillis) {
        this.client = client;
        this.cache = cache;
        this.name = name;
        this.commit = commit;
        this.pauseMillis = pauseMillis;
    }

    /**
     * Fetches a file unless the cache has it.
     *
     * @param progress told how many of its bytes are here
     */
    void fetch(String file, Announced announced, LongConsumer progress) throws IOException {
        Path blob = cache.blob(announced.checksum());
        Files.createDirectories(blob.getParent());
        try (HubCache.Lock _ = cache.lock(announced.checksum())) {
            if (Files.exists(blob)) {
                return;
            }
            Path part = cache.partOf(announced.checksum());
            receive(file, announced, part, progress);
            String found = checksum(part, announced);
            if (!found.equals(announced.checksum())) {
                Files.delete(part);
                throw BadInputException.of("expected checksum %s of %s of %s, found %s; what came was thrown away, try "
                        + "again", announced.checksum(), file, name, found);
            }
            Files.move(part, blob, StandardCopyOption.ATOMIC_MOVE);
        }
    }

    private void receive(String file, Announced announced, Path part, LongConsumer progress) throws IOException {
        int failures = 0;
        try (FileChannel out = FileChannel.open(part, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            if (out.size() > announced.size()) {
                out.truncate(0);
            }
            requireSpace(file, announced.size() - out.size(), part);
            while (out.size() < announced.size()) {
                long before = out.size();
                progress.accept(before);
                try {
                    receiveOnce(file, announced, out, progress);
                } catch (IOException e) {
                    failures = out.size() > before ? 1 : failures + 1;
                    if (failures == TRIES) {
                        throw e;
                    }
                    pause(failures);
                }
            }
            out.force(true);
        }
    }

    private void receiveOnce(String file, Announced announced, FileChannel out, LongConsumer progress)
            throws IOException {
        HttpResponse<InputStream> response = client.open(name, commit, file, out.size());
        try (InputStream in = response.body()) {
            if (response.statusCode() != 206) {
                out.truncate(0);
            } else if (!response.headers().firstValue("content-range").orElse("")
                    .startsWith("bytes " + out.size() + "-")) {
                throw new IOException("another part than asked for");
            }
            byte[] buffer = new byte[BUFFER];
            out.position(out.size());
            for (int n; (n = in.read(buffer)) >= 0;) {
                if (out.position() + n > announced.size()) {
                    out.truncate(0);
                    throw BadInputException.of("expected %,d bytes of %s of %s, found more; what came was thrown away, "
                            + "try again", announced.size(), file, name);
                }
                ByteBuffer bytes = ByteBuffer.wrap(buffer, 0, n);
                while (bytes.hasRemaining()) {
                    out.write(bytes);
                }
                progress.accept(out.position());
            }
        }
        if (out.size() < announced.size()) {
            throw new IOException("the connection ended after " + out.size() + " of " + announced.size() + " bytes");
        }
    }

    private static void requireSpace(String file, long bytes, Path part) throws IOException {
        long free = Files.getFileStore(part).getUsableSpace();
        if (bytes > free) {
            throw BadInputException.of("expected %,d bytes free for %s, found %,d at %s; make room or set HF_HOME to "
                    + "another disk", bytes, file, free, part.getParent());
        }
    }

    private void pause(int failures) throws IOException {
        try {
            Thread.sleep(pauseMillis << (failures - 1));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    /** SHA-256 of the bytes, or for small files git's name of them: SHA-1 of "blob SIZE", a zero and the bytes. */
    private static String checksum(Path file, Announced announced) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            MessageDigest digest = MessageDigest.getInstance(announced.isSha256() ? "SHA-256" : "SHA-1");
            if (!announced.isSha256()) {
                digest.update(("blob " + announced.size() + "\0").getBytes(StandardCharsets.US_ASCII));
            }
            byte[] buffer = new byte[BUFFER];
            for (int n; (n = in.read(buffer)) >= 0;) {
                digest.update(buffer, 0, n);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-1 and SHA-256", e);
        }
    }
}
