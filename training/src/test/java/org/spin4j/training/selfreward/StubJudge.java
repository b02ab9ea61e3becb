package org.spin4j.training.selfreward;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.spin4j.training.JsonLines;

/** A server on this machine that judges: what it says follows from what it is asked alone. */
final class StubJudge implements AutoCloseable {
    private final HttpServer server;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final AtomicInteger asked = new AtomicInteger();

    /**
     * A judge.
     *
     * @param answer to what it is asked
     */
    StubJudge(UnaryOperator<String> answer) throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/v1/chat/completions", exchange -> {
            try (exchange) {
                JsonNode question = JsonLines.JSON.readTree(exchange.getRequestBody().readAllBytes());
                asked.incrementAndGet();
                say(exchange, answer.apply(question.at("/messages/0/content").textValue()));
            }
        });
        server.start();
    }

    private static void say(HttpExchange exchange, String text) throws IOException {
        ObjectNode answer = JsonLines.JSON.createObjectNode();
        answer.putArray("choices").addObject().put("finish_reason", "stop").putObject("message")
                .put("role", "assistant").put("content", text);
        byte[] bytes = answer.toString().getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().add("Content-Type", "application/json");
        exchange.sendResponseHeaders(200, bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    /** As the key {@code judge} has it. */
    String judge() {
        return "endpoint:http://localhost:" + server.getAddress().getPort() + "/v1";
    }

    /** Questions so far. */
    int asked() {
        return asked.get();
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
