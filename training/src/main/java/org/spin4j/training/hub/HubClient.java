package org.spin4j.training.hub;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.spin4j.training.BadInputException;

/**
 * What the hub answers over HTTPS. Redirects are followed here, not by the HTTP client, because the token must go to the hub alone:
 * large files come from other hosts, which get none.
 */
final class HubClient implements AutoCloseable {
    private static final int MAX_REDIRECTS = 10;
    private static final int MAX_ANSWER_BYTES = 32 << 20;
    private static final Duration CONNECT = Duration.ofSeconds(20);
    private static final Duration ANSWER = Duration.ofSeconds(60);
    private static final ObjectMapper JSON = JsonMapper.builder(JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(32).build()).build()).build();

    private final HubSettings settings;
    private final HttpClient http = HttpClient.newBuilder().followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(CONNECT).build();

    /**
     * A repository at one commit.
     *
     * @param commit its full name
     * @param files  names of all its files, as the server gives them: not to be used as paths
     */
    record Listing(String commit, List<String> files) {}

    /**
     * What the hub says of a file before it sends it.
     *
     * @param checksum SHA-256 of a large file, or git's SHA-1 of a small one, in hexadecimal
     * @param size     in bytes
     */
    record Announced(String checksum, long size) {
        boolean isSha256() {
            return checksum.length() == 64;
        }
    }

    HubClient(HubSettings settings) {
        this.settings = settings;
    }

    /** What a revision holds. */
    Listing list(HubName name) throws IOException {
        URI uri = URI.create(settings.endpoint() + "/api/models/" + name.repository() + "/revision/"
                + URLEncoder.encode(name.revision(), StandardCharsets.UTF_8));
        HttpResponse<InputStream> response = get(uri, 0, name);
        try (InputStream body = response.body()) {
            byte[] bytes = body.readNBytes(MAX_ANSWER_BYTES + 1);
            JsonNode root = bytes.length > MAX_ANSWER_BYTES ? null : JSON.readTree(bytes);
            if (root == null || !HubName.isCommit(root.path("sha").asText()) || !root.path("siblings").isArray()) {
                throw new BadInputException("expected a list of files of " + name + ", found another answer from "
                        + settings.endpoint() + "; is HF_ENDPOINT a hub?");
            }
            List<String> files = new ArrayList<>();
            root.get("siblings").forEach(file -> files.add(file.path("rfilename").asText()));
            return new Listing(root.get("sha").textValue(), files);
        } catch (JsonProcessingException e) {
            throw new BadInputException(
                    "expected JSON from " + settings.endpoint() + ", found something else; is HF_ENDPOINT a hub?", e);
        }
    }

    /** Checksum and size of a file, without the file. */
    Announced announced(HubName name, String commit, String file) throws IOException {
        HttpHeaders headers = head(name, commit, file);
        String etag = headers.firstValue("x-linked-etag").or(() -> headers.firstValue("etag")).orElse("");
        String checksum = etag.replaceFirst("^W/", "").replace("\"", "");
        OptionalLong size = headers.firstValueAsLong(
                headers.firstValue("x-linked-size").isPresent() ? "x-linked-size" : "content-length");
        if (!checksum.matches("[0-9a-f]{40}|[0-9a-f]{64}") || size.isEmpty() || size.getAsLong() < 0) {
            throw BadInputException.of("expected a checksum and a size of %s of %s, found none from %s; is HF_ENDPOINT "
                    + "a hub?", file, name, settings.endpoint());
        }
        return new Announced(checksum, size.getAsLong());
    }

    private HttpHeaders head(HubName name, String commit, String file) throws IOException {
        URI uri = address(name, commit, file);
        for (int i = 0; i <= MAX_REDIRECTS; i++) {
            HttpResponse<InputStream> response = send(request("HEAD", uri, 0));
            response.body().close();
            // A large file's numbers stand in the answer that says where it lies.
            if (response.headers().firstValue("x-linked-etag").isPresent()) {
                return response.headers();
            }
            if (!isRedirect(response)) {
                refuseErrors(response, name, file);
                return response.headers();
            }
            uri = next(uri, response, name);
        }
        throw tooManyRedirects(name);
    }

    private static BadInputException tooManyRedirects(HubName name) {
        return BadInputException.of("expected an answer for %s, found more than %d redirects; is HF_ENDPOINT a hub?",
                name, MAX_REDIRECTS);
    }

    /**
     * The bytes of a file.
     *
     * @param from of which this many have come already
     * @return status 206 and the rest, or 200 and all of it
     */
    HttpResponse<InputStream> open(HubName name, String commit, String file, long from) throws IOException {
        return get(address(name, commit, file), from, name);
    }

    private URI address(HubName name, String commit, String file) {
        return URI.create(settings.endpoint() + "/" + name.repository() + "/resolve/" + commit + "/"
                + URLEncoder.encode(file, StandardCharsets.UTF_8).replace("+", "%20"));
    }

    private HttpResponse<InputStream> get(URI start, long from, HubName name) throws IOException {
        URI uri = start;
        for (int i = 0; i <= MAX_REDIRECTS; i++) {
            HttpResponse<InputStream> response = send(request("GET", uri, from));
            if (!isRedirect(response)) {
                refuseErrors(response, name, start.getPath().substring(start.getPath().lastIndexOf('/') + 1));
                return response;
            }
            response.body().close();
            uri = next(uri, response, name);
        }
        throw tooManyRedirects(name);
    }

    private URI next(URI uri, HttpResponse<?> response, HubName name) {
        URI next;
        try {
            next = uri.resolve(response.headers().firstValue("location").orElse(""));
        } catch (IllegalArgumentException e) {
            throw new BadInputException(
                    "expected an address to go on to for " + name + ", found none in a redirect from "
                            + uri.getHost(),
                    e);
        }
        boolean known = "https".equals(next.getScheme())
                || ("http".equals(next.getScheme()) && "http".equals(settings.endpoint().getScheme()));
        if (!known || next.getHost() == null) {
            throw BadInputException
                    .of("expected a redirect to another https address for %s, found one to '%s'; nothing "
                            + "is fetched from there", name, BadInputException.excerpt(next.toString()));
        }
        return next;
    }

    private HttpRequest request(String method, URI uri, long from) {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri).method(method, HttpRequest.BodyPublishers.noBody())
                .timeout(ANSWER).header("User-Agent", "spin4j").header("Accept-Encoding", "identity");
        if (from > 0) {
            request.header("Range", "bytes=" + from + "-");
        }
        if (settings.token().isPresent() && sameOrigin(uri, settings.endpoint())) {
            request.header("Authorization", "Bearer " + settings.token().get());
        }
        return request.build();
    }

    private static boolean sameOrigin(URI a, URI b) {
        return a.getScheme().equals(b.getScheme()) && a.getHost().equalsIgnoreCase(b.getHost())
                && a.getPort() == b.getPort();
    }

    private HttpResponse<InputStream> send(HttpRequest request) throws IOException {
        try {
            return http.send(request, HttpResponse.BodyHandlers.ofInputStream());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    private static boolean isRedirect(HttpResponse<?> response) {
        return response.statusCode() >= 300 && response.statusCode() < 400 && response.statusCode() != 304;
    }

    private void refuseErrors(HttpResponse<InputStream> response, HubName name, String file) throws IOException {
        int status = response.statusCode();
        if (status < 300) {
            return;
        }
        response.body().close();
        String code = response.headers().firstValue("x-error-code").orElse("");
        String page = settings.endpoint() + "/" + name.repository();
        String withToken = settings.token().isPresent()
                ? "the token is not one that may read it"
                : "set HF_TOKEN if it is private";
        if (status >= 500 || status == 429) {
            throw new IOException("HTTP " + status);
        }
        throw new BadInputException(switch (status) {
            case 401 -> code.equals("GatedRepo")
                    ? "expected leave to read " + name + ", found a gated repository; accept its terms at " + page
                            + " and set HF_TOKEN"
                    : "expected a repository " + name + " that may be read, found none (HTTP 401); check the name, "
                            + withToken;
            case 403 -> "expected leave to read " + name + ", found none (HTTP 403"
                    + (code.isEmpty() ? "" : ", " + BadInputException.excerpt(code)) + "); accept its terms at " + page
                    + " if it is gated, " + withToken;
            case 404 -> code.equals("RevisionNotFound")
                    ? "expected a revision '" + name.revision() + "' of hf:" + name.repository()
                            + ", found none of that name; see " + page + "/tree/main"
                    : code.equals("EntryNotFound")
                            ? "expected a file " + file + " in " + name + ", found none; see " + page
                            : "expected a repository " + name + ", found none (HTTP 404); check the name, " + withToken;
            default -> "expected an answer for " + name + ", found HTTP " + status + " from " + settings.endpoint();
        });
    }

    @Override
    public void close() {
        http.close();
    }
}
