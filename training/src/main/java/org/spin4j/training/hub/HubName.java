package org.spin4j.training.hub;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.spin4j.training.BadInputException;

/**
 * A model on the hub, as a user writes it: {@code hf:owner/name} or {@code hf:owner/name@revision}.
 *
 * @param repository {@code owner/name}, or {@code name} alone for the hub's oldest models
 * @param revision   a branch, a tag or a commit
 */
record HubName(String repository, String revision) {
    /** What such a name begins with; no path of a file does. */
    static final String PREFIX = "hf:";

    private static final String PART = "[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?";
    private static final Pattern REPOSITORY = Pattern.compile(PART + "(?:/" + PART + ")?");
    private static final Pattern REVISION = Pattern
            .compile("[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*){0,4}");
    private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");

    /** The name that {@code text} is; empty where it is a path. */
    static Optional<HubName> of(String text) {
        if (!text.startsWith(PREFIX)) {
            return Optional.empty();
        }
        String name = text.substring(PREFIX.length());
        int at = name.indexOf('@');
        String repository = at < 0 ? name : name.substring(0, at);
        String revision = at < 0 ? "main" : name.substring(at + 1);
        if (!matches(REPOSITORY, repository) || repository.contains("--") || !matches(REVISION, revision)
                || revision.length() > 200) {
            throw BadInputException.of("expected hf:OWNER/NAME or hf:OWNER/NAME@REVISION, found '%s'",
                    BadInputException.excerpt(text));
        }
        return Optional.of(new HubName(repository, revision));
    }

    /** Neither pattern lets a part begin with a dot; this keeps two of them out of its middle, too. */
    private static boolean matches(Pattern pattern, String text) {
        Matcher matcher = pattern.matcher(text);
        return matcher.matches() && !text.contains("..");
    }

    /** Whether the revision is a full commit, which never changes. */
    boolean isCommit() {
        return isCommit(revision);
    }

    static boolean isCommit(String text) {
        return COMMIT.matcher(text).matches();
    }

    @Override
    public String toString() {
        return PREFIX + repository + (revision.equals("main") ? "" : "@" + revision);
    }
}
