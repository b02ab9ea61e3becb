package org.spin4j.training.hub;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.spin4j.training.BadInputException;
import org.spin4j.training.Progress;
import org.spin4j.training.hub.HubClient.Announced;

/**
 * Turns {@code hf:owner/name@revision} into a folder of this machine: the hub is asked which commit the revision is now, what is missing
 * of it is fetched, and the cache's snapshot of that commit is the folder. A commit that is in the cache, or any
 * revision while {@code HF_HUB_OFFLINE} is set, is not asked for. When the hub cannot be reached, what the cache has serves.
 */
public final class Hub {
    private static final long PAUSE_MILLIS = 500;
    private static final long MEGABYTE = 1_000_000;

    /** What of a repository is wanted. */
    public enum Part {
        /** Configuration, weights as safetensors, tokenizer and templates. */
        MODEL,
        /** Tokenizer and templates. */
        TOKENIZER
    }

    private final HubSettings settings;
    private final Progress progress;
    private final long pauseMillis;

    /** The hub and the cache that the environment names. */
    public Hub(Progress progress) {
        this(HubSettings.of(System.getenv(), Path.of(System.getProperty("user.home"))), progress, PAUSE_MILLIS);
    }

    Hub(HubSettings settings, Progress progress, long pauseMillis) {
        this.settings = settings;
        this.progress = progress;
        this.pauseMillis = pauseMillis;
    }

    /** Whether that is a name on the hub rather than a path. */
    public static boolean isName(Path path) {
        return path.toString().startsWith(HubName.PREFIX);
    }

    /**
     * The folder that a path or a name on the hub stands for; a path is returned as it is.
     *
     * @throws BadInputException when the hub has no such thing, or does not let this user have it
     */
    public static Path local(Path pathOrName, Part part, Progress progress) {
        return isName(pathOrName) ? new Hub(progress).folder(pathOrName.toString(), part) : pathOrName;
    }

    Path folder(String text, Part part) {
        HubName name = HubName.of(text).orElseThrow();
        HubCache cache = new HubCache(settings.cache(), name.repository());
        try {
            Optional<Path> cached = cached(cache, name, part);
            if (cached.isPresent() && (settings.offline() || name.isCommit())) {
                return cached.get();
            }
            if (settings.offline()) {
                throw BadInputException.of("expected %s in the cache %s, found it not or not whole, and HF_HUB_OFFLINE "
                        + "is set; unset it", name, settings.cache());
            }
            try (HubClient client = new HubClient(settings)) {
                return fetch(client, cache, name, part);
            } catch (FileSystemException e) {
                throw e;
            } catch (IOException e) {
                if (cached.isEmpty()) {
                    throw unreachable(name, e);
                }
                progress.say("spin4j: " + settings.endpoint() + " does not answer; " + name + " is what the cache has");
                return cached.get();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private BadInputException unreachable(HubName name, IOException e) {
        String found = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        return new BadInputException("expected " + name + " from " + settings.endpoint() + ", found '"
                + BadInputException.excerpt(found) + "'; check the network and try again, what has come is kept", e);
    }

    private static Optional<Path> cached(HubCache cache, HubName name, Part part) throws IOException {
        Optional<String> commit = cache.commit(name);
        return commit.isPresent() && HubFiles.complete(part, cache.snapshot(commit.get()))
                ? Optional.of(cache.snapshot(commit.get()))
                : Optional.empty();
    }

    private Path fetch(HubClient client, HubCache cache, HubName name, Part part) throws IOException {
        HubClient.Listing listing = client.list(name);
        String commit = listing.commit();
        Path snapshot = cache.snapshot(commit);
        if (!HubFiles.complete(part, snapshot)) {
            fetch(client, cache, name, commit, HubFiles.wanted(part, listing.files(), name));
            if (part == Part.MODEL) {
                fetch(client, cache, name, commit, HubFiles.shards(snapshot));
            }
        }
        cache.setCommit(name, commit);
        return snapshot;
    }

    private void fetch(HubClient client, HubCache cache, HubName name, String commit, List<String> files)
            throws IOException {
        Map<String, Announced> announced = new LinkedHashMap<>();
        for (String file : files) {
            announced.put(file, client.announced(name, commit, file));
        }
        List<String> missing = new ArrayList<>(files);
        missing.removeIf(file -> Files.exists(cache.blob(announced.get(file).checksum())));
        long total = missing.stream().mapToLong(file -> announced.get(file).size()).sum();
        HubDownload download = new HubDownload(client, cache, name, commit, pauseMillis);
        if (!missing.isEmpty()) {
            long before = 0;
            try (Progress.Task task = progress.start(name.toString(), "MB", total / MEGABYTE)) {
                for (String file : missing) {
                    long begin = before;
                    download.fetch(file, announced.get(file), at -> task.to((begin + at) / MEGABYTE, 0, file));
                    before += announced.get(file).size();
                }
            }
        }
        for (String file : files) {
            cache.link(commit, file, announced.get(file).checksum());
        }
    }
}
