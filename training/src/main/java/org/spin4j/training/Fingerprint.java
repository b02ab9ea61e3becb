package org.spin4j.training;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/** SHA-256 of what a stage was made from: two inputs with the same fingerprint are the same input. */
public final class Fingerprint {
    private Fingerprint() {}

    /**
     * Of a file, its bytes; of a folder, the names and bytes of all files below it, hidden ones (as editors and version
     * control leave) excepted.
     */
    public static String of(Path path) {
        try {
            return Files.isDirectory(path) ? ofFolder(path) : ofFile(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Of a text. */
    public static String of(String text) {
        return HexFormat.of().formatHex(sha256().digest(text.getBytes(StandardCharsets.UTF_8)));
    }

    /** Of names, sizes and times of change of a file or of all files below a folder: enough to see that it was changed, without reading it. */
    public static String ofNamesAndTimes(Path path) {
        try {
            StringBuilder listing = new StringBuilder();
            for (String name : Files.isDirectory(path) ? names(path) : List.of("")) {
                Path file = path.resolve(name);
                listing.append(name).append(' ').append(Files.size(file)).append(' ')
                        .append(Files.getLastModifiedTime(file).toMillis()).append('\n');
            }
            return of(listing.toString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String ofFile(Path file) throws IOException {
        MessageDigest digest = sha256();
        byte[] chunk = new byte[1 << 16];
        try (InputStream in = Files.newInputStream(file)) {
            for (int n = in.read(chunk); n >= 0; n = in.read(chunk)) {
                digest.update(chunk, 0, n);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static String ofFolder(Path folder) throws IOException {
        StringBuilder listing = new StringBuilder();
        for (String name : names(folder)) {
            listing.append(ofFile(folder.resolve(name))).append("  ").append(name).append('\n');
        }
        return of(listing.toString());
    }

    /** The files below a folder in a fixed order, relative, with {@code /} between folders on every system. */
    static List<String> names(Path folder) throws IOException {
        try (Stream<Path> walk = Files.walk(folder)) {
            return walk.filter(Files::isRegularFile).map(folder::relativize)
                    .filter(p -> Stream.iterate(0, i -> i + 1).limit(p.getNameCount())
                            .noneMatch(i -> p.getName(i).toString().startsWith(".")))
                    .map(p -> p.toString().replace('\\', '/')).sorted().toList();
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
