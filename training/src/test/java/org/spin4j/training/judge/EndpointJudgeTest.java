package org.spin4j.training.judge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.spin4j.tokenizer.Message;
import org.spin4j.training.BadInputException;
import org.spin4j.training.Interrupt;

/** A judge behind a server on this machine. */
class EndpointJudgeTest {
    private static final String KEY = "sk-secret";
    private static final JudgeQuestions QUESTIONS = new JudgeQuestions(
            JudgePrompt.of("{{ prompt }}|{{ response }}", "a test"),
            ScorePattern.ADDITIVE, PairPrompt.of("{{ prompt }}|{{ response_a }}|{{ response_b }}", "a test"));

    /** What a server does with a request. */
    private interface Handler {
        void handle(HttpExchange exchange, JsonNode asked) throws IOException;
    }

    private final List<JsonNode> seen = new CopyOnWriteArrayList<>();
    private final List<String> authorizations = new CopyOnWriteArrayList<>();
    private final AtomicInteger atOnce = new AtomicInteger();
    private final AtomicInteger most = new AtomicInteger();
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private HttpServer server;
    /** Scores a response by its length. */
    private volatile Handler handler = (exchange, asked) -> {
        String response = asked.at("/messages/0/content").textValue().split("\\|", -1)[1];
        say(exchange, "Fine.\nScore: " + response.length());
    };

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/v1/chat/completions", exchange -> {
            try (exchange) {
                most.accumulateAndGet(atOnce.incrementAndGet(), Math::max);
                JsonNode asked = new ObjectMapper().readTree(exchange.getRequestBody());
                seen.add(asked);
                authorizations.add(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
                handler.handle(exchange, asked);
            } finally {
                atOnce.decrementAndGet();
            }
        });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
        threads.shutdownNow();
    }

    private static void say(HttpExchange exchange, String content) throws IOException {
        send(exchange, 200, "{\"choices\":[{\"message\":{\"role\":\"assistant\",\"content\":"
                + new ObjectMapper().writeValueAsString(content) + "}}]}");
    }

    private static void send(HttpExchange exchange, int status, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    private String address() {
        return "http://127.0.0.1:" + server.getAddress().getPort() + "/v1";
    }

    private EndpointJudge judge(Duration timeout) {
        EndpointSettings named = EndpointSettings.of(address() + "/", "some-model", "JUDGE_KEY",
                Map.of("JUDGE_KEY", KEY));
        return new EndpointJudge(
                new EndpointSettings(named.base(), named.model(), named.key(), 0.5, 0.8, 100, 3, timeout, 3,
                        Duration.ofMillis(1)),
                QUESTIONS);
    }

    private List<Assessment> judgeOne(Duration timeout) {
        try (EndpointJudge judge = judge(timeout)) {
            return judge.judge(List.of(answer(0, "p", "abc")), 1, 1, n -> {});
        }
    }

    private static Judge.Answer answer(long number, String prompt, String response) {
        return new Judge.Answer(number, List.of(new Message("user", prompt)), response);
    }

    @Test
    void judgementsComeInOrderWhateverTheServerDoes() {
        Handler scoring = handler;
        handler = (exchange, asked) -> {
            sleep(asked.get("seed").intValue() % 20);
            scoring.handle(exchange, asked);
        };
        List<Judge.Answer> answers = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            answers.add(answer(i, "p" + i, "x".repeat(i % 6)));
        }
        List<Integer> done = new ArrayList<>();
        try (EndpointJudge judge = judge(Duration.ofSeconds(20))) {
            List<Assessment> found = judge.judge(answers, 2, 1, done::add);
            assertThat(found).extracting(a -> a.mean().orElse(-1)).containsExactly(0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 0.0,
                    1.0, 2.0, 3.0,
                    4.0, 5.0);
            assertThat(found).allSatisfy(a -> assertThat(a.judgements()).hasSize(2));
        }
        assertThat(done).isSorted().endsWith(12).hasSize(24);
        assertThat(most.get()).isBetween(2, 3);
        assertThat(authorizations).containsOnly("Bearer " + KEY);
        assertThat(seen.stream().map(s -> s.get("seed").intValue()).distinct()).hasSize(24).allMatch(s -> s >= 0);
        assertThat(seen.getFirst().get("model").textValue()).isEqualTo("some-model");
        assertThat(seen.getFirst().get("temperature").doubleValue()).isEqualTo(0.5);
        assertThat(seen.getFirst().get("top_p").doubleValue()).isEqualTo(0.8);
        assertThat(seen.getFirst().get("max_tokens").intValue()).isEqualTo(100);
    }

    @Test
    void pairsAreAskedInBothOrders() {
        handler = (exchange, asked) -> {
            String[] parts = asked.at("/messages/0/content").textValue().split("\\|", -1);
            say(exchange, "Verdict: " + (parts[1].length() >= parts[2].length() ? "A" : "B"));
        };
        try (EndpointJudge judge = judge(Duration.ofSeconds(20))) {
            List<Message> prompt = List.of(new Message("user", "p"));
            assertThat(judge.compare(
                    List.of(new PairJudge.Duel(0, prompt, "aaa", "b"), new PairJudge.Duel(1, prompt, "a", "bbb"),
                            new PairJudge.Duel(2, prompt, "a", "b")),
                    1, n -> {})).containsExactly(PairJudge.Outcome.FIRST,
                            PairJudge.Outcome.SECOND, PairJudge.Outcome.TIE);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {429, 500, 503, 408})
    void aBusyServerIsAskedAgain(int status) {
        Handler scoring = handler;
        handler = (exchange, asked) -> {
            if (seen.size() < 3) {
                exchange.getResponseHeaders().set("Retry-After", "0");
                send(exchange, status, "{\"error\":{\"message\":\"busy\"}}");
            } else {
                scoring.handle(exchange, asked);
            }
        };
        assertThat(judgeOne(Duration.ofSeconds(20)).getFirst().mean()).hasValue(3);
        assertThat(seen).hasSize(3);
    }

    @Test
    void theServerSaysHowLongToWait() {
        Handler scoring = handler;
        handler = (exchange, asked) -> {
            if (seen.size() == 1) {
                exchange.getResponseHeaders().set("Retry-After", "1");
                send(exchange, 429, "");
            } else {
                scoring.handle(exchange, asked);
            }
        };
        long begin = System.nanoTime();
        judgeOne(Duration.ofSeconds(20));
        assertThat((System.nanoTime() - begin) / 1e9).isGreaterThan(0.99);
    }

    @Test
    void triesEnd() {
        handler = (exchange, asked) -> send(exchange, 503, "{\"error\":{\"message\":\"down\\nfor good\"}}");
        assertThatThrownBy(() -> judgeOne(Duration.ofSeconds(20))).isInstanceOf(BadInputException.class)
                .hasMessage("expected an answer from " + address()
                        + "/chat/completions, found HTTP 503 ('down for good') in 3 tries; is the server up, and may it be asked so often?");
        assertThat(seen).hasSize(3);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
            "401|{\"error\":{\"message\":\"bad key sk-secret\"}}|found HTTP 401 ('bad key …'); the key is not one that may ask there",
            "404|{\"error\":\"no such model\"}|found HTTP 404 ('no such model'); check the address and the model's name, 'some-model'",
            "400|<html>|found HTTP 400; check the address", "302|``|found HTTP 302; check the address",
            "200|{\"text\":1}|found another answer; is it an API in OpenAI's form?",
            "200|not json|found another answer",
            "200|``|found another answer", "200|{\"choices\":[]}|found another answer"})
    void whatIsRefusedIsOneClearLineAtOnce(int status, String body, String message) {
        handler = (exchange, asked) -> send(exchange, status, body);
        assertThatThrownBy(() -> judgeOne(Duration.ofSeconds(20))).isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("expected a chat completion").hasMessageContaining(message)
                .hasMessageNotContaining("\n").hasMessageNotContaining(KEY);
        assertThat(seen).hasSize(1);
    }

    @Test
    void deepAndOddAnswers() {
        handler = (exchange, asked) -> send(exchange, 200, "[".repeat(100_000));
        assertThatThrownBy(() -> judgeOne(Duration.ofSeconds(20))).hasMessageContaining("found another answer");
        handler = (exchange, asked) -> send(exchange, 200, "{\"choices\":[{\"message\":{\"content\":null}}]}");
        assertThat(judgeOne(Duration.ofSeconds(20)).getFirst().judgements())
                .containsExactly(new Assessment.Judgement("", Score.Unusable.MISSING));
    }

    @Test
    void aJudgementThatWasCutOffIsKnownAsSuch() {
        handler = (exchange, asked) -> send(exchange, 200,
                "{\"choices\":[{\"message\":{\"content\":\"Score: 4\"},\"finish_reason\":\"length\"}]}");
        assertThat(judgeOne(Duration.ofSeconds(20)).getFirst().judgements())
                .containsExactly(new Assessment.Judgement("Score: 4", Score.Unusable.CUT));
    }

    @Test
    void aPromptTooLongForTheModelIsNotJudged() {
        handler = (exchange, asked) -> send(exchange, 400,
                "{\"error\":{\"code\":\"context_length_exceeded\",\"message\":\"too many tokens\"}}");
        assertThat(judgeOne(Duration.ofSeconds(20)).getFirst().judgements())
                .containsExactly(new Assessment.Judgement("", Score.Unusable.TOO_LONG));
    }

    @Test
    void anEndlessAnswerIsCutOff() {
        handler = (exchange, asked) -> {
            exchange.sendResponseHeaders(200, 0);
            byte[] chunk = new byte[1 << 16];
            for (int i = 0; i < 1 << 10; i++) {
                exchange.getResponseBody().write(chunk);
            }
        };
        assertThatThrownBy(() -> judgeOne(Duration.ofSeconds(20))).isInstanceOf(BadInputException.class)
                .hasMessageContaining("expected an answer from").hasMessageContaining("in 3 tries");
    }

    @Test
    void aSlowAnswerIsNotAwaited() {
        handler = (exchange, asked) -> {
            exchange.sendResponseHeaders(200, 0);
            for (int i = 0; i < 100; i++) {
                exchange.getResponseBody().write(' ');
                exchange.getResponseBody().flush();
                sleep(50);
            }
        };
        long begin = System.nanoTime();
        assertThatThrownBy(() -> judgeOne(Duration.ofMillis(200))).isInstanceOf(BadInputException.class)
                .hasMessageContaining("no whole answer within 0.2 s in 3 tries");
        assertThat((System.nanoTime() - begin) / 1e9).isLessThan(4);
    }

    @Test
    void noServer() {
        server.stop(0);
        assertThatThrownBy(() -> judgeOne(Duration.ofSeconds(20))).isInstanceOf(BadInputException.class)
                .hasMessageContaining("found no server that listens there in 3 tries");
    }

    @Test
    void oneFailureEndsTheWork() {
        handler = (exchange, asked) -> send(exchange, 401, "");
        List<Judge.Answer> answers = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            answers.add(answer(i, "p", "abc"));
        }
        try (EndpointJudge judge = judge(Duration.ofSeconds(20))) {
            assertThatThrownBy(() -> judge.judge(answers, 2, 1, n -> {})).hasMessageContaining("HTTP 401");
            assertThat(seen).hasSizeLessThan(100);
            handler = (exchange, asked) -> say(exchange, "Score: 1");
            assertThatThrownBy(() -> judge.judge(answers, 1, 1, n -> {
                throw new Interrupt.Stopped("enough");
            })).isInstanceOf(Interrupt.Stopped.class);
            assertThat(seen).hasSizeLessThan(200);
        }
    }

    @Test
    void settings() {
        EndpointSettings settings = EndpointSettings.of(" http://localhost:8000/v1/ ", "m", "", Map.of());
        assertThat(settings.base()).hasToString("http://localhost:8000/v1");
        assertThat(settings.key()).isEmpty();
        assertThat(EndpointSettings.of("https://x/v1", "m", "K", Map.of("K", KEY)))
                .hasToString("m at https://x/v1 with a key");
        assertThat(settings).hasToString("m at http://localhost:8000/v1");
        for (String address : List.of("", "localhost:8000", "file:///etc", "http://", "https://user:pw@x/v1",
                "https://x/v1?key=1")) {
            assertThatThrownBy(() -> EndpointSettings.of(address, "m", "", Map.of()))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageStartingWith("expected the address of an API");
        }
        assertThatThrownBy(() -> EndpointSettings.of("https://x", "m", "K", Map.of()))
                .hasMessageContaining("environment variable K, found none");
        assertThatThrownBy(() -> EndpointSettings.of("https://x", "m", "K", Map.of("K", "sk\nsecret")))
                .hasMessageContaining("found other characters").hasMessageNotContaining("secret");
        assertThatThrownBy(() -> new EndpointSettings(settings.base(), "m", Optional.empty(), 0.7, 0, 1, 1,
                Duration.ofSeconds(1), 1,
                Duration.ZERO)).hasMessageContaining("top_p in (0, 1]");
    }

    private static void sleep(int millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
