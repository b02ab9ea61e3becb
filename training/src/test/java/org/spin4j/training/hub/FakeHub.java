package org.spin4j.training.hub;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;

/** A hub on this machine, with a second server beside it that large files come from, as the real one has. */
final class FakeHub implements AutoCloseable {
    static final String REPOSITORY = "someone/small-model";

    /** A request as it came. */
    record Seen(boolean store, String method, String path, String authorization, String range) {}

    /** Revisions: name to commit. */
    final Map<String, String> revisions = new TreeMap<>(Map.of("main", "a".repeat(40)));
    /** Files of every commit. */
    final Map<String, byte[]> files = new ConcurrentHashMap<>();
    /** Names that are listed beside the files. */
    final List<String> alsoListed = new CopyOnWriteArrayList<>();
    final List<Seen> seen = new CopyOnWriteArrayList<>();
    /** Answer to everything, with an error code; 0: none. */
    volatile int refusal;
    volatile String refusalCode = "";
    /** The store sends so many bytes of a file and hangs up; once. */
    volatile int cutAfter;
    /** The store sends other bytes than it should. */
    volatile boolean corrupt;
    /** The store sends more than it should. */
    volatile int surplus;
    /** Where large files are said to lie; null: the store. */
    volatile String elsewhere;

    private final HttpServer hub = server();
    private final HttpServer store = server();

    FakeHub() {
        hub.createContext("/", exchange -> answer(exchange, false));
        store.createContext("/", exchange -> answer(exchange, true));
        hub.start();
        store.start();
    }

    private static HttpServer server() {
        try {
            HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
            return server;
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    URI endpoint() {
        return address(hub);
    }

    private static URI address(HttpServer server) {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    List<Seen> seen(String method, String file) {
        return seen.stream().filter(s -> s.method().equals(method) && s.path().endsWith(file)).toList();
    }

    private void answer(HttpExchange exchange, boolean fromStore) throws IOException {
        try (exchange) {
            Headers asked = exchange.getRequestHeaders();
            String path = exchange.getRequestURI().toString();
            seen.add(new Seen(fromStore, exchange.getRequestMethod(), path, asked.getFirst("Authorization"),
                    asked.getFirst("Range")));
            if (refusal != 0) {
                exchange.getResponseHeaders().set("X-Error-Code", refusalCode);
                exchange.sendResponseHeaders(refusal, -1);
            } else if (fromStore) {
                send(exchange, files.get(path.substring(1)), asked.getFirst("Range"));
            } else if (path.startsWith("/api/models/" + REPOSITORY + "/revision/")) {
                list(exchange, path.substring(path.lastIndexOf('/') + 1).replace("%2F", "/"));
            } else {
                file(exchange, path);
            }
        }
    }

    private void list(HttpExchange exchange, String revision) throws IOException {
        String commit = revisions.containsValue(revision) ? revision : revisions.get(revision);
        if (commit == null) {
            exchange.getResponseHeaders().set("X-Error-Code", "RevisionNotFound");
            exchange.sendResponseHeaders(404, -1);
            return;
        }
        List<String> names = new CopyOnWriteArrayList<>(files.keySet());
        names.addAll(alsoListed);
        byte[] json = names.stream().map(n -> "{\"rfilename\":\"" + n + "\"}")
                .collect(Collectors.joining(",", "{\"sha\":\"" + commit + "\",\"siblings\":[", "]}"))
                .getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(200, json.length);
        exchange.getResponseBody().write(json);
    }

    /** Weights are large files, which lie in the store; all others are the hub's own. */
    private void file(HttpExchange exchange, String path) throws IOException {
        String name = path.substring(path.lastIndexOf('/') + 1);
        byte[] bytes = files.get(name);
        if (bytes == null || !path.startsWith("/" + REPOSITORY + "/resolve/")) {
            exchange.getResponseHeaders().set("X-Error-Code", "EntryNotFound");
            exchange.sendResponseHeaders(404, -1);
            return;
        }
        Headers headers = exchange.getResponseHeaders();
        if (name.endsWith(".safetensors")) {
            headers.set("X-Linked-Etag", "\"" + hash("SHA-256", bytes) + "\"");
            headers.set("X-Linked-Size", Integer.toString(bytes.length));
            headers.set("Location", elsewhere != null ? elsewhere : address(store) + "/" + name);
            exchange.sendResponseHeaders(302, -1);
            return;
        }
        headers.set("ETag", "W/\"" + hash("SHA-1", ("blob " + bytes.length + "\0").getBytes(StandardCharsets.UTF_8),
                bytes) + "\"");
        if (exchange.getRequestMethod().equals("HEAD")) {
            headers.set("Content-Length", Integer.toString(bytes.length));
            exchange.sendResponseHeaders(200, -1);
        } else {
            exchange.sendResponseHeaders(200, bytes.length);
            exchange.getResponseBody().write(bytes);
        }
    }

    private void send(HttpExchange exchange, byte[] bytes, String range) throws IOException {
        int from = range == null ? 0 : Integer.parseInt(range.replaceAll("bytes=(\\d+)-", "$1"));
        if (from > 0) {
            exchange.getResponseHeaders().set("Content-Range", "bytes " + from + "-" + (bytes.length - 1) + "/"
                    + bytes.length);
        }
        byte[] rest = Arrays.copyOfRange(bytes, from, bytes.length + surplus);
        if (corrupt) {
            rest[rest.length / 2]++;
        }
        int cut = cutAfter;
        cutAfter = 0;
        exchange.sendResponseHeaders(from > 0 ? 206 : 200, surplus > 0 ? 0 : rest.length);
        exchange.getResponseBody().write(rest, 0, cut > 0 ? cut : rest.length);
        exchange.getResponseBody().flush();
    }

    static String hash(String algorithm, byte[]... parts) {
        try {
            MessageDigest digest = MessageDigest.getInstance(algorithm);
            for (byte[] part : parts) {
                digest.update(part);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        hub.stop(0);
        store.stop(0);
    }
}
