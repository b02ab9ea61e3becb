package org.spin4j.training.judge;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.spin4j.training.BadInputException;

/** Chat completions from a server, one at a time, by any number of threads. What the server sends is not trusted: not its size, form or pace. */
final class EndpointClient implements AutoCloseable {
    private static final int MAX_ANSWER_BYTES = 4 << 20;
    private static final Duration CONNECT = Duration.ofSeconds(20);
    private static final long MAX_PAUSE_MILLIS = 60_000;
    private static final JsonMapper JSON = JsonMapper.builder(JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(64).build()).build()).build();

    private final EndpointSettings settings;
    private final URI address;
    // HTTP/1.1, as some servers of one's own do not take the offer of HTTP/2 well; redirects would carry the key elsewhere.
    private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER).connectTimeout(CONNECT).build();

    EndpointClient(EndpointSettings settings) {
        this.settings = settings;
        this.address = URI.create(settings.base() + "/chat/completions");
    }

    /**
     * What the model answers to a prompt of the user; empty if the prompt is too long for it.
     *
     * @param seed for servers that can sample the same again
     * @throws BadInputException if there is no answer after all tries, or the server refuses to give one
     */
    Optional<JudgeQuestions.Text> complete(String prompt, int seed) throws InterruptedException {
        String problem = "";
        long pause = settings.pause().toMillis();
        for (int i = 0; i < settings.tries(); i++) {
            if (i > 0) {
                Thread.sleep(Math.min(pause, MAX_PAUSE_MILLIS));
                pause = settings.pause().toMillis() << Math.min(i, 16);
            }
            try {
                HttpResponse<byte[]> response = send(prompt, seed);
                int status = response.statusCode();
                if (status == 200) {
                    return Optional.of(content(response.body()));
                }
                if (status < 500 && status != 429 && status != 408) {
                    return refused(status, message(response.body()));
                }
                problem = "HTTP " + status + said(message(response.body()));
                pause = Math.max(pause, retryAfterMillis(response));
            } catch (IOException e) {
                problem = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
            }
        }
        throw BadInputException.of(
                "expected an answer from %s, found %s in %d %s; is the server up, and may it be asked so often?",
                address, BadInputException.excerpt(problem), settings.tries(), settings.tries() == 1 ? "try" : "tries");
    }

    private HttpResponse<byte[]> send(String prompt, int seed) throws IOException, InterruptedException {
        ObjectNode body = JsonNodeFactory.instance.objectNode().put("model", settings.model());
        body.putArray("messages").addObject().put("role", "user").put("content", prompt);
        body.put("temperature", settings.temperature()).put("top_p", settings.topP())
                .put("max_tokens", settings.maxTokens()).put("seed", seed);
        HttpRequest.Builder request = HttpRequest.newBuilder(address)
                .POST(HttpRequest.BodyPublishers.ofString(body.toString())).header("Content-Type", "application/json")
                .header("User-Agent", "spin4j");
        settings.key().ifPresent(key -> request.header("Authorization", "Bearer " + key));
        CompletableFuture<HttpResponse<byte[]>> response = http.sendAsync(request.build(),
                BodyHandlers.limiting(BodyHandlers.ofByteArray(), MAX_ANSWER_BYTES));
        try {
            // A timeout of the request itself would end with the headers; a body may come drop by drop.
            return response.get(settings.timeout().toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new IOException("no whole answer within " + settings.timeout().toMillis() / 1000.0 + " s", e);
        } catch (ExecutionException e) {
            throw new IOException(e.getCause() instanceof ConnectException
                    ? "no server that listens there"
                    : e.getCause().getMessage(), e);
        } finally {
            response.cancel(true);
        }
    }

    private JudgeQuestions.Text content(byte[] body) {
        JsonNode choice = tree(body).path("choices").path(0);
        JsonNode message = choice.path("message");
        if (!message.isObject()) {
            throw BadInputException
                    .of("expected a chat completion with choices from %s, found another answer; is it an API in "
                            + "OpenAI's form?", address);
        }
        // A model that declines to answer gives null.
        return new JudgeQuestions.Text(message.path("content").asText(""),
                choice.path("finish_reason").asText("").equals("length"));
    }

    private Optional<JudgeQuestions.Text> refused(int status, String message) {
        String lower = message.toLowerCase(Locale.ROOT);
        if (status == 413 || status == 400 && (lower.contains("context_length") || lower.contains("context length")
                || lower.contains("maximum context"))) {
            return Optional.empty();
        }
        String advice = switch (status) {
            case 401, 403 -> settings.key().isPresent()
                    ? "the key is not one that may ask there"
                    : "name the environment variable that holds a key";
            case 404 -> "check the address and the model's name, '" + BadInputException.excerpt(settings.model()) + "'";
            default -> "check the address and the settings";
        };
        throw BadInputException.of("expected a chat completion from %s, found HTTP %d%s; %s", address, status,
                said(message),
                advice);
    }

    private static String said(String message) {
        return message.isEmpty() ? "" : " ('" + BadInputException.excerpt(message) + "')";
    }

    /** What the server says of an error, without the key should it repeat that. */
    private String message(byte[] body) {
        JsonNode error = tree(body).path("error");
        String text = error.isTextual()
                ? error.textValue()
                : error.path("code").asText("").startsWith("context_length")
                        ? error.path("code").textValue()
                        : error.path("message").asText("");
        return settings.key().map(key -> text.replace(key, "…")).orElse(text);
    }

    /** The body as JSON; nothing where it is something else. */
    private static JsonNode tree(byte[] body) {
        try {
            return JSON.readTree(body);
        } catch (IOException e) {
            return JsonNodeFactory.instance.missingNode();
        }
    }

    private static long retryAfterMillis(HttpResponse<?> response) {
        String seconds = response.headers().firstValue("retry-after").orElse("");
        return seconds.matches("\\d{1,9}") ? 1000 * Long.parseLong(seconds) : 0;
    }

    @Override
    public void close() {
        http.shutdownNow();
        http.close();
    }
}
